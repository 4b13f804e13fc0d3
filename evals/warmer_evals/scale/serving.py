"""Query a collection, and measure latency, memory and recall."""

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time

import numpy as np

from warmer.index import DenseQuery, Hit, Index
from warmer.index.edge.catalog import Catalog
from warmer.steering.feedback import Example, equivalent_query
from warmer.steering.params import Params
from warmer.steering.ranking import nearest, rank
from warmer.steering.thread import compose
from warmer.steering.wording import Wording
from warmer.vectors import Vector
from warmer_evals.scale.building import DIM, collection_name, resident_bytes, vectors_file
from warmer_evals.scale.lookalike import Source

Figures = dict[str, float]

_TOP = 10
_SCORES = (5, 15)
_CHUNK = 20_000
_MB = 1e6


@dataclass(frozen=True, slots=True)
class _VectorQuery:
    """Rows that a vector query found, the vector whose nearest neighbours it asked for, and the rows it excluded."""

    found: set[int]
    vector: Vector
    without: list[int]


def measure(source: Source, work: Path, points: int, calls: int) -> Figures:
    """Open the collection and make `calls` real queries, each followed by feedback with five and fifteen random scores.

    All are made twice, since the first pass reads most of its data from the disk. All times but one are of the second
    pass.
    """
    before = resident_bytes()
    index = Catalog(work).open(collection_name(points))
    started = perf_counter()
    asyncio.run(index.info())
    opened = perf_counter() - started
    loaded = resident_bytes()
    first_pass, second_pass = _Timer(), _Timer()
    asyncio.run(_run_queries(index, source, first_pass, calls))
    vector_queries = asyncio.run(_run_queries(index, source, second_pass, calls))
    served = resident_bytes()
    recall = _recall(vectors_file(work, points), vector_queries)
    return {
        "open seconds": opened,
        "memory MB, own": (served[0] - before[0]) / _MB,
        "memory MB, own, when opened": (loaded[0] - before[0]) / _MB,
        "memory MB, mapped files": (served[1] - before[1]) / _MB,
        "search, vectors, at first, p50 ms": first_pass.figures()["search, vectors, p50 ms"],
        **second_pass.figures(),
        **{f"recall@{_TOP}, {what}": share for what, share in recall.items()},
    }


class _Timer:
    """Milliseconds of calls by name: wall clock and processor."""

    def __init__(self) -> None:
        self._calls: dict[str, list[tuple[float, float]]] = {}

    async def __call__(self, what: str, call: Awaitable[list[Hit]]) -> list[Hit]:
        started, worked = perf_counter(), process_time()
        hits = await call
        self._calls.setdefault(what, []).append((1000 * (perf_counter() - started), 1000 * (process_time() - worked)))
        return hits

    def figures(self) -> Figures:
        made = {}
        for what, calls in self._calls.items():
            clock, processor = np.array(calls).T
            made[f"{what}, p50 ms"], made[f"{what}, p95 ms"] = np.percentile(clock, [50, 95]).tolist()
            made[f"{what}, processor ms"] = float(np.median(processor))
        return made


async def _run_queries(index: Index, source: Source, timer: _Timer, calls: int) -> dict[str, list[_VectorQuery]]:
    rng = np.random.default_rng(1)
    vector_queries: dict[str, list[_VectorQuery]] = {}
    for n in rng.permutation(len(source.queries))[:calls]:
        vector, text = source.query_vectors[n], source.queries[n]
        plain = DenseQuery(vector)
        dense = await timer("search, vectors", nearest(index, plain, max(_SCORES)))
        vector_queries.setdefault("search", []).append(_VectorQuery(_rows(dense[:_TOP]), vector, []))
        wordings = [Wording("query", text, vector)]
        first = await timer("search, vectors and words", rank(index, compose(wordings, Params()), max(_SCORES)))
        for count in _SCORES:
            seen = first[:count]
            examples = [Example(hit.id, hit.vector, int(rng.integers(11)) / 10, hit.passage) for hit in seen]
            query, without = compose(wordings, Params(), examples), [hit.id for hit in seen]
            what = f"feedback, {count} scores"
            found = await timer(f"{what}, vectors", nearest(index, query.dense, _TOP, without=without))
            vector_queries.setdefault(what, []).append(_feedback_query(found, query.dense, seen))
            await timer(f"{what}, as served", rank(index, query, 5, without=without))
    return vector_queries


def _feedback_query(hits: Sequence[Hit], query: DenseQuery, seen: Sequence[Hit]) -> _VectorQuery:
    return _VectorQuery(_rows(hits), equivalent_query(query), sorted(_rows(seen)))


def _rows(hits: Sequence[Hit]) -> set[int]:
    return {int(str(hit.payload["source"]).removesuffix(".md")) for hit in hits}


def _recall(file: Path, vector_queries: dict[str, list[_VectorQuery]]) -> dict[str, float]:
    """Return recall against an exact search of all vectors, by kind of query."""
    vectors = np.memmap(file, np.float32, "r").reshape(-1, DIM)
    return {what: _recall_of(vectors, each) for what, each in vector_queries.items()}


def _recall_of(vectors: Vector, vector_queries: Sequence[_VectorQuery]) -> float:
    queries = np.stack([one.vector for one in vector_queries])
    best: list[list[tuple[float, int]]] = [[] for _ in vector_queries]
    for start in range(0, len(vectors), _CHUNK):
        similarity = queries @ vectors[start : start + _CHUNK].T
        for n, one in enumerate(vector_queries):
            for row in one.without:
                if 0 <= row - start < similarity.shape[1]:
                    similarity[n, row - start] = -np.inf
            top = np.argpartition(-similarity[n], min(_TOP, similarity.shape[1] - 1))[:_TOP]
            best[n] = sorted([*best[n], *((float(similarity[n, i]), start + int(i)) for i in top)])[-_TOP:]
    shares = [len(one.found & {row for _, row in top}) / _TOP for one, top in zip(vector_queries, best, strict=True)]
    return float(np.mean(shares))
