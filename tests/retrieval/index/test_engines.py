"""The same tests for every engine, with the one vector that a feedback query amounts to as the oracle."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
from anyio import run
from hypothesis import given, settings
from hypothesis import strategies as st
from qdrant_server import QdrantServer
from remote_engine import NO_SERVER, ReconnectingIndex, delete, make, real_server
from support import hybrid, near

from warmer.errors import FilterError
from warmer.index import Coefficients, CollectionInfo, DenseQuery, FeedbackItem, Hit, Index
from warmer.index.edge.engine import EdgeIndex
from warmer.index.edge.generations import Generations, Manifest
from warmer.index.edge.shards import shard_files
from warmer.index.remote.client import Connection, connect
from warmer.index.remote.engine import QdrantIndex
from warmer.index.remote.in_memory import MemoryIndex
from warmer.index.sampling import code_marks
from warmer.publishing.embedded.build import Stage, build_in_child
from warmer.steering.feedback import Example, equivalent_query
from warmer.steering.params import Params
from warmer.steering.ranking import nearest
from warmer.vectors import Vector

POINTS, DIM = 200, 8
LEGS = Params(neighbours=0.0)  # the two legs and nothing else
FIELDS = {"text": "string", "title": "string", "source": "string", "line": "integer"}
WORDS = ["amber", "birch", "cedar", "delta", "ember", "fjord", "grove"]
INFO = CollectionInfo("points", "1", "m", DIM, POINTS, FIELDS)
CODE = " = (); {} []"  # of three passages in four, and none of the first fifty
RNG = np.random.default_rng(7)
VECTORS = RNG.normal(size=(POINTS, DIM)).astype(np.float32)
IDS = [f"00000000-0000-4000-8000-{n:012d}" for n in range(POINTS)]
PAYLOADS = [
    {"text": f"{WORDS[n % 7]} {WORDS[n % 5]}" + CODE * (n >= 50), "title": "", "source": f"{n % 4}.md", "line": n}
    for n in range(POINTS)
]


def make_edge(folder: Path) -> Index:
    generations = Generations(folder / "points")
    with generations.writer() as ahead:
        stage = Stage(ahead)
        for id_, payload, vector in zip(IDS, PAYLOADS, VECTORS, strict=True):
            stage.add(id_, payload, vector)
        stage.close()
        build_in_child(ahead, DIM)
        Manifest("m", DIM, POINTS, FIELDS, "digest", "now", shard_files(ahead)).write(ahead)
        generations.publish(ahead)
    return EdgeIndex(generations)


async def make_memory(_: Path) -> Index:
    return await MemoryIndex.create(INFO, zip(IDS, VECTORS, PAYLOADS, strict=True))


@contextmanager
def serving(connection: Connection) -> Iterator[Index]:
    name = f"warmer-test-{uuid4().hex}"
    info = CollectionInfo(name, "1", "m", DIM, POINTS, FIELDS)
    make(connection, info, zip(IDS, VECTORS, PAYLOADS, strict=True))
    try:
        yield ReconnectingIndex(connection, name)
    finally:
        delete(connection, name)


@pytest.fixture(scope="module", params=["edge", "memory", "rest", "server"])
def index(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    folder = tmp_path_factory.mktemp("engines")
    match request.param:
        case "edge":
            yield make_edge(folder)
        case "memory":
            yield run(make_memory, folder)
        case "rest":
            with QdrantServer() as server:
                remote = connect(Connection(server.url))  # without connections that are kept: any loop may use it
                make(Connection(server.url), INFO, zip(IDS, VECTORS, PAYLOADS, strict=True))
                yield QdrantIndex(remote, "points")
                run(remote.close)
        case "server":
            if not (connection := real_server()):
                pytest.skip(NO_SERVER)
            with serving(connection) as index:
                yield index


def vectors(size: int = DIM) -> st.SearchStrategy[Vector]:
    return st.integers(0, 2**32 - 1).map(lambda seed: np.random.default_rng(seed).normal(size=size).astype(np.float32))


@st.composite
def steerings(draw: st.DrawFn) -> DenseQuery:
    """A query, and feedback on random points with random scores and coefficients."""
    query = draw(vectors())
    scored = draw(st.dictionaries(st.integers(0, POINTS - 1), st.integers(0, 10), min_size=1, max_size=8))
    items = [FeedbackItem(IDS[n], VECTORS[n], score / 10) for n, score in scored.items()]
    coefficients = Coefficients(draw(st.floats(0.1, 2)), draw(st.floats(0, 2)), draw(st.floats(0.05, 2)))
    return DenseQuery(
        query, [FeedbackItem(None, query, draw(st.sampled_from([0.05, 0.25, 0.45]))), *items], coefficients
    )


def expected(query: Vector, without: Sequence[str]) -> list[tuple[str, float]]:
    similarity = VECTORS / np.linalg.norm(VECTORS, axis=1, keepdims=True) @ query
    pairs = [(id_, float(score)) for id_, score in zip(IDS, similarity, strict=True) if id_ not in without]
    return sorted(pairs, key=lambda pair: -pair[1])


def assert_ranked(hits: list[Hit], oracle: list[tuple[str, float]]) -> None:
    """Scores agree, and so does the order wherever the oracle's scores are further apart than rounding."""
    truth = dict(oracle)
    assert [hit.score for hit in hits] == pytest.approx([truth[hit.id] for hit in hits], abs=1e-5)
    assert [hit.score for hit in hits] == pytest.approx([score for _, score in oracle[: len(hits)]], abs=1e-5)


