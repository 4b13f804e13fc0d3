"""Entries in the configurations of MCP clients: where each has its file, and what it wants in it."""
