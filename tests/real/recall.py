"""Recall and the server's time of feedback, by kind of vectors, beside a plain nearest query."""

from collections.abc import Iterator, Sequence
from statistics import median
from typing import Any

import anyio
import httpx
import numpy as np
from qdrant_client import AsyncQdrantClient, models

from real import Result
from real.nodes import Node
from warmer.index import Coefficients, DenseQuery, FeedbackItem
from warmer.index.formula import steps
from warmer.index.remote.client import Remote
from warmer.index.remote.engine import QdrantIndex
from warmer.index.remote.faults import Place
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
    said: list[float] = []  # milliseconds that the server says it took for a query
    remote = _timed(node, said)
    name = f"recall-{kind.lower()}"
    await _fill(remote, name, distance, quantization, points)
    index, results = QdrantIndex(remote, name), []
    times: dict[int, float] = {}
    for scored in (0, 5, 15):
        recalls = []
        said.clear()
        for query in queries:
            asked, seen, truth = _case(query, points, distance, scored)
            found = await index.candidates(asked, depth=100, without=[str(n) for n in seen])
            best = [found.ids[n] for n in np.argsort(-found.dense)[:10]]
            recalls.append(len(set(best) & {str(n) for n in truth}) / 10)
        mean = float(np.mean(recalls))
        wanted = dict(zip((5, 15), _TO_REACH.get(kind, ()), strict=False)).get(scored)
        times[scored] = median(said)
        shown = f"recall@10 {mean:.3f}, worst {min(recalls):.1f}, {times[scored]:.2f} ms"
        if scored:
            shown += f", {times[scored] / times[0]:.1f} times a nearest query"
        results.append(Result(f"{kind}, {scored} scores", shown, None if wanted is None else mean >= wanted))
    if quantization:
        results.append(await _as_stored(remote, name, kind, points, queries))
    await remote.call(lambda client: client.delete_collection(name), what="deleting")
    await remote.close()
    return results


async def _as_stored(remote: Remote, name: str, kind: str, points: Vector, queries: Vector) -> Result:
    """Say how far the stored codes alone lead, so that one sees how hard these points are."""
    codes = models.SearchParams(quantization=models.QuantizationSearchParams(rescore=False))
    recalls = []
    for query in queries:
        found = await remote.call(
            lambda client, query=query: client.query_points(name, query.tolist(), search_params=codes),  # type: ignore[misc]
            what="searching",
        )
        _, _, truth = _case(query, points, models.Distance.COSINE, 0)
        recalls.append(len({point.id for point in found.points} & set(truth)) / 10)
    return Result(f"{kind}, 0 scores, codes alone", f"recall@10 {np.mean(recalls):.3f}, worst {min(recalls):.1f}")


def _timed(node: Node, said: list[float]) -> Remote:
    """Connect by REST, whose answers say how long the server took."""

    async def note(response: httpx.Response) -> None:
        if "/points/query" in response.url.path:
            await response.aread()
            said.append(1000 * response.json()["time"])

    hooks = {"response": [note]}
    client = AsyncQdrantClient(node.url, timeout=120, check_compatibility=False, event_hooks=hooks)
    return Remote([client], Place(node.url), timeout=120)


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