@given(steerings(), st.integers(1, 30), st.booleans())
@settings(max_examples=150, deadline=None)
def test_feedback_ranks_as_the_equivalent_query(index: Index, steering: DenseQuery, limit: int, exclude: bool) -> None:
    without = [item.id for item in steering.items if item.id and exclude]

    async def ask() -> list[Hit]:
        return await nearest(index, steering, limit, without=without)

    assert_ranked(run(ask), expected(equivalent_query(steering), without))


@given(vectors(), st.integers(1, 300), st.sets(st.sampled_from(IDS), max_size=5))
@settings(max_examples=50, deadline=None)
def test_search_ranks_by_cosine(index: Index, query: Vector, limit: int, without: set[str]) -> None:
    async def ask() -> list[Hit]:
        return await near(index, query, limit, without=list(without))

    hits = run(ask)
    assert len(hits) == min(limit, POINTS - len(without))
    assert_ranked(hits, expected(query / np.linalg.norm(query), list(without)))


@pytest.mark.anyio
async def test_how_much_is_code_is_told_from_as_many_passages(index: Index) -> None:
    texts = [str(payload["text"]) for payload in PAYLOADS]
    assert (await index.info()).code == code_marks(texts) > 1
    assert code_marks(texts[:50]) == 0


@pytest.mark.anyio
async def test_words_bring_up_what_the_vector_does_not(index: Index) -> None:
    query = VECTORS[0]
    dense = [hit.id for hit in await near(index, query, 10)]
    worded = await hybrid(index, query, "fjord grove", 10, params=LEGS)
    assert any({"fjord", "grove"} & set(hit.payload["text"].split()) and hit.id not in dense for hit in worded)
    assert [hit.id for hit in await hybrid(index, query, "?!", 10, params=LEGS)] == dense


@pytest.mark.anyio
async def test_scored_points_stay_out_of_both_legs(index: Index) -> None:
    query = VECTORS[0]
    first = await hybrid(index, query, "fjord", 20)
    scored = [Example(hit.id, hit.vector, n / 20, hit.passage) for n, hit in enumerate(first)]
    seen = [hit.id for hit in first]
    second = await hybrid(index, query, "fjord", 20, scored=scored, without=seen)
    assert len(second) == 20
    assert not set(seen) & {hit.id for hit in second}
    again = await hybrid(index, query, "fjord", 20, scored=scored)
    assert set(seen) & {hit.id for hit in again}


