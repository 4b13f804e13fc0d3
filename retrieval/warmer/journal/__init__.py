"""What was searched, shown and scored: the memory that makes feedback and training possible."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any, Protocol

import numpy as np

from warmer.errors import SearchError
from warmer.index import Hit
from warmer.vectors import QueryVector, TextQuery, Vector

AGENT = "agent"
MOST_QUERIES = 1000  # that a training looks at


@dataclass(frozen=True, slots=True)
class Shown:
    """A hit that an agent was shown, and the score that it gave, if any.

    Attributes:
        hit: Its number within the search, from 1.
        id: The point id.
        vector: The dense vector, shape (dim,).
        title: Its title path.
        source: The document it is from.
        score: 0..10, or None.
    """

    hit: int
    id: str
    vector: Vector
    title: str
    source: str
    score: float | None = None


@dataclass(frozen=True, slots=True)
class Search:
    """A search and everything that was shown for it, over all rounds.

    `vector` is empty where the engine embeds the query; `model` is the retriever's.
    """

    id: str
    collection: str
    model: str
    query: str
    vector: Vector
    where: Mapping[str, Any]
    lexical: bool
    shown: dict[int, Shown] = field(default_factory=dict)

    @property
    def query_vector(self) -> QueryVector:
        """Give what the engine is queried with."""
        return self.vector if self.vector.size else TextQuery(self.query, self.model)

    @property
    def scored(self) -> list[Shown]:
        """List the hits that have a score, in the order in which they were shown."""
        return [shown for shown in self.shown.values() if shown.score is not None]

    @property
    def unscored(self) -> list[Shown]:
        """List the hits that have none."""
        return [shown for shown in self.shown.values() if shown.score is None]

    def with_scores(self, given: Mapping[int, float]) -> "Search":
        """Give the same search with these scores of hits, by their numbers, added."""
        shown = {hit: replace(one, score=given.get(hit, one.score)) for hit, one in self.shown.items()}
        return replace(self, shown=shown)


class Journal(Protocol):
    """Searches, hits and scores, shared by all processes that use it."""

    async def begin(self, search: Search, hits: Sequence[Hit]) -> list[int]:
        """Keep a new search with its first hits; gives the hits' numbers."""
        ...

    async def show(self, search_id: str, hits: Sequence[Hit]) -> list[int]:
        """Keep hits of a further round; a point that was shown before keeps its number."""
        ...

    async def find(self, search_id: str, judge: str = AGENT) -> Search:
        """Recall a search and a judge's scores. Raises SearchError where the handle is unknown or has expired."""
        ...

    async def scored(self, collection: str, model: str, judge: str, rubric: str, fewest: int = 1) -> list[Search]:
        """Recall the searches that a judge scored, expired ones too: of each query the one with the most scores.

        They are those of the last MOST_QUERIES queries with `fewest` scores or more, the oldest first.
        """
        ...

    async def known(self, collection: str, query: str, judge: str, rubric: str) -> dict[str, float]:
        """Recall what a judge ever scored for a query: point id -> 0..10."""
        ...

    async def queries(self, collection: str) -> list[str]:
        """List the different queries that a collection was ever searched for, oldest first."""
        ...

    async def prune(self, before: float | None = None) -> int:
        """Delete searches that have expired and that nobody scored; gives how many.

        With `before`, in seconds since 1970, those made before that instead, scored or not, and the trainings that
        ended; searches of a training that has not ended stay in either case.
        """
        ...

    async def counts(self) -> tuple[int, int]:
        """Count searches and scores, for a status report."""
        ...

    async def score(self, search_id: str, scores: Mapping[int, float], judge: str, rubric: str) -> None:
        """Keep scores of 0..10; a hit scored again by the same judge takes the new score."""
        ...


def new_search_id(owner: str = "") -> str:
    """Make a handle that nobody can guess, 128 random bits, and that tells whose it is, if it is somebody's."""
    handle = "s_" + secrets.token_urlsafe(16)
    return f"{handle}.{_mark(handle, owner)}" if owner else handle


def is_owned(search_id: str, owner: str) -> bool:
    """Say whether a handle was made for an owner. Whoever rewrites the mark has a handle that no journal knows."""
    handle, _, mark = search_id.partition(".")
    return mark == _mark(handle, owner)


def _mark(handle: str, owner: str) -> str:
    return sha256(f"{handle} {owner}".encode()).hexdigest()[:16]


def refused(search_id: str, state: str) -> SearchError:
    """Say that a handle is unknown or expired, and what to do."""
    return SearchError(f"search_id {search_id[:60]!r} is {state}: call search again and score the hits that it gives")


def kept_vector(vector: QueryVector) -> Vector:
    """Give what a journal keeps of a query's vector: nothing where the engine embeds it."""
    return np.empty(0, dtype=np.float32) if isinstance(vector, TextQuery) else vector
