"""An embedded collection on Qdrant Edge: the Rust segment engine inside this process."""

import struct
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from uuid import UUID

import numpy as np
import qdrant_edge as edge

from warmer.errors import CollectionError
from warmer.index import (
    CANDIDATES,
    DENSE,
    LEXICAL,
    Candidates,
    CollectionInfo,
    DenseQuery,
    Filter,
    Hit,
    joined,
    surroundings,
)
from warmer.index.edge.generations import Generations, Manifest
from warmer.index.edge.shards import load, readable
from warmer.index.filters import edge_filter
from warmer.index.formula import one_pair
from warmer.index.sampling import SAMPLE, code_marks
from warmer.index.ties import MARGIN, cut
from warmer.passage import native_id
from warmer.recent import Recent
from warmer.vectors import SparseVector, own_vector

_PointId = int | UUID | str  # as Edge takes it

_ATTEMPTS = 3
_KEPT = 1_024  # points of a generation that stay at hand: a thread comes back to the same ones, 4 MB
_NAMES = 1 << 14  # ids whose strings stay at hand, 2 MB
_SCANNED = 100_000  # points up to which the passages of a document are looked for: 0.2 s
# ACORN walks on over points that a filter hides. Without it what was seen, which lies around the query, is a hole in
# the graph, and the walk ends there. Twice as many as are asked for are found by bytes, and scored by their vectors.
_WALK = edge.SearchParams(
    hnsw_ef=512,
    acorn=edge.AcornSearchParams(enable=True, max_selectivity=1.0),
    quantization=edge.QuantizationSearchParams(rescore=True, oversampling=2.0),
)


@dataclass(frozen=True, slots=True)
class _Opened:
    generation: str
    manifest: Manifest
    shard: edge.EdgeShard
    hits: Recent[str, Hit] = field(default_factory=lambda: Recent(_KEPT))

    def retrieve(self, ids: Sequence[str]) -> list[Hit]:
        """Fetch points by id, those that were fetched before from memory: a generation never changes."""
        found = {id_: self.hits[id_] for id_ in ids if id_ in self.hits}
        missing: list[_PointId] = [native_id(id_) for id_ in ids if id_ not in found]
        if missing:
            found |= {hit.id: hit for hit in map(_hit, self.shard.retrieve(missing, True, [DENSE]))}
        self.hits.keep(found)
        return [found[id_] for id_ in ids if id_ in found]


class EdgeIndex:
    """Answers from the published generation and follows the pointer when a new one is published.

    Calls run in the caller's thread: Edge holds the GIL, so a thread would buy nothing.
    """

    def __init__(self, generations: Generations) -> None:
        self._generations = generations
        self._opened: _Opened | None = None
        self._codes: dict[str, float] = {}  # by generation

    async def info(self) -> CollectionInfo:
        """Describe the published generation."""
        opened = self._open()
        manifest = opened.manifest
        return CollectionInfo(
            name=self._generations.folder.name,
            generation=opened.generation,
            model=manifest.model,
            dim=manifest.dim,
            points=manifest.points,
            fields=manifest.fields,
            code=self._code(opened),
            roots=manifest.roots,
        )

    async def sample(self, *, where: Filter | None = None) -> list[dict[str, Any]]:
        """Fetch the payloads of the points with the lowest ids, which are hashes."""
        return self._sample(self._open(), where)

    async def retrieve(self, ids: Sequence[str]) -> list[Hit]:
        """Fetch points by id in the order given; ids that are gone are left out."""
        opened = self._open()
        with readable(self._generations.folder):
            return opened.retrieve(ids)

    async def around(self, id_: str, reach: int, *, where: Filter | None = None) -> list[Hit]:
        """Fetch a point between those before and after it in its surroundings."""
        opened = self._open()
        own = await self.retrieve([id_])
        source = own[0].payload.get("source") if own else None
        if not source or opened.manifest.points > _SCANNED:
            return own
        those = {"must": [surroundings.of_source("source", source), *([where] if where else [])]}
        allowed = edge_filter(those, opened.manifest.fields)
        fields = edge.PayloadSelector.Include(list(surroundings.OWN))
        request = edge.ScrollRequest(limit=surroundings.MOST, filter=allowed, with_payload=fields)
        with readable(self._generations.folder):
            records, more = opened.shard.scroll(request)
        if more:
            return own
        payloads = ((str(record.id), record.payload or {}) for record in records)
        return await self.retrieve(surroundings.surrounding(id_, payloads, reach))

    async def candidates(
        self,
        query: DenseQuery,
        lexical: SparseVector | None = None,
        depth: int = CANDIDATES,
        *,
        where: Filter | None = None,
        without: Sequence[str] = (),
    ) -> Candidates:
        """Find the best points of each leg, scored by both; feedback is one pair of examples that stands for all."""
        opened = self._open()
        allowed = _without(edge_filter(where or {}, opened.manifest.fields), without)
        dense, asked = _dense(query), depth + MARGIN
        with readable(self._generations.folder):
            if lexical is None or not lexical.indices:
                (scores,) = _scores(opened.shard, [_leg(dense, asked, allowed)])
                return joined(_named(cut(scores, depth, asked)))
            legs = dense, _lexical(lexical)
            best = _scores(opened.shard, [_leg(leg, asked, allowed) for leg in legs])
            near, alike = (cut(scores, depth, asked) for scores in best)
            others = alike.keys() - near.keys(), near.keys() - alike.keys()
            fill = [_leg(leg, max(len(ids), 1), _only(ids)) for leg, ids in zip(legs, others, strict=True)]
            more_near, more_alike = _scores(opened.shard, fill)
        return joined(_named(near | more_near), _named(alike | more_alike))

    async def completed(self, hits: list[Hit]) -> list[Hit]:
        """Give the hits as they are: passages are in the collection."""
        return hits

    def remembered(self, ids: Sequence[str]) -> dict[str, str]:  # noqa: ARG002
        """Remember nothing: to fetch it takes no time."""
        return {}

    def _sample(self, opened: _Opened, where: Filter | None = None) -> list[dict[str, Any]]:
        allowed = edge_filter(where or {}, opened.manifest.fields)
        with readable(self._generations.folder):
            records, _ = opened.shard.scroll(edge.ScrollRequest(limit=SAMPLE, filter=allowed, with_payload=True))
        return [record.payload or {} for record in records]

    def _code(self, opened: _Opened) -> float:
        if opened.generation not in self._codes:
            self._codes = {opened.generation: code_marks(str(one.get("text", "")) for one in self._sample(opened))}
        return self._codes[opened.generation]

    def _open(self) -> _Opened:
        published = self._generations.current()
        if self._opened is None or self._opened.generation != published:
            # The old shard is dropped, not closed: a close would fail queries that still run on it.
            self._opened = self._load()
        return self._opened

    def _load(self) -> _Opened:
        folder = self._generations.folder
        for attempt in range(_ATTEMPTS):
            generation = self._generations.current()
            if generation is None:
                raise CollectionError(f"collection {folder.name!r} has nothing published")
            try:
                with readable(folder):
                    return _Opened(generation, *load(self._generations.path(generation)))
            except CollectionError:
                # A writer may have published the next one and deleted this one meanwhile.
                if attempt == _ATTEMPTS - 1 or self._generations.current() == generation:
                    raise
        raise AssertionError


