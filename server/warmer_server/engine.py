"""Open the collections and the journal that the settings name."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from importlib import import_module
from pathlib import Path

import anyio
import anyio.to_thread

from warmer.errors import WarmerError
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
from warmer_server.stores import SharedStores, Stores

JOURNAL_COLLECTION = "warmer-journal"


@dataclass(frozen=True, slots=True)
class Engine:
    """What the tools work on."""

    collections: Collections
    journal: Journal
    parameters: Parameters
    jobs: Jobs
    _stores: Stores | SharedStores

    @property
    def journal_location(self) -> str:
        """Where the journal is, for `status`. Shared stores have no location before their first use."""
        return self._stores.location


@asynccontextmanager
async def open_engine(settings: Settings) -> AsyncIterator[Engine]:
    """Open what the settings name. A Qdrant server is not contacted before the first request to it.

    Raises:
        WarmerError: The data directory cannot be used.
    """
    async with AsyncExitStack() as stack:
        open_local = partial(_open_local, settings, stack)
        if settings.qdrant_url:
            server = LazyServer(settings)
            stack.push_async_callback(server.close)
            yield _make_engine(server, _stores(settings, server, open_local), settings)
        elif problem := settings.without_server:
            yield _make_engine(NoCollections(problem), open_local(), settings)
        else:
            collections = EmbeddedCollections(Catalog(settings.data_dir, settings.collection_name))
            yield _make_engine(collections, open_local(), settings)


def _make_engine(collections: Collections, stores: Stores | SharedStores, settings: Settings) -> Engine:
    where = settings.where
    namespace = namespace_of(where[""] if where.keys() == {""} else where)
    return Engine(
        collections,
        TenantJournal(stores.journal, namespace),
        TenantParameters(stores.parameters, namespace),
        TenantJobs(stores.jobs, namespace),
        stores,
    )


def _stores(settings: Settings, server: "LazyServer", open_local: Callable[[], Stores]) -> Stores | SharedStores:
    if settings.journal == "sqlite":
        return open_local()
    return SharedStores(server.open_stores, open_local, has_local=journal_path(settings).exists)


def _open_local(settings: Settings, stack: AsyncExitStack) -> Stores:
    path = journal_path(settings)
    database = Database(path)
    stack.callback(database.close)
    journal = SqliteJournal(database, settings.search_hours * 3600)
    return Stores(journal, SqliteParameters(database), SqliteJobs(database), str(path))


def journal_path(settings: Settings) -> Path:
    """Return the path of the local journal."""
    return settings.data_dir / "journal.sqlite3"


class NoCollections:
    """`Collections` where settings contradict each other: everything that is asked for says how."""

    def __init__(self, problem: str) -> None:
        self._problem = problem

    async def names(self) -> list[str]:
        """Say what is wrong."""
        raise WarmerError(self._problem)

    async def find(self, name: str = "") -> Index:  # noqa: ARG002
        """Say what is wrong."""
        raise WarmerError(self._problem)


class LazyServer:
    """`Collections` on a Qdrant server. The client, which takes a second to import, is imported on first use."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._texts = load_texts(settings.texts) if settings.texts else None
        self._ready = False
        self._readying = anyio.Lock()

    @property
    def url(self) -> str:
        """URL of the server without credentials; empty before the first use."""
        return str(self._remote.url) if self._ready else ""

    async def names(self) -> list[str]:
        """Return the names of the searchable collections, sorted."""
        await self.ready()
        return await self._collections.names()

    async def find(self, name: str = "") -> Index:
        """Open a collection; without a name, the default or the only one."""
        await self.ready()
        index = await self._collections.find(name)
        return ExternalTextsIndex(index, self._texts) if self._texts else index

    async def ready(self) -> None:
        """Import the client in a thread, unless that is done."""
        async with self._readying:
            if not self._ready:
                for module in (
                    "warmer_server.connection",
                    "warmer.index.remote.collections",
                    "warmer_server.server_journal",
                ):
                    await anyio.to_thread.run_sync(import_module, module)
                self._ready = True

    async def open_stores(self) -> Stores:
        """Open the journal on the server.

        Raises:
            EngineError: The key may not write it, or the request to the server failed.
        """
        await self.ready()
        from warmer_server.server_journal import open_stores  # noqa: PLC0415

        return await open_stores(self._remote, self._settings)

    async def version(self) -> str:
        """Return the version of the server, as "major.minor".

        Raises:
            EngineError: The server does not answer.
        """
        await self.ready()
        major, minor = await self._remote.version()
        return f"{major}.{minor}"

    async def close(self) -> None:
        """Close the connection, if one was opened."""
        if self._ready:
            await self._remote.close()

    @cached_property
    def _remote(self):  # type: ignore[no-untyped-def]  # noqa: ANN202  importing its type takes a second
        from warmer.index.remote.client import connect  # noqa: PLC0415
        from warmer_server.connection import make_connection  # noqa: PLC0415

        return connect(make_connection(self._settings.qdrant_url, self._settings))

    @cached_property
    def _collections(self) -> Collections:
        from warmer.index.remote.collections import QdrantCollections  # noqa: PLC0415
        from warmer_server.connection import make_options  # noqa: PLC0415

        return QdrantCollections(self._remote, make_options(self._settings, JOURNAL_COLLECTION))
