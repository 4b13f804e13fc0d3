from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import numpy as np
import pytest
from qdrant_client import models
from qdrant_server import QdrantServer
from support import Reference, hybrid, near

from warmer.embedding import Embedder
from warmer.errors import CollectionError, EngineError, IngestError, ModelMismatchError
from warmer.index.edge.catalog import Catalog
from warmer.index.edge.engine import EdgeIndex
from warmer.index.remote.client import Connection, Remote, connect
from warmer.index.remote.engine import QdrantIndex
from warmer.index.remote.faults import ServerError
from warmer.index.remote.options import Options
from warmer.passage import Passage
from warmer.publishing.server.collection import ServerCollection
from warmer.publishing.server.points import in_batches, make_point
from warmer.publishing.server.publish import publish_passages
from warmer.publishing.server.reading import open_source
from warmer.publishing.server.retry import with_retries
from warmer.publishing.server.upload import IN_FLIGHT, uploading
from warmer.vectors import Vector

ROOTS = {"notes": Path("/notes")}
pytestmark = pytest.mark.anyio


class FakeEmbedder:
    """An embedder with random vectors and a count of embedded passages."""

    def __init__(self, name: str = "fake", dim: int = 8) -> None:
        self.name, self.dim = name, dim
        self.embedded = 0

    def embed_query(self, text: str) -> Vector:
        return np.random.default_rng(list(text.encode())).normal(size=self.dim).astype(np.float32)

    def embed_passages(self, texts: Sequence[str]) -> Iterator[tuple[int, Vector]]:
        for position, text in enumerate(texts):
            self.embedded += 1
            yield position, self.embed_query(text)


@pytest.fixture
def server() -> Iterator[QdrantServer]:
    with QdrantServer() as server:
        yield server


@pytest.fixture
async def remote(server: QdrantServer) -> AsyncIterator[Remote]:
    remote = connect(Connection(server.url))
    yield remote
    await remote.close()


@pytest.fixture
def notes(remote: Remote) -> ServerCollection:
    return ServerCollection(remote, "notes", pauses=())


def texts(*names: str, source: str = "notes/a.md") -> list[Passage]:
    return [Passage(f"Of {name}.", "", source, line) for line, name in enumerate(names, start=1)]


def stored(server: QdrantServer, name: str = "notes") -> dict[str, dict[str, Any]]:
    return {str(p.id): p.payload or {} for p in server.store.scroll(name, limit=10_000)[0]}


def writes(server: QdrantServer) -> list[tuple[str, str]]:
    reads = ("/points", "/scroll", "/count", "/query")
    asked = [(method, path) for method, path, _ in server.requests]
    return [(m, p) for m, p in asked if m != "GET" and not (m == "POST" and p.endswith(reads))]


class AfterFirst:
    """Matches every upsert after the first, until `over` is set."""

    def __init__(self) -> None:
        self.seen = 0
        self.over = False

    def __call__(self, method: str, path: str) -> bool:
        matches = method == "PUT" and path.endswith("/points") and not self.over
        self.seen += matches
        return matches and self.seen > 1


