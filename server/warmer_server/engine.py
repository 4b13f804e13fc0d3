"""Where collections are, and where searches and scores are kept, by the settings."""

import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path

import anyio
import anyio.to_thread

from warmer.database import Database
from warmer.index import Index
from warmer.index.catalog import Catalog, Embedded
from warmer.index.collections import Collections
from warmer.index.resolved import ResolvedIndex, load_texts
from warmer.jobs import Jobs, SqliteJobs
from warmer.journal import Journal, SqliteJournal
from warmer.parameters import Parameters, SqliteParameters
from warmer_server.settings import Settings

JOURNAL = "warmer-journal"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Engine:
    """What the tools work on, and in words for `status` where searches and scores are kept."""

    collections: Collections
    journal: Journal
    parameters: Parameters
    jobs: Jobs
    kept: str


@asynccontextmanager
async def open_engine(settings: Settings) -> AsyncIterator[Engine]:
    """Open what the settings name.

    Raises:
        WarmerError: The data directory or the server cannot be used.
    """
    async with AsyncExitStack() as stack:
        collections: Collections = Embedded(Catalog(settings.data_dir, settings.collection_name))
        note = ""
        if settings.qdrant_url:
            there = There(settings)
            stack.push_async_callback(there.close)
            collections = there
            if settings.journal == "qdrant":
                shared = await there.memory()
                if not isinstance(shared, str):
                    yield shared
                    return
                note = f"; not on the server, since {shared}"
                _log.warning("searches and scores are kept on this machine alone: %s", shared)
        path = journal_path(settings)
        database = Database(path)
        stack.callback(database.close)
        lifetime = settings.search_hours * 3600
        memory = SqliteJournal(database, lifetime), SqliteParameters(database), SqliteJobs(database)
        yield Engine(collections, *memory, f"{path}{note}")


def journal_path(settings: Settings) -> Path:
    """Locate the journal of this machine."""
    return settings.data_dir / "journal.sqlite3"


class There:
    """The protocol `Collections` on a server; its client, which takes a second to import, is imported when needed."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._texts = load_texts(settings.texts) if settings.texts else None
        self._ready = False
        self._readying = anyio.Lock()

    @property
    def url(self) -> str:
        """Where the server is, without what a URL may hold of passwords."""
        return str(self._remote.url) if self._ready else ""

    async def names(self) -> list[str]:
        """List the collections that may be searched, sorted."""
        await self.ready()
        return await self._collections.names()

    async def find(self, name: str = "") -> Index:
        """Open a collection; without a name the default, or the only one."""
        await self.ready()
        index = await self._collections.find(name)
        return ResolvedIndex(index, self._texts) if self._texts else index

    async def ready(self) -> None:
        """Import the client, in a thread."""
        async with self._readying:
            if not self._ready:
                for module in "warmer_server.server", "warmer.index.remote.collections", "warmer.shared.store":
                    await anyio.to_thread.run_sync(import_module, module)
                self._ready = True

    async def memory(self) -> Engine | str:
        """Open the journal on the server; the reason where the key may only read.

        Raises:
            EngineError: The server cannot be asked.
        """
        await self.ready()
        from warmer.shared.jobs import QdrantJobs  # noqa: PLC0415
        from warmer.shared.journal import QdrantJournal  # noqa: PLC0415
        from warmer.shared.parameters import QdrantParameters  # noqa: PLC0415
        from warmer.shared.store import ReadOnlyError, open_store  # noqa: PLC0415

        try:
            store = await open_store(self._remote, JOURNAL)
        except ReadOnlyError as error:
            return str(error)
        journal = QdrantJournal(store, self._settings.search_hours * 3600)
        kept = f"collection {JOURNAL} on the server"
        return Engine(self, journal, QdrantParameters(store), QdrantJobs(store), kept)

    async def version(self) -> str:
        """Say which version of Qdrant answers.

        Raises:
            EngineError: None does.
        """
        await self.ready()
        major, minor = await self._remote.version()
        return f"{major}.{minor}"

    async def close(self) -> None:
        """Close the connection, if there is one."""
        if self._ready:
            await self._remote.close()

    @cached_property
    def _remote(self):  # type: ignore[no-untyped-def]  # noqa: ANN202  importing its type takes a second
        from warmer.index.remote.client import connect  # noqa: PLC0415
        from warmer_server.server import connection  # noqa: PLC0415

        return connect(connection(self._settings.qdrant_url, self._settings))

    @cached_property
    def _collections(self) -> Collections:
        from warmer.index.remote.collections import QdrantCollections  # noqa: PLC0415
        from warmer_server.server import options  # noqa: PLC0415

        return QdrantCollections(self._remote, options(self._settings, JOURNAL))
