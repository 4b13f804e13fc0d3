"""The journal on a server: its copies, and what happens while it cannot be used."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import numpy as np
import pytest
from qdrant_client import models
from qdrant_server import QdrantServer

from warmer.errors import EngineError, SearchError
from warmer.index import Hit
from warmer.journal import AGENT, Search, new_search_id
from warmer.steering.wording import Wording
from warmer_server import engine
from warmer_server.engine import open_engine
from warmer_server.settings import Settings
from warmer_server.stores import SharedStores

pytestmark = pytest.mark.anyio

JOURNAL = engine.JOURNAL_COLLECTION
HITS = [Hit("1", 1.0, {"text": "one", "title": "", "source": ""}, np.ones(2, dtype=np.float32))]


@pytest.fixture
def server() -> Iterator[QdrantServer]:
    with QdrantServer(version="1.18.3") as served:
        size = models.VectorParams(size=2, distance=models.Distance.COSINE)
        served.store.create_collection("docs", vectors_config=size)
        yield served


@pytest.fixture
async def opened(
    server: QdrantServer,
    tmp_path: Path,
    anyio_backend: str,  # noqa: ARG001
) -> AsyncIterator[tuple[SharedStores, list[float]]]:
    """Shared stores, and the clock that they read."""
    settings = Settings.model_construct(qdrant_url=server.url, journal="qdrant", data_dir=tmp_path, qdrant_timeout=0.5)
    now = [0.0]
    async with open_engine(settings) as opened:
        stores = opened._stores
        assert isinstance(stores, SharedStores)
        stores._clock = lambda: now[0]
        yield stores, now


def search() -> Search:
    vector = np.ones(2, dtype=np.float32)
    return Search(new_search_id(), "docs", "m", "q", vector, {}, lexical=False)


def writes(_: str, path: str) -> bool:
    return path == f"/collections/{JOURNAL}/points/batch"


async def test_a_search_is_kept_here_while_the_journal_cannot_be_written(
    server: QdrantServer, opened: tuple[SharedStores, list[float]]
) -> None:
    stores, now = opened
    first, second, third = search(), search(), search()
    assert await stores.journal.begin(first, HITS) == [1]
    server.fail(status=503, times=1, when=writes)
    assert await stores.journal.begin(second, HITS) == [1]
    assert "not on the server, since" in stores.location
    await stores.journal.score(second.id, {1: 9.0}, AGENT, "r")
    assert [shown.score for shown in (await stores.journal.find(second.id)).scored] == [9.0]
    assert (await stores.journal.find(first.id)).id == first.id
    now[0] = 31
    await stores.journal.begin(third, HITS)
    assert stores.location == f"collection {JOURNAL} on the server"
    kept = {
        record.payload["id"] for record in server.store.scroll(JOURNAL)[0] if record.payload and "id" in record.payload
    }
    assert kept == {first.id, third.id}


async def test_limits_that_are_set_while_the_journal_is_open_are_kept(
    server: QdrantServer, opened: tuple[SharedStores, list[float]]
) -> None:
    stores, _ = opened
    first = search()
    await stores.journal.begin(first, HITS)
    await stores.journal.score(first.id, {1: 9.0}, AGENT, "r")
    server.api.strict[JOURNAL] = models.StrictModeConfigOutput(enabled=True, max_query_limit=10)
    assert [one.id for one in await stores.journal.scored("docs", "m", AGENT, "r")] == [first.id]
    server.api.strict[JOURNAL] = models.StrictModeConfigOutput(enabled=True, filter_max_conditions=1)
    with pytest.raises(EngineError, match="raise filter_max_conditions"):
        await stores.journal.scored("docs", "m", AGENT, "r")


async def test_scores_wait_until_the_journal_can_be_written(server: QdrantServer, tmp_path: Path) -> None:
    settings = Settings.model_construct(qdrant_url=server.url, journal="qdrant", data_dir=tmp_path)
    async with open_engine(settings) as opened:
        opened.collections._remote._pause = 0.001  # type: ignore[attr-defined]
        first = search()
        await opened.journal.begin(first, HITS)
        server.fail(status=500, times=6, when=writes)
        await opened.journal.score(first.id, {1: 9.0}, AGENT, "r")
        server.fail(status=500, times=6, when=writes)
        more = [Hit("2", 1.0, HITS[0].payload, HITS[0].vector)]
        assert await opened.journal.show(first.id, more) == [2]
        server.fail(status=500, times=6, when=writes)
        await opened.journal.reword(first.id, [Wording("query", "other", first.vector, 2)])
        found = await opened.journal.find(first.id)
        assert [(shown.id, shown.score) for shown in found.shown.values()] == [("1", 9.0), ("2", None)]
        assert [wording.text for wording in found.more] == ["other"]
        assert not (tmp_path / "journal.sqlite3").exists()


async def test_what_was_kept_here_is_found_by_the_next_process(
    server: QdrantServer, opened: tuple[SharedStores, list[float]], tmp_path: Path
) -> None:
    stores, _ = opened
    kept = search()
    server.fail(status=503, times=1, when=writes)
    await stores.parameters.all()
    await stores.journal.begin(kept, HITS)
    settings = Settings.model_construct(qdrant_url=server.url, journal="qdrant", data_dir=tmp_path, qdrant_timeout=0.5)
    async with open_engine(settings) as other:
        assert (await other.journal.find(kept.id)).id == kept.id
        with pytest.raises(SearchError, match="is unknown"):
            await other.journal.find(new_search_id())


@pytest.mark.parametrize("said", ["ExpiredSignature", "InvalidSignature"])
async def test_a_key_that_has_expired_is_an_error(
    server: QdrantServer, opened: tuple[SharedStores, list[float]], said: str
) -> None:
    stores, _ = opened
    server.fail(status=403, body=said, times=99)
    with pytest.raises(EngineError, match="has expired"):
        await stores.journal.begin(search(), HITS)
    with pytest.raises(EngineError, match="has expired"):
        await stores.parameters.all()


async def test_a_right_that_is_given_later_is_noticed(
    server: QdrantServer, opened: tuple[SharedStores, list[float]]
) -> None:
    stores, now = opened
    denied = '{"status": {"error": "Forbidden: Write access to collection x is required"}}'
    server.fail(status=403, body=denied, times=99, when=lambda method, path: JOURNAL in path and method != "GET")
    await stores.journal.begin(search(), HITS)
    assert "journal.sqlite3; not on the server" in stores.location
    server._faults.clear()
    now[0] = 31
    await stores.journal.begin(search(), HITS)
    assert stores.location == f"collection {JOURNAL} on the server"


async def test_a_journal_that_is_deleted_is_made_again(
    server: QdrantServer, opened: tuple[SharedStores, list[float]]
) -> None:
    stores, _ = opened
    gone, made = search(), search()
    await stores.journal.begin(gone, HITS)
    server.store.delete_collection(JOURNAL)
    with pytest.raises(SearchError, match="is unknown"):
        await stores.journal.find(gone.id)
    await stores.journal.begin(made, HITS)
    assert (await stores.journal.find(made.id)).id == made.id


async def test_parameters_that_were_read_serve_while_the_server_is_away(
    server: QdrantServer, opened: tuple[SharedStores, list[float]]
) -> None:
    stores, _ = opened
    assert await stores.parameters.all() == []
    server.fail(status=503, times=99, when=lambda _, path: JOURNAL in path)
    assert await stores.parameters.all() == []
    with pytest.raises(EngineError, match=r"not available|no answer"):
        await stores.journal.counts()


@pytest.mark.parametrize(("wanted", "copies", "written"), [(0, 2, 1), (3, 3, 2)])
async def test_the_journal_has_as_many_copies_as_what_is_searched(
    server: QdrantServer, tmp_path: Path, wanted: int, copies: int, written: int
) -> None:
    server.api.copies["docs"] = 2
    settings = Settings.model_construct(
        qdrant_url=server.url, journal="qdrant", data_dir=tmp_path, journal_replicas=wanted
    )
    async with open_engine(settings) as opened:
        await opened.journal.counts()
        assert opened.journal_location == f"collection {JOURNAL} on the server"
        made = next(
            body for method, path, body in server.requests if (method, path) == ("PUT", f"/collections/{JOURNAL}")
        )
        assert (made["replication_factor"], made["write_consistency_factor"]) == (copies, written)


async def test_a_journal_of_too_few_copies_is_told(server: QdrantServer, tmp_path: Path) -> None:
    settings = Settings.model_construct(qdrant_url=server.url, journal="qdrant", data_dir=tmp_path)
    async with open_engine(settings) as opened:
        await opened.journal.counts()
    server.api.copies["docs"] = 2
    async with open_engine(settings) as opened:
        await opened.journal.counts()
        assert "it has 1 of 2 copies" in opened.journal_location
        assert "replicate_shard" in opened.journal_location