async def test_a_published_collection_answers_as_an_embedded_one_does(
    server: QdrantServer,
    remote: Remote,
    notes: ServerCollection,
    embedder: Embedder,
    reference: Reference,
    data_dir: Path,
) -> None:
    built = await publish_passages(notes, reference.passages, embedder, roots=ROOTS)
    assert (built.points, built.embedded, built.published) == (36, 36, True)
    there, here = QdrantIndex(remote, "notes"), EdgeIndex(Catalog(data_dir).generations("notes"))
    query = embedder.embed_query(reference.queries[0])
    where = {"must": [{"key": "source", "match": {"value": "notes/space.md"}}, {"key": "line", "range": {"gte": 1}}]}
    for conditions in (None, where):
        found, expected = [await near(index, query, 40, where=conditions) for index in (there, here)]
        assert [hit.id for hit in found] == [hit.id for hit in expected]
        assert [hit.payload for hit in found] == [hit.payload for hit in expected]
        np.testing.assert_allclose([h.score for h in found], [h.score for h in expected], atol=1e-5)
    worded, expected = [await hybrid(index, query, reference.queries[0], 5) for index in (there, here)]
    assert [hit.id for hit in worded] == [hit.id for hit in expected]
    info = await there.info()
    assert info.code == pytest.approx((await here.info()).code)
    assert (info.model, info.lexical, info.fields["line"]) == (embedder.name, True, "integer")
    schema = server.api.answer("GET", "/collections/notes", None)["payload_schema"]
    kinds = {"source": "keyword", "line": "integer", "text": "text", "title": "text"}
    assert {name: index["data_type"] for name, index in schema.items()} == kinds
    assert schema["text"]["params"]["phrase_matching"]


async def test_only_changes_are_embedded_and_old_points_are_deleted_last(
    server: QdrantServer, notes: ServerCollection
) -> None:
    await publish_passages(notes, texts("bread", "boats", "stars"), FakeEmbedder(), roots=ROOTS)
    before = set(stored(server))
    server.requests.clear()
    again = await publish_passages(notes, texts("bread", "boats", "stars"), FakeEmbedder(), roots=ROOTS)
    assert (again.points, again.embedded, again.published) == (3, 0, False)
    assert writes(server) == []
    edited = await publish_passages(notes, texts("stars", "ships", "bread"), model := FakeEmbedder(), roots=ROOTS)
    assert (edited.points, edited.embedded, edited.published, model.embedded) == (3, 1, True, 1)
    assert {payload["text"]: payload["line"] for payload in stored(server).values()} == {
        "Of stars.": 1,
        "Of ships.": 2,
        "Of bread.": 3,
    }
    assert len(before & set(stored(server))) == 2
    assert [path.rpartition("/")[2] for _, path in writes(server)] == ["batch", "points", "delete", "notes"]


async def test_other_roots_and_unread_sources_are_kept(server: QdrantServer, notes: ServerCollection) -> None:
    await publish_passages(notes, texts("bread") + texts("lost", source="notes/b.md"), FakeEmbedder(), roots=ROOTS)
    more = texts("more", source="more.md")
    assert (await publish_passages(notes, more, FakeEmbedder(), roots={"more.md": Path("/more.md")})).points == 3
    unread = await publish_passages(notes, texts("boats"), FakeEmbedder(), roots=ROOTS, unread=["notes/b.md"])
    assert (unread.points, unread.embedded) == (3, 1)
    assert sorted(p["text"] for p in stored(server).values()) == ["Of boats.", "Of lost.", "Of more."]
    server.requests.clear()
    with pytest.raises(IngestError, match=r"/more\.md, and /m would take its place"):
        await publish_passages(notes, more, FakeEmbedder(), roots={"more.md": Path("/m")})
    with pytest.raises(ModelMismatchError, match="'fake', and EMBEDDING_MODEL is 'other' now"):
        await publish_passages(notes, more, FakeEmbedder("other"), roots=ROOTS)
    with pytest.raises(IngestError, match="nothing to index"):
        await publish_passages(notes, [], FakeEmbedder(), roots=ROOTS, replace=True)
    assert writes(server) == []
    replaced = await publish_passages(notes, more, FakeEmbedder(), roots={"more.md": Path("/m")}, replace=True)
    assert (replaced.points, replaced.embedded) == (1, 0)
    assert (origin := await notes.origin())
    assert origin.roots == {"more.md": "/m"}
    emptied = await publish_passages(notes, texts("x"), FakeEmbedder(), roots=ROOTS)
    assert emptied.points == 2
    assert (await publish_passages(notes, [], FakeEmbedder(), roots=ROOTS)).points == 1


