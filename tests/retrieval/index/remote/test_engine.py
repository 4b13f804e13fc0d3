"""Collections that somebody else made, over REST: vectors, payloads, tenants, old servers, and what is refused."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from anyio import create_task_group
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from others import (
    COSINE,
    DIM,
    DOCS,
    DOT,
    EUCLID,
    EXAMPLES,
    IDS,
    MANHATTAN,
    POINTS,
    QUERY,
    SEEN,
    UUID,
    VECTORS,
    feedback_sent,
    ids,
    last_batch,
    params,
    steered,
    store,
    vector_of,
)
from qdrant_client import models
from qdrant_server import QdrantServer
from support import hybrid, near

from warmer.errors import CollectionError, EngineError, FilterError, ModelMismatchError
from warmer.index import Coefficients, DenseQuery, FeedbackItem, Hit
from warmer.index.formula import most_telling, steps
from warmer.index.remote.client import Connection, Remote, connect
from warmer.index.remote.engine import QdrantIndex
from warmer.index.remote.equivalent import equivalent
from warmer.index.remote.options import Options
from warmer.steering.feedback import equivalent_query
from warmer.steering.params import Params
from warmer.steering.ranking import nearest
from warmer.vectors import TextQuery, Vector

pytestmark = pytest.mark.anyio


def named(**options: str) -> Options:
    """Options that are set for DOCS alone."""
    return Options(by_collection={DOCS: options})


@pytest.fixture(scope="module")
def server() -> Iterator[QdrantServer]:
    with QdrantServer(inference=vector_of) as served:
        yield served


@pytest.fixture(scope="module")
def old_server() -> Iterator[QdrantServer]:
    with QdrantServer(version="1.16.3") as served:
        yield served


@pytest.fixture
async def old(old_server: QdrantServer, anyio_backend: str) -> AsyncIterator[Remote]:  # noqa: ARG001
    connected = connect(Connection(old_server.url, pause=0.001))
    yield connected
    await connected.close()


def naive(distance: models.Distance, steering: DenseQuery, query: Vector = QUERY) -> list[float]:
    """Qdrant's formula as it is written, on all points."""

    def similarity(one: Vector) -> Vector:
        found: Vector = VECTORS @ one
        if distance == EUCLID:
            found = -np.square(VECTORS - one).sum(axis=1)  # Qdrant takes the root only of what it returns
        elif distance == MANHATTAN:
            found = -np.abs(VECTORS - one).sum(axis=1)
        elif distance == COSINE:
            found = found / np.linalg.norm(VECTORS, axis=1) / np.linalg.norm(one)
        return found

    by = steering.coefficients
    total = by.a * similarity(query)
    for good in steering.items:
        for bad in steering.items:
            if good.score > bad.score:
                gap = similarity(np.asarray(good.vector)) - similarity(np.asarray(bad.vector))
                total = total + (good.score - bad.score) ** by.b * by.c * gap
    return [float(score) for score in total]


def by_the_formula(hits: list[Hit], steering: DenseQuery, distance: models.Distance, query: Vector = QUERY) -> None:
    """Hits are ranked by the formula; under Euclid, one pair of examples adds a constant to all scores."""
    truth = dict(zip(map(str, IDS), naive(distance, steering, query), strict=True))
    wanted = np.array([truth[hit.id] for hit in hits])
    assert list(wanted) == pytest.approx(sorted(wanted, reverse=True), abs=1e-3)
    apart = wanted - [hit.score for hit in hits]
    assert apart == pytest.approx(apart[0] if distance == EUCLID else 0, abs=1e-3)


@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize("distance", [COSINE, DOT, EUCLID, MANHATTAN])
async def test_feedback_is_the_formula_for_every_distance(
    server: QdrantServer, remote: Remote, distance: models.Distance, named: bool
) -> None:
    store(server, {"fast-x": params(distance)} if named else params(distance))
    index, steering = QdrantIndex(remote, DOCS), steered()
    hits = await nearest(index, steering, POINTS, without=SEEN)
    assert set(ids(hits)) == {str(id_) for id_ in IDS} - set(SEEN)
    by_the_formula(hits, steering, distance)
    shown = await nearest(index, steering, POINTS, without=[UUID, "8"])
    assert [hit.id for hit in shown if hit.id not in SEEN] == ids(hits)


