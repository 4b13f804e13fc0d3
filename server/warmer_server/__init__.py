"""The MCP server, its settings and its command line."""
