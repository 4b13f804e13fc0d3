"""Retrieval for evaluations: hits carry document ids, and their order does not depend on the engine."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from warmer.index import CANDIDATES, Coefficients, DenseQuery, FeedbackItem, Hit, Index
from warmer.steering.ranking import rank
from warmer.vectors import SparseVector, Vector

DEPTH = CANDIDATES
_TIE_MARGIN = 5  # retrieved beyond the limit, so that a tie at the end is broken by id and not by the engine


@dataclass(frozen=True, slots=True)
class Query:
    """A query with its vector, shape (dim,)."""

    id: str
    text: str
    vector: Vector


@dataclass(frozen=True, slots=True)
class DocumentHit:
    """A hit and the id of its document."""

    document: str
    hit: Hit


@dataclass(frozen=True, slots=True)
class ScoredHit:
    """A hit, the id of its document, and a judge's score of it, 0 to 1."""

    document: str
    hit: Hit
    score: float


class Retriever:
    """Queries one collection; lists are sorted by score, best first, ties by document id.

    Args:
        index: The collection.
        document: Maps a hit to its document's id.
    """

    def __init__(self, index: Index, document: Callable[[Hit], str]) -> None:
        self._index = index
        self._document = document

    async def search(
        self, query: Query, limit: int, *, hybrid: bool, vector: Vector | None = None, without: Sequence[ScoredHit] = ()
    ) -> list[DocumentHit]:
        """Retrieve without feedback, for the query's vector or for `vector` in its place; `without` is left out."""
        hits = await self._index.search(
            query.vector if vector is None else vector,
            _with_margin(limit),
            text=query.text if hybrid else "",
            without=[scored.hit.id for scored in without],
        )
        return self._sorted(hits, limit)

    async def feedback(
        self,
        query: Query,
        items: Sequence[FeedbackItem],
        coefficients: Coefficients,
        limit: int,
        *,
        lexical: SparseVector | None = None,
        share: float = 0.0,
        neighbours: float = 0.0,
        without: Sequence[ScoredHit],
    ) -> list[DocumentHit]:
        """Retrieve by Qdrant's feedback query, and by words too if `lexical` is given."""
        hits = await rank(
            self._index,
            DenseQuery(query.vector, items, coefficients),
            _with_margin(limit),
            lexical=lexical,
            share=share,
            neighbours=neighbours,
            without=[scored.hit.id for scored in without],
        )
        return self._sorted(hits, limit)

    def _sorted(self, hits: Sequence[Hit], limit: int) -> list[DocumentHit]:
        found = [DocumentHit(self._document(hit), hit) for hit in hits]
        return sorted(found, key=lambda one: (-one.hit.score, one.document))[:limit]


def _with_margin(limit: int) -> int:
    return min(DEPTH, limit + _TIE_MARGIN)
