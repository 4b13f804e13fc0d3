"""Search a collection over MCP, as an agent does."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

from mcp import Client, StdioServerParameters
from support import ask


def first_by_name(python: Path, data: Path, names: Sequence[str]) -> int:
    """Count the notes that come first in a search for their name, in the collection "docs" below `data`."""
    return asyncio.run(_first_by_name(python, data, names))


async def _first_by_name(python: Path, data: Path, names: Sequence[str]) -> int:
    environment = {**os.environ, "WARMER_DATA_DIR": str(data), "COLLECTION_NAME": "docs"}
    server = StdioServerParameters(command=str(python), args=["-m", "warmer_server.cli", "serve"], env=environment)
    found = 0
    async with Client(server) as client:
        for name in names:
            reply = await ask(client, "search", query=name, limit=1)
            found += [Path(hit["source"]).stem for hit in reply["hits"]] == [name]
    return found
