"""MCP over streamable HTTP. Importing this is for `warmer serve --http` alone: stdio needs none of it."""
