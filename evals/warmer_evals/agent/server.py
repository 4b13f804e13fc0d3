"""The server under test: `warmer serve` as a process of its own, reached over MCP as any client reaches it."""

import os
import sys
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from mcp import Client, MCPError, StdioServerParameters
from mcp.types import CallToolResult, Tool

from warmer.errors import innermost
from warmer_evals import EvalError

_COMMAND = [sys.executable, "-P", "-m", "warmer_server.cli", "serve"]
_SECONDS = 300


class Server:
    """A session with a server, on one collection.

    Attributes:
        tools: What the server offers, by name.
    """

    def __init__(self, client: Client, tools: Mapping[str, Tool], collection: str) -> None:
        self.tools = tools
        self._client = client
        self._collection = collection

    async def call(self, tool: str, arguments: Mapping[str, Any]) -> CallToolResult:
        """Call a tool; where it takes a collection, it gets the one under test.

        Raises:
            EvalError: The server ended or does not answer.
        """
        one = {"collection": self._collection} if "collection" in self.tools[tool].input_schema["properties"] else {}
        try:
            return await self._client.call_tool(tool, {**arguments, **one})
        except MCPError as error:
            raise EvalError(
                f"the server failed in a call of {tool}: {error}. Its output is above. Questions that were "
                "answered are kept: the same command goes on from there"
            ) from error


@asynccontextmanager
async def serve(data_dir: Path, collection: str, model: str, remember: str = "off") -> AsyncIterator[Server]:
    """Start a server and make sure that it can search the collection.

    It gets neither the agent's API key, since nothing is asked of a model but by the agent itself, nor settings that
    would lead it elsewhere. What one arm scored must not help another: it does not `remember`, unless that is on.

    Raises:
        EvalError: The server does not start, or the collection cannot be searched.
    """
    foreign = ("ANTHROPIC_", "QDRANT_", "WARMER_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    environment |= {"WARMER_DATA_DIR": str(data_dir), "COLLECTION_NAME": collection, "EMBEDDING_MODEL": model}
    environment["WARMER_REMEMBER"] = remember
    parameters = StdioServerParameters(command=_COMMAND[0], args=_COMMAND[1:], env=environment)
    try:
        async with Client(parameters, read_timeout_seconds=_SECONDS) as client:
            server = Server(client, {tool.name: tool for tool in (await client.list_tools()).tools}, collection)
            tried = await server.call("search", {"query": "anything", "limit": 1})
            if tried.is_error:
                raise EvalError(f"the collection {collection!r} in {data_dir} cannot be searched: {spoken(tried)}")
            yield server
    except (MCPError, BaseExceptionGroup) as error:
        cause = innermost(error)
        if not isinstance(cause, MCPError):
            raise cause from error
        raise EvalError(
            f"`warmer serve` did not start on {data_dir} ({cause}). Its output is above; "
            "`warmer status` with WARMER_DATA_DIR set to that folder may tell more"
        ) from error


def sourced(hits: Sequence[dict[str, Any]], documents: Collection[str]) -> list[dict[str, Any]]:
    """Make sure that each hit's `source` is the id of a document.

    Raises:
        EvalError: The collection is not that of the dataset.
    """
    for hit in hits:
        if hit.get("source") not in documents:
            raise EvalError(
                f"the collection has a hit whose source is {hit.get('source')!r}, which is the id of no document "
                "of the dataset: index the dataset again"
            )
    return list(hits)


def spoken(result: CallToolResult) -> str:
    """Give a result's text."""
    return " ".join(getattr(block, "text", "") for block in result.content)