@pytest.mark.parametrize("count", [2, 5, 30])
@pytest.mark.parametrize("distance", [COSINE, DOT, EUCLID, MANHATTAN])
async def test_examples_go_as_the_one_pair_that_ranks_alike_or_as_few(
    server: QdrantServer, remote: Remote, distance: models.Distance, count: int
) -> None:
    store(server, params(distance))
    items = [FeedbackItem(None, vector, n / count - 0.5) for n, vector in enumerate(VECTORS[:count])]
    query = DenseQuery(QUERY, items, Coefficients(1.0, 1.0, 1 / count))
    hits = await nearest(QdrantIndex(remote, DOCS), query, POINTS)
    if distance != MANHATTAN or count <= 20:
        by_the_formula(hits, query, distance)
    sent = feedback_sent(server)["relevance_feedback"]["feedback"]
    assert len(sent) == (min(count, 20) if distance == MANHATTAN else 2)


def test_examples_that_weigh_little_are_left_out() -> None:
    scores = [-0.1, 0.5, 0.0, -0.5, 0.01, 0.09]
    items = [FeedbackItem(str(n), VECTORS[n], score) for n, score in enumerate(scores)]
    fewer = most_telling(DenseQuery(QUERY, items, Coefficients(1.0, 1.0, 1 / 6)), 4)
    assert [item.id for item in fewer.items] == ["0", "1", "3", "5"]
    assert steps(fewer.items, fewer.coefficients) == pytest.approx(steps(items, Coefficients(1, 1, 1 / 6)), abs=0.02)


@given(seed=st.integers(0, 2**32 - 1), a=st.floats(0.05, 3), b=st.floats(0, 2), c=st.floats(0, 3))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.parametrize("distance", [COSINE, DOT, EUCLID])
async def test_the_equivalent_is_exact(distance: models.Distance, seed: int, a: float, b: float, c: float) -> None:
    rng = np.random.default_rng(seed)
    query = rng.normal(size=DIM).astype(np.float32)
    chosen = rng.choice(POINTS, 5, replace=False)
    items = [FeedbackItem(str(n), VECTORS[n], float(rng.integers(0, 11)) / 10) for n in chosen]
    steering = DenseQuery(query, items, Coefficients(a, b, c))
    moved = equivalent(distance, query, steering.items, steering.coefficients)
    unit = VECTORS / np.linalg.norm(VECTORS, axis=1, keepdims=True) if distance == COSINE else VECTORS
    scores = -a * np.square(unit - moved).sum(axis=1) if distance == EUCLID else unit @ moved
    apart = scores - naive(distance, steering, query)
    assert apart == pytest.approx(
        apart[0] if distance == EUCLID else 0, abs=1e-3 * max(1.0, float(np.abs(scores).max()))
    )
    if distance == COSINE:
        assert moved == pytest.approx(equivalent_query(steering), abs=1e-5)


@pytest.mark.parametrize("distance", [COSINE, DOT, EUCLID])
async def test_an_old_server_ranks_alike(
    server: QdrantServer, remote: Remote, old_server: QdrantServer, old: Remote, distance: models.Distance
) -> None:
    steering, ranked = steered(), []
    for served, connected in (server, remote), (old_server, old):
        store(served, params(distance), sparse=True)
        index = QdrantIndex(connected, DOCS)
        ranked.append(await nearest(index, steering, 20, without=SEEN))
    assert ids(ranked[0]) == ids(ranked[1])
    assert "feedback query" not in str((await QdrantIndex(remote, DOCS).info()).notes)
    assert "server 1.16 has no feedback query: its exact equivalent is used" in (await index.info()).notes


