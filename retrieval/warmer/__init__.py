"""Relevance feedback over Qdrant: scores of an agent steer a second retrieval."""

__version__ = "0.1.0"
