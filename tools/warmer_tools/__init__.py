"""The MCP tools: search and give_feedback."""