async def test_replacing_may_change_the_model(notes: ServerCollection) -> None:
    await publish_passages(notes, texts("bread", "boats"), FakeEmbedder(), roots=ROOTS)
    built = await publish_passages(notes, texts("bread"), FakeEmbedder("other", 16), roots=ROOTS, replace=True)
    assert (built.points, built.embedded) == (1, 1)
    assert (origin := await notes.origin())
    assert (origin.model, origin.dim) == ("other", 16)


async def test_no_collection_is_created_without_passages(server: QdrantServer, notes: ServerCollection) -> None:
    with pytest.raises(IngestError, match="nothing to index"):
        await publish_passages(notes, [], FakeEmbedder(), roots=ROOTS)
    assert writes(server) == []


async def test_a_foreign_collection_is_never_written(server: QdrantServer, notes: ServerCollection) -> None:
    server.store.create_collection("notes", models.VectorParams(size=8, distance=models.Distance.COSINE))
    for overwrite in (False, True):
        with pytest.raises(CollectionError, match=r"Warmer did not make it.* Choose another name"):
            await publish_passages(notes, texts("bread"), FakeEmbedder(), roots=ROOTS, replace=overwrite)
    assert writes(server) == []


async def test_the_error_for_a_read_only_key_does_not_show_it() -> None:
    with QdrantServer(api_key="all", read_only_key="look-only") as server:
        remote = connect(Connection(server.url, api_key="look-only"))
        with pytest.raises(EngineError, match="does not allow this") as refused:
            await publish_passages(ServerCollection(remote, "notes"), texts("bread"), FakeEmbedder(), roots=ROOTS)
        assert "look-only" not in str(refused.value)
        await remote.close()


async def test_a_server_without_collection_metadata_is_rejected() -> None:
    with QdrantServer(version="1.15.4") as server:
        remote = connect(Connection(server.url))
        with pytest.raises(EngineError, match=r"version 1\.15.* 1\.16 or newer"):
            await publish_passages(ServerCollection(remote, "notes"), texts("bread"), FakeEmbedder(), roots=ROOTS)
        await remote.close()


async def test_an_interrupted_run_is_resumed(server: QdrantServer, notes: ServerCollection) -> None:
    passages = texts(*map(str, range(1000)))
    server.fail(status=400, times=10, when=(dying := AfterFirst()))
    with pytest.raises(EngineError, match="writing 'notes'"):
        await publish_passages(notes, passages, FakeEmbedder(), roots=ROOTS)
    assert (origin := await notes.origin())
    assert origin.roots == {"notes": "/notes"}
    dying.over = True
    arrived = len(stored(server))
    assert 0 < arrived < 1000
    done: list[int] = []
    built = await publish_passages(
        notes, passages, model := FakeEmbedder(), roots=ROOTS, progress=lambda n, _: done.append(n)
    )
    assert (built.points, built.embedded, model.embedded) == (1000, 1000 - arrived, 1000 - arrived)
    assert sum(done) == 1000


@pytest.mark.parametrize("what", ["/points", "/points/delete", "/points/batch", "/points/scroll"])
async def test_transient_failures_are_retried(what: str, server: QdrantServer, remote: Remote) -> None:
    patient = ServerCollection(remote, "notes", pauses=(0, 0))
    await publish_passages(patient, texts("bread", "boats"), FakeEmbedder(), roots=ROOTS)
    server.fail(status=503, times=4, when=lambda _, path: path.endswith(what))
    built = await publish_passages(patient, texts("new", "bread"), FakeEmbedder(), roots=ROOTS)
    assert (built.points, built.embedded) == (2, 1)
    assert len(stored(server)) == 2


async def test_a_long_retry_after_is_an_error() -> None:
    asked = []

    async def refused() -> None:
        asked.append(1)
        raise ServerError("slow down", 429, retry_after=86_400)

    with pytest.raises(ServerError):
        await with_retries(refused, (0, 0))
    assert asked == [1]


