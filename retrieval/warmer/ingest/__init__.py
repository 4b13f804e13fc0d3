"""Files to passages."""
