"""The same calls over gRPC and over REST give the same."""

from collections.abc import AsyncIterator

import numpy as np
import pytest
from qdrant_client import QdrantClient, models
from qdrant_grpc import serving_grpc
from qdrant_server import QdrantServer
from support import feedback_query, hybrid, near

from warmer.errors import CollectionError
from warmer.index.remote.client import Connection, Remote, connect
from warmer.index.remote.engine import QdrantIndex
from warmer.index.remote.options import Options
from warmer.steering.feedback import Example
from warmer.steering.ranking import nearest

pytestmark = pytest.mark.anyio

POINTS, DIM = 40, 5
VECTORS = np.random.default_rng(11).normal(size=(POINTS, DIM)).astype(np.float32)
WHERE = {"must": [{"key": "n", "range": {"gte": 3}}], "must_not": [{"has_id": [9]}]}
UUID = "5c56c793-69f3-4fbf-87e6-c4bf54c28c26"
SEEN = ["1", "2", UUID]
WORDS = "text"


def fill(store: QdrantClient, name: str, *, named: bool) -> None:
    params = models.VectorParams(size=DIM, distance=models.Distance.COSINE)
    sparse = {"bm25": models.SparseVectorParams(modifier=models.Modifier.IDF)}
    if named:
        store.create_collection(name, {"dense": params}, sparse, metadata={"warmer": {"model": "m"}})
    else:
        store.create_collection(name, params)
    for n, vector in enumerate(VECTORS):
        dense: list[float] = vector.tolist()
        words = models.SparseVector(indices=[n % 3], values=[1.0])
        stored: models.VectorStruct = {"dense": dense, "bm25": words} if named else dense
        payload = {"text": f"text {n}", "n": n, "deep": {"list": [1, None, 2.5, True]}}
        store.upsert(name, [models.PointStruct(id=n or UUID, vector=stored, payload=payload)])


@pytest.fixture
async def both(anyio_backend: str) -> AsyncIterator[tuple[QdrantServer, list[Remote]]]:  # noqa: ARG001
    """One store behind REST alone, and behind gRPC too."""
    with QdrantServer() as server:
        fill(server.store, "named", named=True)
        fill(server.store, "bare", named=False)
        async with serving_grpc(server.store) as port:
            remotes = [connect(Connection(server.url)), connect(Connection(server.url, grpc_port=port))]
            yield server, remotes
            for remote in remotes:
                await remote.close()


@pytest.mark.parametrize("name", ["named", "bare"])
async def test_grpc_gives_what_rest_gives(both: tuple[QdrantServer, list[Remote]], name: str) -> None:
    server, remotes = both
    answers = []
    for remote in remotes:
        asked = len(server.requests)
        index = QdrantIndex(remote, name, Options(where={"must_not": [{"has_id": [30]}]}) if name == "bare" else None)
        scored = [(id_, VECTORS[int(id_) if id_.isdecimal() else 0], n / 3) for n, id_ in enumerate(SEEN)]
        steering = feedback_query(VECTORS[4], scored)
        examples = [Example(*one) for one in scored]
        answers.append([
            await near(index, VECTORS[4], 7, where=WHERE),
            await index.retrieve(["5", UUID, "77"]),
            await nearest(index, steering, 9, where=WHERE, without=SEEN),
            await hybrid(index, VECTORS[4], WORDS, 9, scored=examples, without=["1"]),
        ])  # fmt: skip
    assert len(server.requests) == asked, "gRPC was there, and REST was used"
    for over_rest, over_grpc in zip(*answers, strict=True):
        assert [hit.id for hit in over_rest] == [hit.id for hit in over_grpc]
        assert [hit.payload for hit in over_rest] == [hit.payload for hit in over_grpc]
        assert np.allclose([hit.score for hit in over_rest], [hit.score for hit in over_grpc], atol=1e-6)
        assert np.allclose([hit.vector for hit in over_rest], [hit.vector for hit in over_grpc], atol=1e-6)


async def test_grpc_errors_mean_the_same(both: tuple[QdrantServer, list[Remote]]) -> None:
    server, (_, remote) = both
    with pytest.raises(CollectionError, match="no collection 'no'; there are: bare, named"):
        await QdrantIndex(remote, "no").info()
    index = QdrantIndex(remote, "named")
    steering = feedback_query(VECTORS[4], [(UUID, VECTORS[0], 1.0), ("1", VECTORS[1], 0.0)])
    whole = await nearest(index, steering, 9, without=[UUID, "1"])
    server.store.delete("named", [UUID])
    assert [hit.id for hit in await nearest(index, steering, 9, without=[UUID, "1"])] == [hit.id for hit in whole]


async def test_rest_goes_on_where_grpc_goes_away() -> None:
    with QdrantServer() as server:
        fill(server.store, "named", named=True)
        async with serving_grpc(server.store) as port:
            remote = connect(Connection(server.url, grpc_port=port, pause=0.001))
            index = QdrantIndex(remote, "named")
            found = await near(index, VECTORS[4], 5)
            assert not server.requests
        assert [hit.id for hit in await near(index, VECTORS[4], 5)] == [hit.id for hit in found]
        assert server.requests
        await remote.close()
