"""Retrieval for evaluations: hits carry document ids, and their order does not depend on the engine."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from warmer.index import CANDIDATES, DenseQuery, Hit, Index
from warmer.steering.feedback import Example
from warmer.steering.params import Params
from warmer.steering.ranking import nearest, rank
from warmer.steering.thread import compose
from warmer.steering.wording import Wording
from warmer.training.fit import Sample
from warmer.training.samples import make_sample
from warmer.vectors import Vector

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

    async def nearest(self, query: DenseQuery, limit: int, *, without: Sequence[ScoredHit] = ()) -> list[DocumentHit]:
        """Retrieve by vectors alone, in the engine's order."""
        return self._sorted(await nearest(self._index, query, _with_margin(limit), without=_ids(without)), limit)

    async def served(
        self, query: Query, limit: int, params: Params, *, scored: Sequence[ScoredHit] = (), hybrid: bool = True
    ) -> list[DocumentHit]:
        """Retrieve as the tools do, steered by what was scored, which stays out."""
        examples = [Example(one.hit.id, one.hit.vector, one.score, one.hit.passage) for one in scored]
        composed = compose([Wording("query", query.text, query.vector)], params, examples, lexical=hybrid)
        return self._sorted(await rank(self._index, composed, _with_margin(limit), without=_ids(scored)), limit)

    async def sample(self, query: Query, scored: Sequence[ScoredHit]) -> Sample:
        """Describe scored hits for a fit."""
        examples = [Example(one.hit.id, one.hit.vector, one.score) for one in scored]
        return await make_sample(self._index, [Wording("query", query.text, query.vector)], examples)

    def _sorted(self, hits: Sequence[Hit], limit: int) -> list[DocumentHit]:
        found = [DocumentHit(self._document(hit), hit) for hit in hits]
        return sorted(found, key=lambda one: (-one.hit.score, one.document))[:limit]


def _ids(scored: Sequence[ScoredHit]) -> list[str]:
    return [one.hit.id for one in scored]


def _with_margin(limit: int) -> int:
    return min(DEPTH, limit + _TIE_MARGIN)
