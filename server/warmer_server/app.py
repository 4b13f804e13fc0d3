"""The MCP server: the tools on one workspace."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache, partial
from pathlib import Path

from mcp.server import MCPServer

from warmer import __version__
from warmer.embedding import Embedder
from warmer.embedding.background import BackgroundEmbedder
from warmer.index.catalog import Catalog
from warmer.journal import SqliteJournal
from warmer_server.settings import Settings
from warmer_tools import give_feedback, search
from warmer_tools.workspace import Workspace

INSTRUCTIONS = """\
Searches documents in Qdrant, and finds better ones once you have scored the first.
1. search(query) gives hits and a search_id.
2. Read the hits and score each 0-10 with give_feedback(search_id, {"1": 9, "2": 0, ...}): bad hits help as much as
   good ones. It retrieves again from the whole collection, steered by your scores.
3. Score the new hits too and call again; one or two rounds are usually enough. Answer from `ranking`, which lists
   every scored hit, best first; you have read their texts above.
Skip the scoring when the first hits answer the question already."""


def build_server(settings: Settings) -> MCPServer[Workspace]:
    """Make a server; opening its journal and loading its model begin when it runs."""

    @asynccontextmanager
    async def lifespan(_: MCPServer[Workspace]) -> AsyncIterator[Workspace]:
        journal = SqliteJournal(journal_path(settings), settings.search_hours * 3600)
        workspace = Workspace(
            catalog=Catalog(settings.data_dir, settings.collection_name),
            embedder=BackgroundEmbedder(partial(load_embedder, settings.embedding_model)),
            journal=journal,
            mode=settings.search_mode,
            text_limit=settings.text_limit,
        )
        workspace.embedder.start()
        try:
            yield workspace
        finally:
            journal.close()

    return MCPServer(
        "warmer",
        title="Warmer",
        version=__version__,
        instructions=INSTRUCTIONS,
        log_level=settings.log_level,
        lifespan=lifespan,
        tools=[search.TOOL, give_feedback.TOOL],
    )


def journal_path(settings: Settings) -> Path:
    """Locate the journal."""
    return settings.data_dir / "journal.sqlite3"


@cache
def load_embedder(model: str) -> Embedder:
    """Load an embedding model once a process; FastEmbed is imported only here, since that takes half a second."""
    from warmer.embedding.fastembedder import load  # noqa: PLC0415

    return load(model)