@pytest.mark.parametrize(("version", "asked"), [("1.17.0", True), ("1.15.5", False)])
async def test_the_walk_goes_on_over_what_stays_out_where_the_server_can(version: str, asked: bool) -> None:
    with QdrantServer(version=version) as served:
        store(served, params(COSINE))
        connected, steering = connect(Connection(served.url)), steered()
        index = QdrantIndex(connected, DOCS)
        hits = await nearest(index, steering, 9, without=SEEN)
        await connected.close()
        (sent,) = next(body["searches"] for _, _, body in served.requests if "searches" in str(body))
    assert len(hits) == 9
    acorn = (sent.get("params") or {}).get("acorn")
    assert acorn == ({"enable": True, "max_selectivity": 1.0} if asked else None)


async def test_what_an_old_server_cannot_do(old_server: QdrantServer, old: Remote) -> None:
    store(old_server, params(MANHATTAN))
    index, steering = QdrantIndex(old, DOCS), steered()
    assert await near(index, QUERY, 3)
    with pytest.raises(CollectionError, match=r"1\.16.*Manhattan distance.*upgrade Qdrant"):
        await nearest(index, steering, 3)
    assert "upgrade" in (await index.info()).notes[0]
    with pytest.raises(EngineError, match=r"1\.16.*'m'.*upgrade Qdrant"):
        await near(index, TextQuery("q", "m"), 3)


async def test_a_server_that_is_too_old() -> None:
    with QdrantServer(version="1.9.7") as served:
        store(served, params())
        remote = connect(Connection(served.url))
        with pytest.raises(EngineError, match=r"server 1\.9 is too old: upgrade Qdrant"):
            await QdrantIndex(remote, DOCS).info()
        await remote.close()


async def test_quantised_collections(server: QdrantServer, remote: Remote) -> None:
    scalar = models.ScalarQuantization(scalar=models.ScalarQuantizationConfig(type=models.ScalarType.INT8))
    store(server, {"only": params(COSINE, quantization_config=scalar)})
    index, steering = QdrantIndex(remote, DOCS), steered()
    assert len(await nearest(index, steering, 5, without=SEEN)) == 5


@pytest.mark.parametrize(
    ("names", "wanted", "found"),
    [
        (["x"], "", "x"),
        (["image", "dense"], "", "dense"),
        (["image", "default"], "", "default"),
        (["image", "fast-all-minilm-l6-v2"], "", "fast-all-minilm-l6-v2"),
        (["image", "x"], "x", "x"),
        (["colbert*", "x"], "", "x"),
    ],
)
async def test_the_dense_vector_is_found(
    server: QdrantServer, remote: Remote, names: list[str], wanted: str, found: str
) -> None:
    many = models.MultiVectorConfig(comparator=models.MultiVectorComparator.MAX_SIM)
    vectors = {
        name.strip("*"): params(multivector_config=many) if name.endswith("*") else params()
        for name in sorted(names, key=lambda name: name != found)
    }
    store(server, vectors)
    assert len(await near(QdrantIndex(remote, DOCS, Options(vector=wanted)), QUERY, 3)) == 3
    assert last_batch(server)[0]["using"] == found


@pytest.mark.parametrize(
    ("vectors", "options", "said"),
    [
        ({}, Options(), "only sparse vectors"),
        ({"c": params(multivector_config=models.MultiVectorConfig(comparator="max_sim"))}, Options(), "multivectors"),
        ({"a": params(), "b": params()}, Options(), "several dense vectors: a, b; name one of them in WARMER_VECTOR"),
        ({"fast-a": params(), "fast-b": params()}, Options(), "several dense vectors"),
        ({"a": params()}, named(vector="b"), "no dense vector 'b'; it has: a"),
        ({"a": params()}, named(lexical_vector="words"), "no sparse vector 'words'; it has: bm25"),
    ],
)
async def test_vectors_that_cannot_be_searched(
    server: QdrantServer, remote: Remote, vectors: dict[str, models.VectorParams], options: Options, said: str
) -> None:
    store(server, vectors, sparse=True, points=0)
    with pytest.raises(CollectionError, match=said):
        await near(QdrantIndex(remote, DOCS, options), QUERY, 3)


