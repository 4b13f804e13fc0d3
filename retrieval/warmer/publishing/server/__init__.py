"""Passages to a collection on a Qdrant server."""
