"""An embedded collection on Qdrant Edge: the Rust segment engine inside this process."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

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
from warmer.index.bm25 import query_words
from warmer.index.edge.generations import Generations, Manifest
from warmer.index.edge.shards import load, readable
from warmer.index.filters import edge_filter
from warmer.index.formula import steps
from warmer.passage import native_id
from warmer.vectors import QueryVector, SparseVector, own_vector

_ATTEMPTS = 3
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


class EdgeIndex:
    """Answers from the published generation and follows the pointer when a new one is published.

    Calls run in the caller's thread: Edge holds the GIL, so a thread would buy nothing.
    """

    def __init__(self, generations: Generations) -> None:
        self._generations = generations
        self._opened: _Opened | None = None

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
        )

    async def search(
        self,
        vector: QueryVector,
        limit: int,
        *,
        text: str = "",
        where: Filter | None = None,
        without: Sequence[str] = (),
    ) -> list[Hit]:
        """Retrieve the nearest points, leaving out those named in `without`."""
        query = edge.Query.Nearest(own_vector(vector).tolist(), using=DENSE)
        return self._query(query, limit, text, where, without)

    async def retrieve(self, ids: Sequence[str]) -> list[Hit]:
        """Fetch points by id in the order given; ids that are gone are left out."""
        opened = self._open()
        with readable(self._generations.folder):
            found = _records(opened.shard, ids)
            return [_hit(found[id_], 0.0) for id_ in ids if id_ in found]

    async def around(self, id_: str, reach: int, *, where: Filter | None = None) -> list[Hit]:
        """Fetch a point between those before and after it in its surroundings."""
        opened = self._open()
        own = await self.retrieve([id_])
        source = own[0].payload.get("source") if own else None
        if not source or opened.manifest.points > _SCANNED:
            return own
        those = {"must": [surroundings.of_source("source", source), *([where] if where else [])]}
        allowed = edge_filter(those, opened.manifest.fields)
        fields = edge.PayloadSelector.Include(surroundings.FIELDS)
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
        dense = _dense(query)
        with readable(self._generations.folder):
            if lexical is None or not lexical.indices:
                (scores,) = _scores(opened.shard, [_leg(dense, depth, allowed)])
                return joined(scores)
            legs = dense, _lexical(lexical)
            near, alike = _scores(opened.shard, [_leg(leg, depth, allowed) for leg in legs])
            others = sorted(alike.keys() - near.keys()), sorted(near.keys() - alike.keys())
            fill = [_leg(leg, max(len(ids), 1), _only(ids)) for leg, ids in zip(legs, others, strict=True)]
            more_near, more_alike = _scores(opened.shard, fill)
        return joined(near | more_near, alike | more_alike)

    async def completed(self, hits: list[Hit]) -> list[Hit]:
        """Give the hits as they are: passages are in the collection."""
        return hits

    def _query(
        self, query: edge.Query, limit: int, text: str, where: Filter | None, without: Sequence[str]
    ) -> list[Hit]:
        opened = self._open()
        allowed = _without(edge_filter(where or {}, opened.manifest.fields), without)
        words = query_words(text)
        if words.indices:
            depth = max(CANDIDATES, limit)
            request = edge.QueryRequest(
                limit=limit,
                query=edge.Fusion.Dbsf(),  # type: ignore[arg-type]
                prefetches=[
                    edge.Prefetch(limit=depth, query=query, filter=allowed, params=_WALK),
                    edge.Prefetch(limit=depth, query=_lexical(words), filter=allowed),
                ],
                with_payload=True,
                with_vector=[DENSE],
            )
        else:
            request = edge.QueryRequest(
                limit=limit, query=query, filter=allowed, params=_WALK, with_payload=True, with_vector=[DENSE]
            )
        with readable(self._generations.folder):
            return [_hit(point, point.score) for point in opened.shard.query(request)]

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


def _only(ids: Sequence[str]) -> edge.Filter:
    return edge.Filter(must=[edge.HasIdCondition({native_id(id_) for id_ in ids})])


def _leg(query: edge.Query, limit: int, allowed: edge.Filter | None) -> edge.QueryRequest:
    return edge.QueryRequest(limit=limit, query=query, filter=allowed, params=_WALK)


def _scores(shard: edge.EdgeShard, legs: Sequence[edge.QueryRequest]) -> list[dict[str, float]]:
    lists = shard.query_batch(edge.QueryBatchRequest(list(legs)))
    return [{str(point.id): point.score for point in points} for points in lists]


def _dense(query: DenseQuery) -> edge.Query:
    """Ask the formula's own question at the cost of one pair.

    Its sum runs over all pairs, 120 for fifteen scores and the query, and the engine compares each point with both
    ends of each. For cosine that sum is the similarity to one vector, so the pair of this vector and its opposite
    gives every point the same score.
    """
    target = own_vector(query.vector).tolist()
    if not query.items:
        return edge.Query.Nearest(target, using=DENSE)
    moved = steps(query.items, query.coefficients)
    length = float(np.linalg.norm(moved))
    towards = moved / (length or 1.0)
    pair = [edge.FeedbackItem(towards.tolist(), 1.0), edge.FeedbackItem((-towards).tolist(), 0.0)]
    strategy = edge.NaiveFeedbackStrategy(query.coefficients.a, query.coefficients.b, length / 2)
    return edge.Query.FeedbackNaive(edge.FeedbackNaiveQuery(target, pair, strategy), using=DENSE)


def _lexical(words: SparseVector) -> edge.Query:
    return edge.Query.Nearest(edge.SparseVector(*words), using=LEXICAL)


def _records(shard: edge.EdgeShard, ids: Sequence[str]) -> dict[str, Any]:
    """Fetch points with vectors by id, in the order given; ids that are gone are left out."""
    records = {str(record.id): record for record in shard.retrieve([native_id(id_) for id_ in ids], True, [DENSE])}
    return {id_: records[id_] for id_ in ids if id_ in records}


def _hit(point: Any, score: float) -> Hit:  # noqa: ANN401
    vector = np.asarray(point.vector[DENSE], dtype=np.float32)
    return Hit(id=str(point.id), score=score, payload=point.payload or {}, vector=vector)