async def test_hits_are_what_tools_read(server: QdrantServer, remote: Remote) -> None:
    store(server, params())
    index = QdrantIndex(remote, DOCS)
    (hit,) = await near(index, VECTORS[0], 1)
    assert hit.id == UUID
    assert hit.payload == {
        "tenant": 0, "text": "text 0", "title": "", "source": "0.md"
    }  # fmt: skip
    assert hit.vector == pytest.approx(VECTORS[0] / np.linalg.norm(VECTORS[0]), abs=1e-6)
    assert ids(await index.retrieve(["9", UUID, "777"])) == ["9", UUID]
    assert await index.retrieve([]) == []
    configured = QdrantIndex(remote, DOCS, Options(text_field="metadata.source", title_field="page_content"))
    (hit,) = await near(configured, VECTORS[0], 1)
    assert (hit.payload["text"], hit.payload["title"]) == ("0.md", "text 0")


async def test_info_of_a_collection_of_somebody_else(server: QdrantServer, remote: Remote) -> None:
    store(server, params())
    info = await QdrantIndex(remote, DOCS).info()
    assert (info.name, info.dim, info.points, info.model, info.declared) == (DOCS, DIM, POINTS, "", False)
    assert info.fields == {
        "page_content": "string", "metadata.source": "string", "tenant": "integer", "source": "string", "text": "string"
    }  # fmt: skip
    assert info.lexical


@pytest.mark.parametrize(
    ("name", "metadata", "model"),
    [
        ("dense", {"warmer": {"model": "org/m"}}, "org/m"),
        ("fast-all-minilm-l6-v2", None, "sentence-transformers/all-MiniLM-L6-v2"),
        ("fast-bge-small-en", None, "BAAI/bge-small-en"),
        ("x", {"other": 1}, ""),
    ],
)
async def test_the_model_where_it_was_written_down(
    server: QdrantServer, remote: Remote, name: str, metadata: dict[str, Any] | None, model: str
) -> None:
    store(server, {name: params()}, metadata=metadata)
    info = await QdrantIndex(remote, DOCS).info()
    assert (info.model, info.declared) == (model, bool(model))


async def test_info_is_cheap_and_notices_changes(server: QdrantServer, remote: Remote) -> None:
    store(server, params())
    now = [0.0]
    index = QdrantIndex(remote, DOCS, clock=lambda: now[0])
    await index.info()
    before = len(server.requests)
    await index.info()
    await near(index, QUERY, 1)
    assert len(server.requests) == before + 2  # the query and its hits
    now[0] = 10
    await index.info()
    assert len(server.requests) == before + 3  # the same number of points: no look at the payloads
    server.store.delete(DOCS, [1])
    now[0] = 20
    assert (await index.info()).points == POINTS - 1


async def test_texts_that_come_later_are_noticed(server: QdrantServer, remote: Remote) -> None:
    store(server, params(), payload=lambda _: {"n": 1})
    now = [0.0]
    index = QdrantIndex(remote, DOCS, clock=lambda: now[0])
    with pytest.raises(CollectionError, match="no text"):
        await near(index, QUERY, 1)
    server.store.set_payload(DOCS, {"text": "now"}, [*IDS])
    now[0] = 10
    (hit,) = await near(index, QUERY, 1)
    assert hit.payload["text"] == "now"