async def test_batches_in_flight_are_limited() -> None:
    begun, arrived, put = 0, 0, 0
    go = anyio.Event()

    async def send(_: object) -> None:
        nonlocal begun, arrived
        begun += 1
        await go.wait()
        arrived += 1

    async def fill() -> None:
        nonlocal put
        async with uploading(send) as upload:
            for _ in range(10):
                put += 1
                await upload.put([])

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(fill)
        await anyio.wait_all_tasks_blocked()
        assert (begun, put) == (IN_FLIGHT, IN_FLIGHT + 1)
        go.set()
    assert arrived == 10


async def test_batches_are_limited_by_count_and_bytes() -> None:
    vector = np.ones(8, np.float32)
    small = make_point("1", {"title": "", "text": "short"}, vector)
    large = make_point("2", {"title": "", "text": "long " * 1000}, vector)
    cut = [len(batch) for batch in in_batches([small] * 5 + [large] * 2 + [small], count=2, size=4000)]
    assert cut == [2, 2, 1, 1, 1, 1]
    assert list(in_batches([])) == []


async def test_a_title_that_became_text_keeps_its_vector(server: QdrantServer, notes: ServerCollection) -> None:
    titled = Passage("Knead.", "Bread", "notes/a.md", 1)
    plain = replace(titled, title="", text="Bread\nKnead.")
    await publish_passages(notes, [titled], FakeEmbedder(), roots=ROOTS)
    built = await publish_passages(notes, [plain], FakeEmbedder(), roots=ROOTS)
    assert (built.embedded, built.published) == (0, True)
    assert [p["text"] for p in stored(server).values()] == ["Bread\nKnead."]


async def test_a_changed_link_is_written_without_embedding(server: QdrantServer, notes: ServerCollection) -> None:
    for url in ("https://h/main#L1", "https://h/other#L1", ""):
        fake, passage = FakeEmbedder(), replace(texts("bread")[0], url=url)
        built = await publish_passages(notes, [passage], fake, roots=ROOTS)
        assert built.published
        assert fake.embedded == (url == "https://h/main#L1")
        assert [payload.get("url", "") for payload in stored(server).values()] == [url]
    assert not (await publish_passages(notes, [passage], fake, roots=ROOTS)).published


async def test_a_key_that_could_not_finish_writes_nothing(server: QdrantServer, notes: ServerCollection) -> None:
    await publish_passages(notes, texts("bread"), FakeEmbedder(), roots=ROOTS)
    before = stored(server)
    refusal = '{"status": {"error": "Forbidden: Global access is required"}}'
    server.fail(status=403, body=refusal, times=9, when=lambda method, _: method == "PATCH")
    fresh = ServerCollection(notes._remote, "notes", pauses=())
    with pytest.raises(EngineError, match=r"may not index 'notes'.*nothing was written"):
        await publish_passages(fresh, texts("bread", "boats"), FakeEmbedder(), roots=ROOTS)
    assert stored(server) == before
    assert (await publish_passages(fresh, texts("bread"), FakeEmbedder(), roots=ROOTS)).published is False


async def test_requests_keep_within_the_limits_of_strict_mode(server: QdrantServer, remote: Remote) -> None:
    names = [f"n{n}" for n in range(40)]
    await publish_passages(ServerCollection(remote, "notes", pauses=()), texts("a"), FakeEmbedder(), roots=ROOTS)
    server.api.strict["notes"] = models.StrictModeConfigOutput(
        enabled=True, max_query_limit=7, upsert_max_batchsize=3, search_allow_exact=False, read_rate_limit=16
    )
    notes = ServerCollection(remote, "notes", pauses=())
    assert (await publish_passages(notes, texts(*names), FakeEmbedder(), roots=ROOTS)).embedded == len(names)
    assert {passage["text"] for passage in stored(server).values()} == {f"Of {name}." for name in names}
    source = await open_source(remote, "notes", Options(), "fake")
    assert await source.count() == len(names)
    assert sum([len(page) async for page in source.pages()]) == len(names)
