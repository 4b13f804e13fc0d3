"""A collection large enough for a graph: what its walk finds, beside what is nearest."""

from collections.abc import Iterator

import numpy as np
import pytest
from support import feedback_query, near

from warmer.index import Hit
from warmer.index.edge.engine import EdgeIndex
from warmer.index.edge.generations import Generations, Manifest
from warmer.index.edge.shards import load, shard_files
from warmer.publishing.embedded.build import Stage, build_in_child
from warmer.steering.feedback import equivalent_query
from warmer.steering.ranking import nearest

POINTS, DIM = 5200, 1024  # two segments of 10.6 MB of vectors: Edge makes no graph below 10
CLUSTERS, NOISE = 325, 0.03  # sixteen near copies of each other, as versions of a document are
QUERIES, SEEN, TOP = 40, 15, 10
RNG = np.random.default_rng(3)
CENTRES = RNG.normal(size=(CLUSTERS, DIM))
VECTORS = (CENTRES[RNG.integers(CLUSTERS, size=POINTS)] + NOISE * RNG.normal(size=(POINTS, DIM))).astype(np.float32)
VECTORS /= np.linalg.norm(VECTORS, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def generations(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Generations]:
    generations = Generations(tmp_path_factory.mktemp("recall") / "points")
    with generations.writer() as ahead:
        stage = Stage(ahead)
        for n, vector in enumerate(VECTORS):
            stage.add(str(n), {"text": f"word{n % 9}", "title": ""}, vector)
        stage.close()
        build_in_child(ahead, DIM, segment=POINTS // 2)
        Manifest("m", DIM, POINTS, {"text": "string"}, "digest", "now", shard_files(ahead)).write(ahead)
        generations.publish(ahead)
    yield generations


def test_each_segment_has_a_graph_and_bytes_to_walk_it_by(generations: Generations) -> None:
    _, shard = load(generations.path(str(generations.current())))
    info = shard.info()
    assert info.segments_count == 2 + 1  # one for points to come
    assert (info.points_count, info.indexed_vectors_count) == (POINTS, 2 * POINTS)  # vectors and words
    assert len(list(generations.folder.rglob("graph.bin"))) == 2
    assert len(list(generations.folder.rglob("quantized.data"))) == 2


@pytest.mark.anyio
async def test_feedback_finds_the_nearest_though_those_around_the_query_stay_out(generations: Generations) -> None:
    index, shares = EdgeIndex(generations), []
    for _ in range(QUERIES):
        query = (CENTRES[RNG.integers(CLUSTERS)] + NOISE * RNG.normal(size=DIM)).astype(np.float32)
        first = await near(index, query, SEEN)
        steering = feedback_query(query, [(hit.id, hit.vector, int(RNG.integers(11)) / 10) for hit in first])
        seen = [hit.id for hit in first]
        hits = await nearest(index, steering, TOP, without=seen)
        similarity = VECTORS @ equivalent_query(steering)
        similarity[[int(id_) for id_ in seen]] = -np.inf
        best = {str(n) for n in np.argsort(-similarity)[:TOP]}
        shares.append(len(best & ids(hits)) / TOP)
    assert np.mean(shares) >= 0.98


@pytest.mark.anyio
async def test_a_filter_that_hides_most_points_leaves_the_nearest(generations: Generations) -> None:
    index = EdgeIndex(generations)
    where = {"must": [{"key": "text", "match": {"value": "word4"}}]}
    hits = await near(index, VECTORS[0], TOP, where=where)
    similarity = VECTORS @ VECTORS[0]
    similarity[np.arange(POINTS) % 9 != 4] = -np.inf
    assert ids(hits) == {str(n) for n in np.argsort(-similarity)[:TOP]}


def ids(hits: list[Hit]) -> set[str]:
    return {hit.id for hit in hits}
