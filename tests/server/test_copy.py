"""`warmer copy` and `warmer index --url`, in this process."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from qdrant_client import models
from qdrant_server import QdrantServer
from support import Reference

from warmer.embedding import Embedder
from warmer.index import Coefficients, DenseQuery, FeedbackItem, Hit, Index
from warmer.index.edge.catalog import Catalog
from warmer.index.edge.engine import EdgeIndex
from warmer.index.remote.client import Connection, connect
from warmer.index.remote.engine import QdrantIndex
from warmer.publishing.server.collection import ServerCollection
from warmer.publishing.server.publish import publish_passages
from warmer.steering.feedback import Example
from warmer.steering.params import Params
from warmer.steering.ranking import nearest, rank
from warmer.steering.thread import compose
from warmer.steering.wording import Wording
from warmer_server.cli import main

WHERE = {"must": [{"key": "source", "match": {"value": "notes/space.md"}}, {"key": "line", "range": {"lt": 100}}]}

Warmer = Callable[..., str]


@pytest.fixture
def server() -> Iterator[QdrantServer]:
    with QdrantServer() as server:
        yield server


@pytest.fixture
def warmer(data_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Warmer:
    """Run a command and return its stderr, or its error message."""
    monkeypatch.setenv("WARMER_DATA_DIR", str(data_dir))
    monkeypatch.delenv("QDRANT_URL", raising=False)

    def run(*arguments: object) -> str:
        try:
            main([str(argument) for argument in arguments])
        except SystemExit as refused:
            assert str(refused).startswith("warmer: "), capsys.readouterr().err
            return str(refused)
        return capsys.readouterr().err

    return run


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "bread.md").write_text("# Bread\n\nKnead the dough.\n\n## Crust\n\nTrap the steam.\n")
    (folder / "boats.rst").write_text("Boats\n=====\n\nReef early.\n")
    return folder


@pytest.fixture
def ask(embedder: Embedder, reference: Reference) -> Callable[[Index], Any]:
    """Search an index in every way, and retrieve hits."""

    async def searches(index: Index) -> list[list[Hit]]:
        query = embedder.embed_query(reference.queries[0])
        first = await nearest(index, DenseQuery(query), 8)
        seeds, scores = first[:4], (1.0, 0.2, 0.0, 0.7)
        items = [FeedbackItem(hit.id, hit.vector, score) for hit, score in zip(seeds, scores, strict=True)]
        scored = [Example(hit.id, hit.vector, score, hit.passage) for hit, score in zip(seeds, scores, strict=True)]
        fed = DenseQuery(query, items, Coefficients(1, 1, 0.5))
        thread = compose([Wording("query", reference.queries[0], query)], Params(), scored)
        shown = [hit.id for hit in seeds]
        return [
            first,
            await nearest(index, DenseQuery(query), 8, where=WHERE),
            await nearest(index, fed, 8, without=shown),
            await rank(index, thread, 8, without=shown),
            await index.retrieve([hit.id for hit in first]),
        ]

    return searches


def assert_alike(found: list[list[Hit]], expected: list[list[Hit]]) -> None:
    for some, others in zip(found, expected, strict=True):
        assert [hit.id for hit in some] == [hit.id for hit in others]
        assert [hit.payload for hit in some] == [hit.payload for hit in others]
        np.testing.assert_allclose([hit.score for hit in some], [hit.score for hit in others], atol=1e-5)


@pytest.mark.anyio
async def test_a_round_trip_finds_the_same(
    server: QdrantServer,
    warmer: Warmer,
    data_dir: Path,
    ask: Callable[[Index], Any],
    embedder: Embedder,
    reference: Reference,
) -> None:
    before = await ask(EdgeIndex(Catalog(data_dir).generations("notes")))
    there = ("copy", "notes", "--from", "embedded", "--to", server.url)
    assert "notes: 36 passages copied" in await asyncio.to_thread(warmer, *there)
    remote = connect(Connection(server.url))
    assert_alike(await ask(QdrantIndex(remote, "notes")), before)
    collection = ServerCollection(remote, "notes")
    built = await publish_passages(collection, reference.passages, embedder, roots={"notes": Path("/notes")})
    assert (built.points, built.embedded, built.published) == (36, 0, False)
    back = ("copy", "notes", "--from", server.url, "--to", "embedded", "--as", "back")
    assert "back: 36 passages copied" in await asyncio.to_thread(warmer, *back)
    assert_alike(await ask(EdgeIndex(generations := Catalog(data_dir).generations("back"))), before)
    assert (manifest := generations.manifest())
    assert (manifest.model, manifest.roots) == (embedder.name, {"notes": "/notes"})
    assert "--as, or overwrite it with --replace" in await asyncio.to_thread(warmer, *back)
    assert "back: 36 passages copied" in await asyncio.to_thread(warmer, *back, "--replace")
    await remote.close()


def test_a_collection_is_overwritten_only_on_request(server: QdrantServer, warmer: Warmer) -> None:
    to_server = ("copy", "notes", "--from", "embedded", "--to", server.url)
    warmer(*to_server)
    server.store.upsert("notes", [models.PointStruct(id=1, vector={"dense": [1.0] * 384}, payload={})])
    assert "choose another name with --as, or overwrite" in warmer(*to_server)
    assert server.store.count("notes").count == 37
    assert "36 passages copied" in warmer(*to_server, "--replace")
    assert server.store.count("notes").count == 36
    server.store.create_collection("theirs", models.VectorParams(size=384, distance=models.Distance.COSINE))
    assert "Warmer did not make it" in warmer(*to_server, "--as", "theirs", "--replace")


def test_an_interrupted_copy_is_resumed(server: QdrantServer, warmer: Warmer) -> None:
    def upserts() -> list[Any]:
        found = [body for method, path, body in server.requests if method == "PUT" and path.endswith("/points")]
        server.requests.clear()
        return found

    to_server = ("copy", "notes", "--from", "embedded", "--to", server.url)
    server.fail(status=400, when=lambda method, path: method == "PUT" and path.endswith("/points"))
    assert "writing 'notes'" in warmer(*to_server)
    (lost,) = upserts()
    arrived = [models.PointStruct.model_validate(point) for point in lost["points"][:10]]
    server.store.upsert("notes", arrived)
    assert "36 passages copied" in warmer(*to_server)
    (rest,) = upserts()
    assert len(rest["points"]) == 26
    assert server.store.count("notes").count == 36
    assert "overwrite it with --replace" in warmer(*to_server)


def test_an_interrupted_copy_to_embedded_leaves_nothing(server: QdrantServer, warmer: Warmer, data_dir: Path) -> None:
    warmer("copy", "notes", "--from", "embedded", "--to", server.url)
    back = ("copy", "notes", "--from", server.url, "--to", "embedded", "--as", "back")
    server.fail(status=400, when=lambda _, path: path.endswith("/scroll"))
    assert "reading 'notes'" in warmer(*back)
    assert Catalog(data_dir).names() == ["notes"]
    assert "36 passages copied" in warmer(*back)


@pytest.mark.anyio
async def test_a_foreign_collection_is_copied_to_embedded(
    server: QdrantServer, warmer: Warmer, data_dir: Path, embedder: Embedder
) -> None:
    server.store.create_collection("theirs", models.VectorParams(size=384, distance=models.Distance.COSINE))
    said = ["Knead the dough.", "Reef early.", "", "Trap the steam."]
    payloads = [
        {"page_content": text, "meta": {"source": f"{n}.md", "loc": {"lines": {"from": n}}}}
        for n, text in enumerate(said)
    ]
    points = [
        models.PointStruct(id=str(UUID(int=n)), vector=(2 * embedder.embed_query(text)).tolist(), payload=payload)
        for n, (text, payload) in enumerate(zip(said, payloads, strict=True))
    ]
    server.store.upsert("theirs", points)
    copy = ("copy", "theirs", "--from", server.url, "--to", "embedded")
    assert "name it with --model" in await asyncio.to_thread(warmer, *copy)
    done = await asyncio.to_thread(warmer, *copy, "--model", embedder.name)
    assert "theirs: 3 passages copied" in done
    assert "left out: 1 without a text or a vector" in done
    index = EdgeIndex(Catalog(data_dir).generations("theirs"))
    thread = compose([Wording("query", "Reef early.", embedder.embed_query("Reef early."))], Params())
    (hit,) = await rank(index, thread, 1)
    left = {"meta": {"loc": {"lines": {"from": 1}}}, "chunk_index": 1}
    assert hit.payload == {"text": "Reef early.", "title": "", "source": "1.md", **left}
    assert (await index.retrieve([str(UUID(int=1))]))[0].payload == hit.payload


@pytest.mark.anyio
async def test_integer_ids_are_kept(server: QdrantServer, warmer: Warmer, data_dir: Path, embedder: Embedder) -> None:
    config = {"dense": models.VectorParams(size=384, distance=models.Distance.COSINE)}
    noted = {"warmer": {"model": embedder.name, "dim": 384, "roots": {}}}
    server.store.create_collection("theirs", config, metadata=noted)
    vector = {"dense": embedder.embed_query("Reef early.").tolist()}
    payload = {"text": "Reef early.", "title": "", "source": "a.md", "line": 1}
    server.store.upsert("theirs", [models.PointStruct(id=7, vector=vector, payload=payload)])
    there = ("copy", "theirs", "--from", server.url, "--to", "embedded")
    assert "theirs: 1 passages copied" in await asyncio.to_thread(warmer, *there)
    index = EdgeIndex(Catalog(data_dir).generations("theirs"))
    (hit,) = await nearest(index, DenseQuery(embedder.embed_query("Reef")), 5)
    assert (hit.id, hit.payload) == ("7", payload)
    back = ("copy", "theirs", "--from", "embedded", "--to", server.url, "--as", "back")
    assert "back: 1 passages copied" in await asyncio.to_thread(warmer, *back)
    assert [point.id for point in server.store.scroll("back")[0]] == [7]


def test_uncopyable_collections_are_refused(server: QdrantServer, warmer: Warmer) -> None:
    dot = models.VectorParams(size=4, distance=models.Distance.DOT)
    cosine = models.VectorParams(size=4, distance=models.Distance.COSINE)
    server.store.create_collection("dots", dot)
    assert "compares vectors by Dot" in warmer("copy", "dots", "--from", server.url, "--to", "embedded", "--model", "m")
    assert "'nothing'; there are: dots" in warmer("copy", "nothing", "--from", server.url, "--to", "embedded")
    assert "'nothing'; there are: notes" in warmer("copy", "nothing", "--from", "embedded", "--to", server.url)
    assert "must be 'embedded'" in warmer("copy", "notes", "--from", "embedded", "--to", "embedded")
    assert "must be 'embedded'" in warmer("copy", "notes", "--from", server.url, "--to", server.url)
    server.store.create_collection("empty", cosine)
    empty = warmer("copy", "empty", "--from", server.url, "--to", "embedded", "--model", "m")
    assert "collection 'empty' has no point with both" in empty
    noted = {"warmer": {"model": "one", "dim": 4, "roots": {}}}
    server.store.create_collection("one", {"dense": cosine}, metadata=noted)
    other = warmer("copy", "one", "--from", server.url, "--to", "embedded", "--model", "other")
    assert "are from 'one', not 'other'" in other


def test_passwords_are_hidden_and_empty_filters_refused(
    server: QdrantServer, warmer: Warmer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_password = server.url.replace("://", "://me:hush@")
    for places in (("embedded", with_password), (with_password, "embedded"), (with_password, with_password)):
        refused = warmer("copy", "notes", "--from", places[0], "--to", places[1])
        assert "hush" not in refused
    assert f"copied to {server.url}\n" in warmer("copy", "notes", "--from", "embedded", "--to", f"{server.url}/?k=hush")
    back = ("copy", "notes", "--from", server.url, "--to", "embedded", "--as", "back")
    for bad in "{}", '{"must": [{"key": 1}]}':
        monkeypatch.setenv("WARMER_FILTER", bad)
        assert "WARMER_FILTER: " in warmer(*back)


def test_metadata_of_another_shape(server: QdrantServer, warmer: Warmer) -> None:
    cosine = models.VectorParams(size=4, distance=models.Distance.COSINE)
    shapes: list[dict[str, Any]] = [{"warmer": "hi"}, {"warmer": {"roots": ["a"], "fields": ["a"]}}]
    for n, metadata in enumerate(shapes):
        server.store.create_collection(f"m{n}", cosine, metadata=metadata)
        point = models.PointStruct(id=1, vector=[1.0, 0, 0, 0], payload={"text": "Reef.", "title": None, "source": 7})
        server.store.upsert(f"m{n}", [point])
        copied = warmer("copy", f"m{n}", "--from", server.url, "--to", "embedded", "--model", "m")
        assert f"m{n}: 1 passages copied to embedded" in copied


def test_a_read_only_key_is_not_shown(warmer: Warmer, monkeypatch: pytest.MonkeyPatch) -> None:
    with QdrantServer(api_key="all", read_only_key="look-only") as server:
        monkeypatch.setenv("QDRANT_URL", server.url)
        monkeypatch.setenv("QDRANT_API_KEY", "look-only")
        refused = warmer("copy", "notes", "--from", "embedded", "--to", server.url)
        assert "does not allow this" in refused
        assert "look-only" not in refused
        monkeypatch.setenv("QDRANT_API_KEY", "all")
        assert "36 passages copied" in warmer("copy", "notes", "--from", "embedded", "--to", server.url)


def test_a_collection_on_a_server_is_updated(server: QdrantServer, warmer: Warmer, docs: Path) -> None:
    index = ("index", docs, "--collection", "mine", "--url", server.url)
    assert "mine: 3 passages, 2 files read, 3 embedded" in warmer(*index)
    (docs / "bread.md").write_text("# Bread\n\nBake the bread.\n")
    (docs / "boats.rst").write_bytes(b"\0\1")
    changed = warmer(*index)
    assert "mine: 2 passages, 1 file read, 1 embedded" in changed
    assert "that could not be read is kept." in changed
    assert "mine: 1 passages" in warmer(*index, "--replace")
    assert "nothing had changed" in warmer(*index)
    assert server.store.count("mine").count == 1
    assert "write it as http://" in warmer(*index[:4], "--url", "localhost:6333")


def test_an_absent_server_is_named(warmer: Warmer, docs: Path) -> None:
    with QdrantServer() as server:
        pass
    assert f"nothing answers at {server.url}" in warmer("index", docs, "--collection", "mine", "--url", server.url)


def test_index_and_delete_need_url_if_a_server_is_set(
    server: QdrantServer, warmer: Warmer, docs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QDRANT_URL", server.url)
    index = ("index", docs, "--collection", "mine")
    assert '--url "$QDRANT_URL" or --url embedded' in warmer(*index)
    assert "mine: 3 passages" in warmer(*index, "--url", "embedded")
    assert "embedded collections only: pass --url embedded" in warmer("delete", "mine")
    assert "mine: deleted" in warmer("delete", "mine", "--url", "embedded")
    assert server.requests == []
