"""The MCP server, its settings and its command line."""

import os

os.environ.setdefault("PYDANTIC_ERRORS_INCLUDE_URL", "0")  # read when pydantic is imported; agents need no links
