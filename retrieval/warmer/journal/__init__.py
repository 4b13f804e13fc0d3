"""The journal: searches, the hits shown for them, and the scores judges gave. Feedback and training read it."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any, Protocol

import numpy as np

from warmer.errors import SearchError
from warmer.index import Hit
from warmer.steering.wording import Wording
from warmer.vectors import QueryVector, TextQuery, Vector

AGENT = "agent"
MAX_TRAINING_SEARCHES = 1000
MAX_OF_A_QUERY = 20


@dataclass(frozen=True, slots=True)
class Shown:
    """A hit as it was shown, with one judge's score.

    Attributes:
        hit: Number of the hit within the search, from 1.
        id: Point id.
        vector: Dense vector, shape (dim,).
        title: Title path.
        source: Document of the passage.
        score: 0..10; None if the judge gave none.
    """

    hit: int
    id: str
    vector: Vector
    title: str
    source: str
    score: float | None = None


@dataclass(frozen=True, slots=True)
class Search:
    """A search and everything that was said and shown for it, over all turns: a thread.

    Attributes:
        id: Its handle.
        collection: Where it searches.
        model: The retriever's name.
        query: The first wording.
        vector: Its vector, shape (dim,); empty where the engine embeds the query.
        where: The filter of the last turn that had one, in Qdrant's JSON.
        lexical: Whether it searches by words too.
        shown: What was shown, by number.
        more: What was said besides the first wording, in order.
    """

    id: str
    collection: str
    model: str
    query: str
    vector: Vector
    where: Mapping[str, Any]
    lexical: bool
    shown: dict[int, Shown] = field(default_factory=dict)
    more: tuple[Wording, ...] = ()

    @property
    def wordings(self) -> list[Wording]:
        """List all that was said, the first wording first."""
        return [Wording("query", self.query, self.query_vector), *self.more]

    @property
    def turn(self) -> int:
        """Number the turn that would come next."""
        return 1 + max(wording.turn for wording in self.wordings)

    @property
    def query_vector(self) -> QueryVector:
        """Give what the engine is queried with."""
        return recalled(self.query, self.vector, self.model)

    @property
    def scored(self) -> list[Shown]:
        """Hits with a score, in the order shown."""
        return [shown for shown in self.shown.values() if shown.score is not None]

    @property
    def unscored(self) -> list[Shown]:
        """Hits without a score, in the order shown."""
        return [shown for shown in self.shown.values() if shown.score is None]

    def with_scores(self, given: Mapping[int, float]) -> "Search":
        """Return a copy with scores added, by hit number."""
        shown = {number: replace(hit, score=given.get(number, hit.score)) for number, hit in self.shown.items()}
        return replace(self, shown=shown)


@dataclass(frozen=True, slots=True)
class Scored:
    """What a later search is compared with: a scored search in brief.

    Attributes:
        id: Its handle.
        at: When it was scored last, as far as was read, in seconds since 1970.
        vector: The query's, shape (dim,).
        scores: Point id -> 0..10.
    """

    id: str
    at: float
    vector: Vector
    scores: Mapping[str, float]


class Journal(Protocol):
    """Stores searches, hits and scores; all processes that open it see the same.

    Every method raises a WarmerError if the storage fails.
    """

    async def begin(self, search: Search, hits: Sequence[Hit]) -> list[int]:
        """Store a new search with its first hits. Returns the hits' numbers."""
        ...

    async def reword(self, search_id: str, more: Sequence[Wording], where: Mapping[str, Any] | None = None) -> None:
        """Keep what a further turn says, and its filter, if it has one."""
        ...

    async def show(self, search_id: str, hits: Sequence[Hit]) -> list[int]:
        """Store the hits of a further round and return their numbers; a point shown before keeps its number."""
        ...

    async def find(self, search_id: str, judge: str = AGENT) -> Search:
        """Load a search with a judge's scores.

        Raises:
            SearchError: The handle is unknown or has expired.
        """
        ...

    async def scored(self, collection: str, model: str, judge: str, rubric: str, fewest: int = 1) -> list[Search]:
        """Load the searches that a judge scored, including expired ones, the oldest first.

        Of each query, the MAX_OF_A_QUERY searches with the most scores, whoever made them; of all those, the newest
        MAX_TRAINING_SEARCHES with at least `fewest` scores.
        """
        ...

    async def scored_after(
        self, collection: str, model: str, judge: str, rubric: str, after: float
    ) -> tuple[list[Scored], float]:
        """Give some hundred searches that a judge scored after a time, those scored first, and until when it was read.

        That is `after` itself where there are no more. Searches whose query the engine embedded are left out.
        """
        ...

    async def recall(self, search_id: str, judge: str) -> Search | None:
        """Load a search with a judge's scores, whether or not it has expired; None if it is gone or damaged."""
        ...

    async def known(self, collection: str, query: str, judge: str, rubric: str) -> dict[str, float]:
        """Load every score that a judge gave for a query: point id -> 0..10, the newest score of each point."""
        ...

    async def queries(self, collection: str) -> list[str]:
        """List the distinct queries of a collection, the oldest first."""
        ...

    async def prune(self, before: float | None = None) -> int:
        """Delete expired searches without scores. Returns how many were deleted.

        With `before` (seconds since 1970), delete instead all searches made before then, scored or not, and all
        trainings that were created before then and have ended. Searches of unfinished trainings always stay.
        """
        ...

    async def forget(self, owner: str) -> int:
        """Delete the searches of an owner, their scores, and the owner's trainings; gives how many searches.

        What was trained with them stays: it is a few numbers.
        """
        ...

    async def counts(self) -> tuple[int, int]:
        """Count the searches and the scores."""
        ...

    async def score(self, search_id: str, scores: Mapping[int, float], judge: str, rubric: str) -> None:
        """Store scores, hit number -> 0..10. A new score replaces the same judge's earlier one."""
        ...


def new_search_id(owner: str = "") -> str:
    """Make an unguessable handle of 128 random bits, tagged with its owner if there is one."""
    handle = "s_" + secrets.token_urlsafe(16)
    return f"{handle}.{_owner_tag(handle, owner)}" if owner else handle


def is_owned_by(search_id: str, owner: str) -> bool:
    """Tell whether a handle was made for an owner. A handle with a forged tag is in no journal."""
    handle, _, tag = search_id.partition(".")
    return tag == _owner_tag(handle, owner)


def _owner_tag(handle: str, owner: str) -> str:
    return sha256(f"{handle} {owner}".encode()).hexdigest()[:16]


def invalid_handle(search_id: str, state: str) -> SearchError:
    """Make the error for a handle whose `state` is unknown or expired."""
    return SearchError(f"search_id {search_id[:60]!r} is {state}: call search again and score the hits that it gives")


def recalled(text: str, vector: Vector, model: str) -> QueryVector:
    """Undo `kept_vector`: a text without a vector is one that the engine embeds."""
    return vector if vector.size else TextQuery(text, model)


def kept_vector(vector: QueryVector) -> Vector:
    """Return the vector to store with a search: empty if the engine embeds the query."""
    return np.empty(0, dtype=np.float32) if isinstance(vector, TextQuery) else vector
