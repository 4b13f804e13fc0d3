"""Serve MCP over streamable HTTP. Only `warmer serve --http` imports this; stdio needs none of it."""
