"""Where collections are, and where searches and scores are kept, by the settings."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import cached_property, partial
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import anyio
import anyio.to_thread

from warmer.index import Index
from warmer.index.collections import Collections
from warmer.index.edge.catalog import Catalog, EmbeddedCollections
from warmer.index.external_texts import ExternalTextsIndex, load_texts
from warmer.journal import Journal
from warmer.journal.jobs import Jobs
from warmer.journal.parameters import Parameters
from warmer.journal.sqlite.database import Database
from warmer.journal.sqlite.jobs import SqliteJobs
from warmer.journal.sqlite.parameters import SqliteParameters
from warmer.journal.sqlite.searches import SqliteJournal
from warmer.journal.tenancy import TenantJobs, TenantJournal, TenantParameters, namespace_of
from warmer_server.settings import Settings

JOURNAL = "warmer-journal"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Memory:
    """Searches, scores and what came of them, and in words for `status` where they are kept."""

    journal: Journal
    parameters: Parameters
    jobs: Jobs
    kept: str


@dataclass(frozen=True, slots=True)
class Engine:
    """What the tools work on."""

    collections: Collections
    journal: Journal
    parameters: Parameters
    jobs: Jobs
    _memory: "Memory | Shared"

    @property
    def kept(self) -> str:
        """Where searches and scores are kept, in words for `status`; known once one of them was asked for."""
        return self._memory.kept


@asynccontextmanager
async def open_engine(settings: Settings) -> AsyncIterator[Engine]:
    """Open what the settings name; a server is asked when something is needed of it, not before.

    Raises:
        WarmerError: The data directory cannot be used.
    """
    async with AsyncExitStack() as stack:
        here = partial(_open_here, settings, stack)
        if settings.qdrant_url:
            there = There(settings)
            stack.push_async_callback(there.close)
            yield _engine(there, Shared(there, here) if settings.journal == "qdrant" else here(), settings)
        else:
            yield _engine(EmbeddedCollections(Catalog(settings.data_dir, settings.collection_name)), here(), settings)


def _engine(collections: Collections, memory: "Memory | Shared", settings: Settings) -> Engine:
    namespace = namespace_of(settings.where)
    return Engine(
        collections,
        TenantJournal(memory.journal, namespace),
        TenantParameters(memory.parameters, namespace),
        TenantJobs(memory.jobs, namespace),
        memory,
    )


def _open_here(settings: Settings, stack: AsyncExitStack) -> Memory:
    path = journal_path(settings)
    database = Database(path)
    stack.callback(database.close)
    journal = SqliteJournal(database, settings.search_hours * 3600)
    return Memory(journal, SqliteParameters(database), SqliteJobs(database), str(path))


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
        return ExternalTextsIndex(index, self._texts) if self._texts else index

    async def ready(self) -> None:
        """Import the client, in a thread."""
        async with self._readying:
            if not self._ready:
                for module in (
                    "warmer_server.connection",
                    "warmer.index.remote.collections",
                    "warmer.journal.qdrant.store",
                ):
                    await anyio.to_thread.run_sync(import_module, module)
                self._ready = True

    async def memory(self) -> Memory | str:
        """Open the journal on the server; the reason where the key may only read.

        Raises:
            EngineError: The server cannot be asked.
        """
        await self.ready()
        from warmer.journal.qdrant.jobs import QdrantJobs  # noqa: PLC0415
        from warmer.journal.qdrant.parameters import QdrantParameters  # noqa: PLC0415
        from warmer.journal.qdrant.searches import QdrantJournal  # noqa: PLC0415
        from warmer.journal.qdrant.store import ReadOnlyError, open_store  # noqa: PLC0415

        try:
            store = await open_store(self._remote, JOURNAL)
        except ReadOnlyError as error:
            return str(error)
        journal = QdrantJournal(store, self._settings.search_hours * 3600)
        kept = f"collection {JOURNAL} on the server"
        return Memory(journal, QdrantParameters(store), QdrantJobs(store), kept)

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
        from warmer_server.connection import connection  # noqa: PLC0415

        return connect(connection(self._settings.qdrant_url, self._settings))

    @cached_property
    def _collections(self) -> Collections:
        from warmer.index.remote.collections import QdrantCollections  # noqa: PLC0415
        from warmer_server.connection import options  # noqa: PLC0415

        return QdrantCollections(self._remote, options(self._settings, JOURNAL))


class Shared:
    """A memory on the server that is opened on first use; on this machine if the key may only read."""

    def __init__(self, there: There, here: Callable[[], Memory]) -> None:
        self._there = there
        self._here = here
        self._opened: Memory | None = None
        self._opening = anyio.Lock()
        self.journal = cast("Journal", _Deferred(self._open, "journal"))
        self.parameters = cast("Parameters", _Deferred(self._open, "parameters"))
        self.jobs = cast("Jobs", _Deferred(self._open, "jobs"))

    @property
    def kept(self) -> str:
        """Where it is, in words; nothing before it is open."""
        return self._opened.kept if self._opened else ""

    async def _open(self) -> Memory:
        async with self._opening:
            if not self._opened:
                memory = await self._there.memory()
                if isinstance(memory, str):
                    _log.warning("searches and scores are kept on this machine alone: %s", memory)
                    here = self._here()
                    memory = replace(here, kept=f"{here.kept}; not on the server, since {memory}")
                self._opened = memory
            return self._opened


class _Deferred:
    """Stands for a part of a memory, all of whose methods are coroutines."""

    def __init__(self, opened: Callable[[], Awaitable[Memory]], part: str) -> None:
        self._opened = opened
        self._part = part

    def __getattr__(self, method: str) -> Callable[..., Awaitable[Any]]:
        async def call(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401  whatever the protocol says
            return await getattr(getattr(await self._opened(), self._part), method)(*arguments, **named)

        return call
