"""First lists and steered ones, by document and in an order that does not depend on the engine."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from warmer.index import CANDIDATES, Coefficients, DenseQuery, FeedbackItem, Hit, Index
from warmer.steering.ranking import rank
from warmer.vectors import SparseVector, Vector

DEPTH = CANDIDATES
_SPARE = 5  # so that a tie at the end of a list is broken by id, not by the engine


@dataclass(frozen=True, slots=True)
class Query:
    """A query with its vector, shape (dim,)."""

    id: str
    text: str
    vector: Vector


@dataclass(frozen=True, slots=True)
class Found:
    """A hit and the id of its document."""

    document: str
    hit: Hit


@dataclass(frozen=True, slots=True)
class Scored:
    """A hit that a judge has scored, 0 to 1."""

    document: str
    hit: Hit
    score: float


class Retriever:
    """Queries one collection; lists are sorted by score, best first, and then by document id.

    Args:
        index: The collection.
        document: Names a hit's document.
    """

    def __init__(self, index: Index, document: Callable[[Hit], str]) -> None:
        self._index = index
        self._document = document

    async def search(
        self, query: Query, limit: int, *, hybrid: bool, vector: Vector | None = None, without: Sequence[Scored] = ()
    ) -> list[Found]:
        """Retrieve for a query, or for a vector in its place."""
        hits = await self._index.search(
            query.vector if vector is None else vector,
            _deep(limit),
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
        without: Sequence[Scored],
    ) -> list[Found]:
        """Retrieve by Qdrant's feedback query, and by words too where there are any."""
        hits = await rank(
            self._index,
            DenseQuery(query.vector, items, coefficients),
            _deep(limit),
            lexical=lexical,
            share=share,
            neighbours=neighbours,
            without=[scored.hit.id for scored in without],
        )
        return self._sorted(hits, limit)

    def _sorted(self, hits: Sequence[Hit], limit: int) -> list[Found]:
        found = [Found(self._document(hit), hit) for hit in hits]
        return sorted(found, key=lambda one: (-one.hit.score, one.document))[:limit]


def _deep(limit: int) -> int:
    return min(DEPTH, limit + _SPARE)
