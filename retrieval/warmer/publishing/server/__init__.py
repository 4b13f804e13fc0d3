"""Publishing as a collection on a Qdrant server."""