@pytest.mark.anyio
async def test_a_filter_holds_for_both_legs(index: Index) -> None:
    where = {"must": [{"key": "source", "match": {"value": "2.md"}}], "must_not": [{"has_id": [IDS[2]]}]}
    scored = [Example(IDS[1], VECTORS[1], 1.0, "birch birch")]
    searched = await hybrid(index, VECTORS[0], "amber", 100, where=where)
    fed = await hybrid(index, VECTORS[0], "amber", 100, scored=scored, where=where)
    for hits in searched, fed:
        assert {hit.payload["source"] for hit in hits} == {"2.md"}
        assert len(hits) == POINTS // 4 - 1


@pytest.mark.anyio
async def test_a_field_that_is_not_there_is_named(index: Index) -> None:
    with pytest.raises(FilterError, match=r"sauce.*source"):
        await near(index, VECTORS[0], 3, where={"must": [{"key": "sauce", "match": {"value": "x"}}]})


@pytest.mark.anyio
async def test_retrieve_keeps_the_order_and_leaves_out_what_is_gone(index: Index) -> None:
    gone = "00000000-0000-4000-8000-999999999999"
    again = await index.retrieve([IDS[3], IDS[4]])
    hits = await index.retrieve([IDS[5], gone, IDS[3]])
    assert [hit.id for hit in again] == [IDS[3], IDS[4]]
    assert [hit.id for hit in hits] == [IDS[5], IDS[3]]
    assert hits[0].payload == PAYLOADS[5]
    assert hits[0].vector == pytest.approx(VECTORS[5] / np.linalg.norm(VECTORS[5]), abs=1e-6)


@pytest.mark.anyio
async def test_a_point_stands_between_its_neighbours_in_the_document(index: Index) -> None:
    def numbers(hits: list[Hit]) -> list[int]:
        return [int(hit.payload["line"]) for hit in hits]

    assert numbers(await index.around(IDS[41], 2)) == [33, 37, 41, 45, 49]
    assert numbers(await index.around(IDS[1], 1)) == [1, 5]
    assert numbers(await index.around(IDS[199], 1)) == [195, 199]
    late = {"must": [{"key": "line", "range": {"gte": 40}}]}
    assert numbers(await index.around(IDS[41], 2, where=late)) == [41, 45, 49]
    assert await index.around("00000000-0000-4000-8000-999999999999", 1) == []


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Index:
    return make_edge(tmp_path_factory.mktemp("edge"))


@given(vectors(), st.lists(st.sampled_from(WORDS), max_size=4).map(" ".join), st.integers(1, 40), st.booleans())
@settings(max_examples=30, deadline=None)
def test_every_engine_gives_the_same_hybrid_list(
    index: Index, edge: Index, query: Vector, text: str, limit: int, steered: bool
) -> None:
    scored = [Example(IDS[n], VECTORS[n], score, str(PAYLOADS[n]["text"])) for n, score in [(1, 0.9), (2, 0.0)]]
    seen = [one.id for one in scored] if steered else []
    # So few that all are candidates: which of equals are among the best hundred of a leg is the engine's choice.
    where = {"must": [{"key": "source", "match": {"any": ["1.md", "2.md"]}}]}

    async def ask(engine: Index) -> list[Hit]:
        return await hybrid(engine, query, text, limit, scored=scored if steered else (), where=where, without=seen)

    here, there = run(ask, index), run(ask, edge)
    assert [hit.score for hit in here] == pytest.approx([hit.score for hit in there], abs=1e-4)
    apart = np.diff([hit.score for hit in there], prepend=np.inf, append=-np.inf) < -1e-3
    for place, (one, other) in enumerate(zip(here, there, strict=True)):
        assert one.id == other.id or not (apart[place] and apart[place + 1])


@pytest.mark.anyio
async def test_equal_searches_give_one_list(index: Index) -> None:
    lists = {tuple(hit.id for hit in await hybrid(index, VECTORS[3], "amber fjord cedar", 30)) for _ in range(12)}
    assert len(lists) == 1


@pytest.mark.anyio
async def test_the_sample_holds_what_a_filter_lets_through(index: Index) -> None:
    assert sorted(one["line"] for one in await index.sample()) == list(range(POINTS))
    some = await index.sample(where={"must": [{"key": "source", "match": {"value": "2.md"}}]})
    assert {one["source"] for one in some} == {"2.md"}
    assert len(some) == POINTS // 4
