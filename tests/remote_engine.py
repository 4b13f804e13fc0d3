"""Collections on a server for tests: on `qdrant_server`, or on a real one that WARMER_TEST_QDRANT_URL names."""

import os
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from anyio import run
from environment import SERVER, SERVER_KEY

from warmer.index import Candidates, CollectionInfo, Hit
from warmer.index.remote.client import Connection, Remote, connect
from warmer.index.remote.engine import QdrantIndex
from warmer.index.remote.in_memory import create_collection
from warmer.index.remote.options import Options
from warmer.publishing.server.collection import ServerCollection
from warmer.vectors import Vector

Points = Iterable[tuple[str, Vector, dict[str, Any]]]
NO_SERVER = "WARMER_TEST_QDRANT_URL names no Qdrant server, so this was not tried on one"


def real_server() -> Connection | None:
    url = os.environ.get(SERVER, "")
    return Connection(url, os.environ.get(SERVER_KEY, "")) if url else None


def make(connection: Connection, info: CollectionInfo, points: Points) -> None:
    """Make a collection as Warmer makes it."""
    _with(connection, lambda remote: remote.call(lambda c: create_collection(c, info, points), what="making"))


def with_indexes(connection: Connection, name: str) -> None:
    """Make the payload indexes that Warmer makes."""
    _with(connection, lambda remote: ServerCollection(remote, name).index_fields())


def delete(connection: Connection, name: str) -> None:
    _with(connection, lambda remote: remote.call(lambda c: c.delete_collection(name), what="deleting"))


def _with(connection: Connection, use: Callable[[Remote], Awaitable[Any]]) -> None:
    async def work() -> None:
        remote = connect(connection)
        await use(remote)
        await remote.close()

    with ThreadPoolExecutor(1) as pool:  # an event loop may already run in this thread
        pool.submit(run, work).result()


class ReconnectingIndex:
    """`Index` that connects anew for every call, since tests use it from several event loops."""

    def __init__(self, connection: Connection, name: str, options: Options | None = None) -> None:
        self._connection = connection
        self._name = name
        self._options = options

    async def _ask(self, method: str, *args: Any, **kwargs: Any) -> Any:
        remote = connect(self._connection)
        try:
            return await getattr(QdrantIndex(remote, self._name, self._options), method)(*args, **kwargs)
        finally:
            await remote.close()

    async def info(self) -> CollectionInfo:
        info: CollectionInfo = await self._ask("info")
        return info

    async def sample(self, *args: Any, **kwargs: Any) -> list[dict[str, Any]]:
        payloads: list[dict[str, Any]] = await self._ask("sample", *args, **kwargs)
        return payloads

    async def retrieve(self, *args: Any, **kwargs: Any) -> list[Hit]:
        hits: list[Hit] = await self._ask("retrieve", *args, **kwargs)
        return hits

    async def around(self, *args: Any, **kwargs: Any) -> list[Hit]:
        hits: list[Hit] = await self._ask("around", *args, **kwargs)
        return hits

    async def candidates(self, *args: Any, **kwargs: Any) -> Candidates:
        found: Candidates = await self._ask("candidates", *args, **kwargs)
        return found

    async def completed(self, hits: list[Hit]) -> list[Hit]:
        return hits

    def remembered(self, ids: Sequence[str]) -> dict[str, str]:  # noqa: ARG002
        return {}
