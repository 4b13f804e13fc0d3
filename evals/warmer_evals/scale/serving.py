"""Serves a collection, and says how long its queries take and how many of the nearest they find."""

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time

import numpy as np

from warmer.index import DenseQuery, Hit, Index
from warmer.index.edge.catalog import Catalog
from warmer.steering.feedback import Steering, equivalent_query, steer
from warmer.steering.params import Params
from warmer.steering.ranking import rank
from warmer.vectors import Vector
from warmer_evals.scale.building import DIM, name_of, resident, vectors_of
from warmer_evals.scale.lookalike import Real

Figures = dict[str, float]

_TOP = 10
_SCORES = (5, 15)
_CHUNK = 20_000
_MB = 1e6


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a query of vectors found, the vector whose nearest neighbours it asked for, and what was left out."""

    found: set[int]
    vector: Vector
    without: list[int]


def measure(source: Real, work: Path, points: int, calls: int) -> Figures:
    """Open the collection, and put `calls` real queries to it, each with five and with fifteen random scores.

    All are put twice: at first most of what they need is read from the disk. All times but one are of the second time.
    """
    before = resident()
    index = Catalog(work).open(name_of(points))
    begun = perf_counter()
    asyncio.run(index.info())
    opened = perf_counter() - begun
    loaded = resident()
    first, timed = _Timed(), _Timed()
    asyncio.run(_ask(index, source, first, calls))
    asked = asyncio.run(_ask(index, source, timed, calls))
    served = resident()
    nearest = _recall(vectors_of(work, points), asked)
    return {
        "open seconds": opened,
        "memory MB, own": (served[0] - before[0]) / _MB,
        "memory MB, own, when opened": (loaded[0] - before[0]) / _MB,
        "memory MB, mapped files": (served[1] - before[1]) / _MB,
        "search, vectors, at first, p50 ms": first.figures()["search, vectors, p50 ms"],
        **timed.figures(),
        **{f"recall@{_TOP}, {what}": share for what, share in nearest.items()},
    }


class _Timed:
    """Milliseconds of calls, by name: on the clock, and of the processor."""

    def __init__(self) -> None:
        self._calls: dict[str, list[tuple[float, float]]] = {}

    async def __call__(self, what: str, asked: Awaitable[list[Hit]]) -> list[Hit]:
        begun, worked = perf_counter(), process_time()
        hits = await asked
        self._calls.setdefault(what, []).append((1000 * (perf_counter() - begun), 1000 * (process_time() - worked)))
        return hits

    def figures(self) -> Figures:
        made = {}
        for what, calls in self._calls.items():
            clock, processor = np.array(calls).T
            made[f"{what}, p50 ms"], made[f"{what}, p95 ms"] = np.percentile(clock, [50, 95]).tolist()
            made[f"{what}, processor ms"] = float(np.median(processor))
        return made


async def _ask(index: Index, source: Real, timed: _Timed, calls: int) -> dict[str, list[_Asked]]:
    rng = np.random.default_rng(1)
    asked: dict[str, list[_Asked]] = {}
    for n in rng.permutation(len(source.queries))[:calls]:
        vector, text = source.query_vectors[n], source.queries[n]
        dense = await timed("search, vectors", index.search(vector, max(_SCORES)))
        asked.setdefault("search", []).append(_Asked(_rows(dense[:_TOP]), vector, []))
        first = await timed("search, vectors and words", index.search(vector, max(_SCORES), text=text))
        for count in _SCORES:
            seen = first[:count]
            scored = [(hit.id, hit.vector, int(rng.integers(11)) / 10) for hit in seen]
            if not (steering := steer(vector, scored, Params())):
                continue
            texts, without = {hit.id: hit.passage for hit in seen}, [hit.id for hit in seen]
            query = DenseQuery(vector, steering.items, steering.coefficients)
            what = f"feedback, {count} scores"
            found = await timed(f"{what}, vectors", rank(index, query, _TOP, without=without))
            asked.setdefault(what, []).append(_asked(found, vector, steering, seen))
            lexical, share, near = steering.lexical(text, texts), steering.share, steering.neighbours
            again = rank(index, query, 5, lexical=lexical, share=share, neighbours=near, without=without)
            await timed(f"{what}, as served", again)
    return asked


def _asked(hits: Sequence[Hit], vector: Vector, steering: Steering, seen: Sequence[Hit]) -> _Asked:
    return _Asked(_rows(hits), equivalent_query(vector, steering), sorted(_rows(seen)))


def _rows(hits: Sequence[Hit]) -> set[int]:
    return {int(str(hit.payload["source"]).removesuffix(".md")) for hit in hits}


def _recall(file: Path, asked: dict[str, list[_Asked]]) -> dict[str, float]:
    """Compare with the nearest of all vectors."""
    vectors = np.memmap(file, np.float32, "r").reshape(-1, DIM)
    return {what: _share(vectors, each) for what, each in asked.items()}


def _share(vectors: Vector, asked: Sequence[_Asked]) -> float:
    queries = np.stack([one.vector for one in asked])
    best: list[list[tuple[float, int]]] = [[] for _ in asked]
    for begin in range(0, len(vectors), _CHUNK):
        similarity = queries @ vectors[begin : begin + _CHUNK].T
        for n, one in enumerate(asked):
            for row in one.without:
                if 0 <= row - begin < similarity.shape[1]:
                    similarity[n, row - begin] = -np.inf
            top = np.argpartition(-similarity[n], min(_TOP, similarity.shape[1] - 1))[:_TOP]
            best[n] = sorted([*best[n], *((float(similarity[n, i]), begin + int(i)) for i in top)])[-_TOP:]
    shares = [len(one.found & {row for _, row in top}) / _TOP for one, top in zip(asked, best, strict=True)]
    return float(np.mean(shares))
