"""The journal in a Qdrant collection, shared by several MCP servers."""
