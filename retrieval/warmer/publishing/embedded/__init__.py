"""Passages to an embedded collection."""
