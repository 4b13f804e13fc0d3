"""Recall and the server's time of feedback, by kind of vectors, beside a plain nearest query."""

from collections.abc import Iterator, Sequence
from time import perf_counter
from typing import Any

import anyio
import numpy as np
from qdrant_client import models

from real import Result
from real.nodes import Node
from warmer.index import Coefficients, DenseQuery, FeedbackItem
from warmer.index.formula import steps
from warmer.index.remote.client import Connection, Remote, connect
from warmer.index.remote.engine import QdrantIndex
from warmer.vectors import Vector

_POINTS, _DIM, _QUERIES, _BATCH = 20_000, 256, 40, 500
_TO_REACH = {"product": (0.99, 0.97), "binary": (0.95, 0.93), "Euclid": (0.97, 0.95)}
_KINDS: dict[str, tuple[models.Distance, Any]] = {
    "Cosine": (models.Distance.COSINE, None),
    "Euclid": (models.Distance.EUCLID, None),
    "Manhattan": (models.Distance.MANHATTAN, None),
    "int8": (
        models.Distance.COSINE,
        models.ScalarQuantization(scalar=models.ScalarQuantizationConfig(type=models.ScalarType.INT8, always_ram=True)),
    ),
    "product": (
        models.Distance.COSINE,
        models.ProductQuantization(product=models.ProductQuantizationConfig(compression=models.CompressionRatio.X16)),
    ),
    "binary": (models.Distance.COSINE, models.BinaryQuantization(binary=models.BinaryQuantizationConfig())),
}


def measure(node: Node) -> Iterator[Result]:
    """Measure each kind on a collection of its own."""
    points, queries = _data()
    for kind, (distance, quantization) in _KINDS.items():
        yield from anyio.run(_measure, node, kind, distance, quantization, points, queries)


async def _measure(
    node: Node, kind: str, distance: models.Distance, quantization: Any, points: Vector, queries: Vector
) -> list[Result]:
    remote = connect(Connection(node.url, grpc_port=node.grpc_port, timeout=120))
    name = f"recall-{kind.lower()}"
    await _fill(remote, name, distance, quantization, points)
    index, results = QdrantIndex(remote, name), []
    times: dict[int, float] = {}
    for scored in (0, 5, 15):
        recalls = []
        for query in queries:
            asked, seen, truth = _case(query, points, distance, scored)
            began = perf_counter()
            found = await index.candidates(asked, depth=100, without=[str(n) for n in seen])
            times[scored] = times.get(scored, 0.0) + perf_counter() - began
            best = [found.ids[n] for n in np.argsort(-found.dense)[:10]]
            recalls.append(len(set(best) & {str(n) for n in truth}) / 10)
        mean = float(np.mean(recalls))
        wanted = dict(zip((5, 15), _TO_REACH.get(kind, ()), strict=False)).get(scored)
        took = times[scored] / len(queries) * 1000
        said = f"recall@10 {mean:.3f}, worst {min(recalls):.1f}, {took:.1f} ms"
        if scored:
            said += f", {times[scored] / times[0]:.1f} times a nearest query"
        results.append(Result(f"{kind}, {scored} scores", said, None if wanted is None else mean >= wanted))
    await remote.call(lambda client: client.delete_collection(name), what="deleting")
    await remote.close()
    return results


async def _fill(remote: Remote, name: str, distance: models.Distance, quantization: Any, points: Vector) -> None:
    size = models.VectorParams(size=_DIM, distance=distance, quantization_config=quantization)
    indexed = models.OptimizersConfigDiff(indexing_threshold=1000, default_segment_number=1)
    await remote.call(
        lambda client: client.create_collection(name, size, optimizers_config=indexed), what="making", retry=False
    )
    for start in range(0, len(points), _BATCH):
        batch = [
            models.PointStruct(id=n, vector=points[n].tolist(), payload={"text": f"text {n}"})
            for n in range(start, start + _BATCH)
        ]
        await remote.call(lambda client, batch=batch: client.upsert(name, batch, wait=True), what="filling")  # type: ignore[misc]
    while True:
        info = await remote.call(lambda client: client.get_collection(name), what="waiting for")
        if info.status == models.CollectionStatus.GREEN and (info.indexed_vectors_count or 0) >= _POINTS * 0.9:
            return
        await anyio.sleep(0.5)


def _data() -> tuple[Vector, Vector]:
    """Make points in clusters, as embeddings lie, and queries from among them."""
    rng = np.random.default_rng(0)
    centres, spread = rng.normal(size=(200, 48)), rng.normal(size=(48, _DIM))

    def some(count: int) -> Vector:
        inner = (centres[rng.integers(0, 200, count)] + 0.9 * rng.normal(size=(count, 48))) @ spread / 7
        made: Vector = (inner + 0.3 * rng.normal(size=(count, _DIM))).astype(np.float32)
        return made

    return some(_POINTS), some(_QUERIES)


def _case(
    query: Vector, points: Vector, distance: models.Distance, scored: int
) -> tuple[DenseQuery, Sequence[int], Sequence[int]]:
    """Make a query whose nearest points were scored, and say what is best by the formula."""
    near = np.argsort(-_similar(points, query, distance))
    if not scored:
        return DenseQuery(query), [], near[:10].tolist()
    seen = near[:scored].tolist()
    given = np.random.default_rng(scored).integers(0, 11, scored) / 10
    items = [FeedbackItem(None, query, 0.3)]
    items += [FeedbackItem(str(n), points[n], float(score)) for n, score in zip(seen, given, strict=True)]
    by = Coefficients(1.0, 1.0, 1 / (scored + 1))
    if distance == models.Distance.COSINE:
        total = _similar(points, query, distance) + _unit(points) @ steps(items, by)
    else:
        scores = np.array([item.score for item in items])
        weights = by.c * (len(items) * scores - scores.sum())
        total = _similar(points, query, distance)
        for item, weight in zip(items, weights, strict=True):
            total = total + weight * _similar(points, np.asarray(item.vector), distance)
    total[seen] = -np.inf
    return DenseQuery(query, items, by), seen, np.argsort(-total)[:10].tolist()


def _similar(points: Vector, one: Vector, distance: models.Distance) -> Any:
    if distance == models.Distance.EUCLID:
        return -np.square(points - one).sum(axis=1)
    if distance == models.Distance.MANHATTAN:
        return -np.abs(points - one).sum(axis=1)
    return _unit(points) @ (one / np.linalg.norm(one))


def _unit(points: Vector) -> Vector:
    unit: Vector = points / np.linalg.norm(points, axis=1, keepdims=True)
    return unit
