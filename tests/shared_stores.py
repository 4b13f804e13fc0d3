"""Journals in SQLite and in Qdrant, for tests that must hold for both."""

import warnings
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import TypeVar

from anyio.lowlevel import checkpoint
from qdrant_client import AsyncQdrantClient

from warmer.index.remote.client import Connection, Remote, connect
from warmer.journal.jobs import Jobs
from warmer.journal.parameters import Parameters
from warmer.journal.qdrant.jobs import QdrantJobs
from warmer.journal.qdrant.parameters import QdrantParameters
from warmer.journal.qdrant.searches import QdrantJournal
from warmer.journal.qdrant.store import open_store
from warmer.journal.sqlite.database import Database
from warmer.journal.sqlite.jobs import SqliteJobs
from warmer.journal.sqlite.parameters import SqliteParameters
from warmer.journal.sqlite.searches import SqliteJournal
from warmer.journal.transfer.qdrant import export_from_qdrant, import_into_qdrant
from warmer.journal.transfer.records import Counts
from warmer.journal.transfer.sqlite import export_from_sqlite, import_into_sqlite

DAY = 86400.0
T = TypeVar("T")


@dataclass(frozen=True)
class Memory:
    """Stores of one process, with their export and import."""

    journal: SqliteJournal | QdrantJournal
    parameters: Parameters
    jobs: Jobs
    export: Callable[[Path], Awaitable[Counts]]
    bring: Callable[[Path], Awaitable[Counts]]


Open = Callable[..., AbstractAsyncContextManager[Memory]]


class InterleavingRemote(Remote):
    """Yields to other tasks a random number of times before each call, since the in-memory engine never waits."""

    waits = Random(0)

    async def call(
        self, ask: Callable[[AsyncQdrantClient], Awaitable[T]], *, what: str, retry: bool = True, share: float = 1
    ) -> T:
        for _ in range(self.waits.randrange(5)):
            await checkpoint()
        with warnings.catch_warnings(action="ignore"):  # about payload indexes, which it lacks
            return await super().call(ask, what=what, retry=retry, share=share)


def sqlite(path: Path) -> Open:
    """Return a function that opens a file; it takes the lifetime of searches in seconds."""

    @asynccontextmanager
    async def opened(lifetime: float = DAY) -> AsyncIterator[Memory]:
        with closing(Database(path)) as database:
            journal = SqliteJournal(database, lifetime)

            async def export(path: Path) -> Counts:
                return export_from_sqlite(database, path)

            async def bring(path: Path) -> Counts:
                return await import_into_sqlite(database, path)

            yield Memory(journal, SqliteParameters(database), SqliteJobs(database), export, bring)

    return opened


def qdrant(client: AsyncQdrantClient) -> Open:
    """Return a function that opens the shared collection; it takes the lifetime of searches in seconds."""

    @asynccontextmanager
    async def opened(lifetime: float = DAY) -> AsyncIterator[Memory]:
        store = await open_store(InterleavingRemote.local(client))
        moves = partial(export_from_qdrant, store), partial(import_into_qdrant, store)
        yield Memory(QdrantJournal(store, lifetime), QdrantParameters(store), QdrantJobs(store), *moves)

    return opened


def on_server(connection: Connection, name: str) -> Open:
    """Return a function that opens a collection of a real server; it takes the lifetime of searches in seconds."""

    @asynccontextmanager
    async def opened(lifetime: float = DAY) -> AsyncIterator[Memory]:
        remote = connect(connection)
        try:
            store = await open_store(remote, name)
            moves = partial(export_from_qdrant, store), partial(import_into_qdrant, store)
            yield Memory(QdrantJournal(store, lifetime), QdrantParameters(store), QdrantJobs(store), *moves)
        finally:
            await remote.close()

    return opened
