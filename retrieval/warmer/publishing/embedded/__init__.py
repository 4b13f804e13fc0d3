"""Publishing as an embedded collection."""