async def test_a_server_that_was_upgraded_is_noticed(
    server: QdrantServer, remote: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(server, params())
    now = [0.0]
    index = QdrantIndex(remote, DOCS, clock=lambda: now[0])
    await remote.version()
    monkeypatch.setattr(remote, "_version", (1, 16))
    assert "1.16 has no feedback query" in (await index.info()).notes[0]
    monkeypatch.setattr(remote, "_version", (1, 19))
    now[0] = 10
    assert (await index.info()).notes[0] == "its payloads: text from 'page_content', source from 'metadata.source'"


@pytest.mark.parametrize("metadata", [{"warmer": "hi"}, {"warmer": ["a"]}, {"warmer": {"fields": ["a"]}}])
async def test_metadata_of_another_shape(server: QdrantServer, remote: Remote, metadata: dict[str, Any]) -> None:
    store(server, params(), metadata=metadata)
    where = {"must": [{"key": "tenant", "match": {"value": 1}}]}
    assert await near(QdrantIndex(remote, DOCS), QUERY, 1, where=where)


async def test_a_collection_that_was_deleted(server: QdrantServer, remote: Remote) -> None:
    store(server, params(), name="other")
    store(server, params())
    index = QdrantIndex(remote, DOCS)
    await index.info()
    server.store.delete_collection(DOCS)
    with pytest.raises(CollectionError, match="no collection 'docs'; there are: other"):
        await near(index, QUERY, 3)
    with pytest.raises(CollectionError, match="no collection 'docs'; there are: other"):
        await index.info()
    server.store.delete_collection("other")
    with pytest.raises(CollectionError, match="there is no collection that may be searched on http://127"):
        await index.info()


async def test_a_point_that_was_deleted_before_its_score_came(server: QdrantServer, remote: Remote) -> None:
    store(server, params())
    index, steering = QdrantIndex(remote, DOCS), steered()
    whole = await nearest(index, steering, 10, without=SEEN)
    server.store.delete(DOCS, [UUID, 9])
    assert ids(await nearest(index, steering, 10, without=SEEN)) == ids(whole)


async def test_a_query_of_another_model(server: QdrantServer, remote: Remote) -> None:
    store(server, params())
    index, steering = QdrantIndex(remote, DOCS), steered()
    with pytest.raises(ModelMismatchError, match=f"3 numbers.*{DIM}"):
        await near(index, VECTORS[0, :3], 3)
    with pytest.raises(ModelMismatchError, match=f"3 numbers.*{DIM}"):
        await nearest(index, replace(steering, vector=VECTORS[0, :3]), 3)


@pytest.mark.parametrize("payload", [{}, {"n": 1, "tags": ["a"]}])
async def test_payloads_without_text(server: QdrantServer, remote: Remote, payload: dict[str, Any]) -> None:
    store(server, params(), payload=lambda _: payload)
    fields = ", ".join(payload) or "none"
    with pytest.raises(
        CollectionError, match=f"no text in its payloads, whose fields are: {fields}. .*WARMER_TEXT_FIELD"
    ):
        await near(QdrantIndex(remote, DOCS), QUERY, 3)
    info = await QdrantIndex(remote, DOCS).info()
    assert info.points == POINTS
    assert info.notes == ("its payloads hold no text: set WARMER_TEXT_FIELD or WARMER_TEXTS",)
    (hit, *_) = await near(QdrantIndex(remote, DOCS, Options(text_elsewhere=True)), QUERY, 3)
    assert hit.payload == {**payload, "text": "", "title": "", "source": ""}


async def test_a_finder_of_texts_sees_every_field(server: QdrantServer, remote: Remote) -> None:
    store(server, params())
    (hit,) = await near(QdrantIndex(remote, DOCS, Options(text_elsewhere=True)), VECTORS[0], 1)
    assert (hit.payload["page_content"], hit.payload["metadata"]) == ("text 0", {"source": "0.md"})


async def test_a_text_field_that_is_not_there(server: QdrantServer, remote: Remote) -> None:
    store(server, params())
    with pytest.raises(
        CollectionError, match=r"no text at 'body\.text' in its payloads, whose fields are: page_content"
    ):
        await near(QdrantIndex(remote, DOCS, named(text_field="body.text")), QUERY, 3)


@pytest.mark.parametrize(
    ("setting", "value"), [("text_field", "body.text"), ("vector", "b"), ("lexical_vector", "words")]
)
async def test_what_is_set_for_all_is_left_aside_where_it_does_not_fit(
    server: QdrantServer, remote: Remote, setting: str, value: str
) -> None:
    store(server, {"a": params()})
    index = QdrantIndex(remote, DOCS, Options(**{setting: value}))  # type: ignore[arg-type]
    assert len(await near(index, QUERY, 3)) == 3
    assert f"WARMER_{setting.upper()}={value} is left aside" in str((await index.info()).notes)
    others = Options(by_collection={"other": {setting: value}})
    assert "left aside" not in str((await QdrantIndex(remote, DOCS, others).info()).notes)


async def test_the_dense_vector_of_the_models_length_is_taken(server: QdrantServer, remote: Remote) -> None:
    store(server, {"a": params(), "b": params()}, points=0)
    server.store.delete_collection(DOCS)
    size = models.VectorParams(size=DIM + 1, distance=COSINE)
    server.store.create_collection(DOCS, {"a": size, "b": params()})
    info = await QdrantIndex(remote, DOCS, Options(model_dim={DOCS: DIM}.__getitem__)).info()
    assert info.dim == DIM


async def test_an_empty_collection(server: QdrantServer, remote: Remote) -> None:
    store(server, params(), points=0)
    assert await near(QdrantIndex(remote, DOCS), QUERY, 3) == []


async def test_a_tenant_sees_nothing_of_others(server: QdrantServer, remote: Remote) -> None:
    store(server, {"dense": params()}, sparse=True, metadata={"warmer": {"model": "m"}})
    server.store.update_vectors(
        DOCS,
        [models.PointVectors(id=n, vector={"bm25": models.SparseVector(indices=[n], values=[1.0])}) for n in IDS[1:]],
    )
    where = {"must": [{"key": "tenant", "match": {"value": 1}}]}
    index, steering = QdrantIndex(remote, DOCS, Options(where=where)), steered()
    odd = {str(n) for n in range(1, POINTS, 2)}
    assert (await index.info()).points == len(odd)
    assert set(ids(await near(index, QUERY, 99))) == odd
    assert set(ids(await hybrid(index, QUERY, "text 4", 99, where={"must_not": [{"has_id": [1]}]}))) == odd - {"1"}
    assert ids(await index.retrieve(["3", "4", "5"])) == ["3", "5"]
    fed = await hybrid(index, QUERY, "text 4", 99, scored=EXAMPLES, without=SEEN)
    assert set(ids(await nearest(index, steering, 99, without=SEEN))) == odd - set(SEEN)
    assert set(ids(fed)) == odd - set(SEEN)
    with pytest.raises(FilterError):
        QdrantIndex(remote, DOCS, Options(where={"tenant": 1}))


async def test_filters_of_somebody_elses_collection(server: QdrantServer, remote: Remote) -> None:
    store(server, params())
    index = QdrantIndex(remote, DOCS)
    found = await near(index, QUERY, 99, where={"must": [{"key": "metadata.source", "match": {"value": "1.md"}}]})
    assert len(found) == POINTS // 3
    assert await near(index, QUERY, 99, where={"must": [{"key": "unseen", "match": {"value": 1}}]}) == []
    with pytest.raises(FilterError, match=r'Write for example \{"must": \[\{"key": "tenant", "match": \{"value": 1'):
        await near(index, QUERY, 3, where={"tenant": 1})


async def test_a_filter_that_the_server_refuses(server: QdrantServer, remote: Remote) -> None:
    store(server, params())
    index = QdrantIndex(remote, DOCS)
    refusal = '{"status": {"error": "Bad request: Index required but not found for \\"tenant\\""}, "time": 0}'
    server.fail(status=400, body=refusal, when=lambda _, path: path.endswith("/query/batch"))
    with pytest.raises(FilterError, match=r'refuses the query with this filter: .*Index required.*"tenant"'):
        await near(index, QUERY, 3, where={"must": [{"key": "tenant", "match": {"value": 1}}]})


async def test_words_where_warmer_made_the_sparse_vector(server: QdrantServer, remote: Remote) -> None:
    for metadata, options, used in [
        ({"warmer": {"model": "m"}}, Options(), True),
        (None, Options(), False),
        (None, Options(lexical_vector="bm25"), True),
    ]:
        store(server, {"dense": params()}, sparse=True, metadata=metadata)
        index = QdrantIndex(remote, DOCS, options)
        assert (await index.info()).lexical
        server.requests.clear()
        assert len(await hybrid(index, QUERY, "some words", 5)) == 5
        first = next(body for _, _, body in server.requests if "searches" in str(body))
        assert [leg["using"] for leg in first["searches"]] == (["dense", "bm25"] if used else ["dense"])


async def test_distances_are_fused_as_nearness(server: QdrantServer, remote: Remote) -> None:
    store(server, {"dense": params(EUCLID)}, sparse=True)
    index = QdrantIndex(remote, DOCS, Options(lexical_vector="bm25"))
    distances = np.linalg.norm(VECTORS - QUERY, axis=1)
    nearest_first = [str(IDS[n]) for n in np.argsort(distances)[:5]]
    assert ids(await near(index, QUERY, 5)) == nearest_first
    assert ids(await hybrid(index, QUERY, "words", 5, params=Params(neighbours=0))) == nearest_first


async def test_points_without_the_dense_vector_are_left_out(server: QdrantServer, remote: Remote) -> None:
    store(server, {"dense": params()}, sparse=True)
    server.store.upsert(DOCS, [models.PointStruct(id=500, vector={}, payload={"page_content": "bare"})])
    assert ids(await QdrantIndex(remote, DOCS).retrieve(["500", "9"])) == ["9"]


async def test_queries_that_the_server_embeds(server: QdrantServer, remote: Remote) -> None:
    store(server, params())
    index, query = QdrantIndex(remote, DOCS), TextQuery("seven", "cloud/model")
    vector = np.array(vector_of(query.text), dtype=np.float32)
    assert ids(await near(index, query, 9)) == ids(await near(index, vector, 9))
    ranked = await nearest(index, steered(vector), 9, without=SEEN)
    assert ids(ranked) == ids(await nearest(index, steered(query), 9, without=SEEN))
    body = feedback_sent(server)["relevance_feedback"]
    assert body["target"]["text"] == body["feedback"][0]["example"]["text"] == "seven"


async def test_a_server_without_inference() -> None:
    with QdrantServer() as served:
        store(served, params())
        remote = connect(Connection(served.url, pause=0.001))
        with pytest.raises(EngineError, match="InferenceService is not initialized"):
            await near(QdrantIndex(remote, DOCS), TextQuery("q", "m"), 3)
        await remote.close()


async def test_many_ask_at_once(server: QdrantServer, remote: Remote) -> None:
    store(server, params())
    index, found = QdrantIndex(remote, DOCS), []

    async def ask(n: int) -> None:
        found.append((str(IDS[n]), ids(await near(index, VECTORS[n], 1))))

    async with create_task_group() as group:
        for n in range(20):
            group.start_soon(ask, n)
    assert all([wanted] == got for wanted, got in found)
    assert len(found) == 20


async def test_nothing_is_ever_written() -> None:
    with QdrantServer(api_key="all", read_only_key="read") as served:
        store(served, {"dense": params()}, sparse=True, metadata={"warmer": {"model": "m"}})
        remote = connect(Connection(served.url, "read"))
        index, steering = QdrantIndex(remote, DOCS), steered()
        await hybrid(index, QUERY, "words", 3)
        await nearest(index, steering, 3, without=SEEN)
        await hybrid(index, QUERY, "words", 3, scored=EXAMPLES, without=SEEN)
        assert len(await index.retrieve(["3"])) == 1
        await remote.close()


def test_items_without_a_score_gap_do_not_move() -> None:
    items = [FeedbackItem(None, QUERY, 0.5), FeedbackItem("1", VECTORS[1], 0.5)]
    assert equivalent(DOT, QUERY, items, Coefficients(2, 0, 1)) == pytest.approx(2 * QUERY)