def _without(allowed: edge.Filter | None, ids: Sequence[str]) -> edge.Filter | None:
    if not ids:
        return allowed
    excluded = edge.HasIdCondition({native_id(id_) for id_ in ids})
    return edge.Filter(must=[allowed] if allowed else None, must_not=[excluded])


def _only(ids: AbstractSet[_PointId]) -> edge.Filter:
    return edge.Filter(must=[edge.HasIdCondition(set(ids))])


def _leg(query: edge.Query, limit: int, allowed: edge.Filter | None) -> edge.QueryRequest:
    return edge.QueryRequest(limit=limit, query=query, filter=allowed, params=_WALK)


def _scores(shard: edge.EdgeShard, legs: Sequence[edge.QueryRequest]) -> list[dict[_PointId, float]]:
    lists = shard.query_batch(edge.QueryBatchRequest(list(legs)))
    return [{point.id: point.score for point in points} for points in lists]


def _named(scores: Mapping[_PointId, float]) -> dict[str, float]:
    return {_name(id_): score for id_, score in scores.items()}


def _name(id_: _PointId) -> str:
    return _names(id_.int) if isinstance(id_, UUID) else str(id_)


@lru_cache(_NAMES)
def _names(number: int) -> str:
    """Write a UUID, which takes Python longer than the engine needs to find a point."""
    return str(UUID(int=number))


def _dense(query: DenseQuery) -> edge.Query:
    target = own_vector(query.vector).tolist()
    if not query.items:
        return edge.Query.Nearest(target, using=DENSE)
    asked = one_pair(query)
    pair = [edge.FeedbackItem(own_vector(item.vector).tolist(), item.score) for item in asked.items]
    strategy = edge.NaiveFeedbackStrategy(asked.coefficients.a, asked.coefficients.b, asked.coefficients.c)
    return edge.Query.FeedbackNaive(edge.FeedbackNaiveQuery(target, pair, strategy), using=DENSE)


def _lexical(words: SparseVector) -> edge.Query:
    return edge.Query.Nearest(edge.SparseVector(*words), using=LEXICAL)


def _hit(point: Any) -> Hit:  # noqa: ANN401
    numbers = point.vector[DENSE]
    packed = struct.pack(f"{len(numbers)}f", *numbers)  # NumPy takes five times as long to read a list
    return Hit(_name(point.id), 0.0, point.payload or {}, np.frombuffer(packed, dtype=np.float32))
