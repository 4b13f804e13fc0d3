"""Filling collections of a Qdrant server, and moving them between a server and the embedded engine."""
