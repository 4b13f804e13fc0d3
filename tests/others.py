"""Collections as others make them, on the stand-in for a server."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from qdrant_client import models
from qdrant_server import QdrantServer
from support import feedback_query

from warmer.index import DenseQuery, Hit
from warmer.steering.feedback import Example
from warmer.vectors import QueryVector

POINTS, DIM = 60, 6
VECTORS = np.random.default_rng(3).normal(size=(POINTS, DIM)).astype(np.float32)
UUID = "5c56c793-69f3-4fbf-87e6-c4bf54c28c26"
IDS: list[int | str] = [UUID, *range(1, POINTS)]
COSINE, DOT = models.Distance.COSINE, models.Distance.DOT
EUCLID, MANHATTAN = models.Distance.EUCLID, models.Distance.MANHATTAN
QUERY = VECTORS[7] + VECTORS[8]
SCORED = [(str(IDS[n]), VECTORS[n], score) for n, score in [(0, 1.0), (7, 0.1), (8, 0.9), (9, 0.0)]]
EXAMPLES = [Example(*scored) for scored in SCORED]
SEEN = [id_ for id_, _, _ in SCORED]
DOCS = "docs"


def steered(query: QueryVector = QUERY) -> DenseQuery:
    return feedback_query(query, SCORED)


def vector_of(text: str, _: str = "") -> list[float]:
    vector: list[float] = (VECTORS[len(text) % POINTS] * 2).tolist()
    return vector


def store(  # a collection as others make them, with the first vector of `vectors` under the points
    server: QdrantServer,
    vectors: models.VectorParams | Mapping[str, models.VectorParams],
    *,
    name: str = DOCS,
    sparse: bool = False,
    metadata: dict[str, Any] | None = None,
    payload: Any = lambda n: {"page_content": f"text {n}", "metadata": {"source": f"{n % 3}.md"}, "tenant": n % 2},
    points: int = POINTS,
) -> None:
    server.store.delete_collection(name)
    config = {"bm25": models.SparseVectorParams(modifier=models.Modifier.IDF)} if sparse else None
    server.store.create_collection(name, vectors, config, metadata=metadata)
    first = None if isinstance(vectors, models.VectorParams) else next(iter(vectors), None)
    for n in range(points):
        dense: Any = VECTORS[n].tolist() if isinstance(vectors, models.VectorParams) else {}
        if first:
            dense = {first: VECTORS[n].tolist()}
        server.store.upsert(name, [models.PointStruct(id=IDS[n], vector=dense, payload=payload(n))])


def params(distance: models.Distance = COSINE, **more: Any) -> models.VectorParams:
    return models.VectorParams(size=DIM, distance=distance, **more)


def ids(hits: list[Hit]) -> list[str]:
    return [hit.id for hit in hits]


def feedback_sent(server: QdrantServer) -> dict[str, Any]:
    """Give the last feedback query, alone or the first of a batch."""
    body = next(body for _, _, body in reversed(server.requests) if "relevance_feedback" in str(body))
    query: dict[str, Any] = body.get("searches", [body])[0]["query"]
    return query


def last_batch(server: QdrantServer) -> list[dict[str, Any]]:
    """Give the legs of the last retrieval."""
    legs: list[dict[str, Any]] = next(body for _, _, body in reversed(server.requests) if "searches" in str(body))[
        "searches"
    ]
    return legs
