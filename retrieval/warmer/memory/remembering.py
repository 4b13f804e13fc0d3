"""Warm start: the scores of an earlier thread that asked for the same steer the first list of a search.

The vectors of two questions do not tell whether they ask for the same: half of the paraphrases of a question are no
nearer to it than other questions of the collection. What they find tells as much. The signal is half the cosine of the
questions, half the nDCG of the new search's first hits by the scores of the earlier thread, of which 5 and more count.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from time import monotonic, time

import numpy as np

from warmer.errors import WarmerError
from warmer.index import DenseQuery, Filter, Hit, Index
from warmer.journal import AGENT, Journal, Scored, Search, is_owned_by
from warmer.memory.intent import are_twins, same_words
from warmer.memory.threads import Near, Threads, point_hash
from warmer.passage import native_id
from warmer.recent import Recent
from warmer.steering.feedback import Example
from warmer.steering.scores import SCALE
from warmer.vectors import Vector, unit

FOUND = 20  # hits of the new search that are looked at
SAID = 8.0  # score from which a hit's earlier score is said
_NO_SIGNAL, _FULL = 0.35, 0.5  # found on recorded agents: `python -m warmer_evals.remembered`
_LOOKED_AT = 16  # threads
_LEAST_COSINE = 0.3
_SAME = 0.999  # cosine of a passage's vectors, below which its text is another
_HALF_LIFE = 180 * 86400.0  # seconds, after which scores count half
_PAGES = 2  # of the journal that a search reads at most
_OWNERS = 1024  # whose threads stay at hand
_FRESH = 5.0  # seconds for which other processes' scores may be missed
_CATCHING_UP = 0.25  # seconds between reads while more is there than was read: 20 ms each
_OVERLAP = 60.0  # seconds that are read once more, as often: another process may store scores after it timed them

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Remembered:
    """What an earlier thread says about a search.

    Attributes:
        examples: Its scored hits, those that are still there, pass the filter and have the same text.
        said: Point id -> score of 8 or more, where the question had the same words.
    """

    examples: Sequence[Example] = ()
    said: dict[str, float] = field(default_factory=dict)


@dataclass(slots=True)
class _Kept:
    """Threads of an owner in a collection, and how far the journal was read, which may be more than a search reads.

    Attributes:
        threads: The threads.
        after: Time of the scores up to which it was read.
        again: When it is read again; monotonic, as the next.
        back: When the overlap is read again.
    """

    threads: Threads
    after: float = 0.0
    again: float = 0.0
    back: float = 0.0


@dataclass(frozen=True, slots=True)
class Memory:
    """Looks up earlier threads of one owner.

    Attributes:
        journal: Where they are.
        rubric: Of their scores.
        allows: Tells for owner and collection whether anything is remembered.
        owner: Whose they are; nobody's in particular if empty.
        scope: The namespace of the journal.
        clock: Seconds, monotonic.
    """

    journal: Journal
    rubric: str
    allows: Callable[[str, str], bool]
    owner: str = ""
    scope: str = ""
    clock: Callable[[], float] = monotonic
    _kept: Recent[tuple[str, str, str, str], _Kept] = field(default_factory=lambda: Recent(_OWNERS))

    def within(self, journal: Journal, scope: str, owner: str) -> "Memory":
        """Look up threads of another owner, or in another namespace."""
        return replace(self, journal=journal, scope=scope, owner=owner)

    def learn(self, search: Search) -> None:
        """Take what was scored here, so that the next search knows it without reading the journal."""
        kept = self._kept.get(self._key(search))
        if kept and search.vector.size:
            scores = {shown.id: shown.score or 0.0 for shown in search.scored}
            self._put(kept, Scored(search.id, time(), search.vector, scores))

    async def near(self, search: Search) -> list[Near]:
        """List earlier threads whose questions are near that of a search; none while the journal cannot be read."""
        if not search.vector.size or not self.allows(self.owner, search.collection):
            return []
        try:
            kept = await self._read(search)
        except WarmerError as error:
            _log.info("earlier scores are left out: %s", error)
            return []
        if kept.threads.dim != search.vector.size:
            return []
        return [one for one in kept.threads.near(search.vector, _LOOKED_AT) if one.cosine >= _LEAST_COSINE]

    async def remember(
        self, index: Index, search: Search, near: Sequence[Near], found: Sequence[Hit], *, reworded: bool = False
    ) -> Remembered:
        """Give what the thread says that asks for the same as a search, by what the search found.

        Args:
            index: The collection.
            search: The search, before its first list is shown.
            near: What `near` gave.
            found: The hits of its first list, best first.
            reworded: Whether threads with the very same question are left out.
        """
        ranks = {point_hash(hit.id): rank for rank, hit in enumerate(found[:FOUND])}
        best = sorted(((signal(one, ranks), one) for one in near), key=lambda pair: -pair[0])
        for sign, one in best:
            age = max(time() - one.at, 0.0)
            trust = float(np.interp(sign, (_NO_SIGNAL, _FULL), (0.0, 1.0))) * 0.5 ** (age / _HALF_LIFE)
            if trust <= 0:
                break
            earlier = await self._recalled(one.id)
            if not earlier or are_twins(search.query, earlier.query) or (reworded and earlier.query == search.query):
                continue
            told = await _remembered(index, search, earlier, trust)
            if told.examples:
                return told
        return Remembered()

    async def _recalled(self, search_id: str) -> Search | None:
        try:
            return await self.journal.recall(search_id, AGENT)
        except WarmerError as error:
            _log.info("earlier scores are left out: %s", error)
            return None

    async def _read(self, search: Search) -> _Kept:
        key, now = self._key(search), self.clock()
        kept = self._kept.get(key) or _Kept(Threads(search.vector.size))
        self._kept.keep({key: kept})
        if now < kept.again:
            return kept
        kept.again = now + _FRESH
        if now >= kept.back:
            kept.after, kept.back = kept.after - _OVERLAP, now + _OVERLAP
        after = kept.after
        for _ in range(_PAGES):
            scored, until = await self.journal.scored_after(search.collection, search.model, AGENT, self.rubric, after)
            if until == after:
                return kept
            for one in scored:
                self._put(kept, one)
            after, kept.after = until, min(until, time())  # another clock may be ahead
        kept.again = now + _CATCHING_UP
        return kept

    def _put(self, kept: _Kept, one: Scored) -> None:
        if self.owns(one.id) and not kept.threads.has(one) and _fits(one.vector, kept.threads):
            kept.threads.put(one)

    def _key(self, search: Search) -> tuple[str, str, str, str]:
        return self.scope, self.owner, search.collection, search.model

    def owns(self, search_id: str) -> bool:
        """Tell whether a search is the owner's."""
        return is_owned_by(search_id, self.owner) if self.owner else "." not in search_id


def signal(one: Near, ranks: dict[int, int]) -> float:
    """Tell from 0 to 1 how sure it is that a thread asked for the same: see the module.

    Args:
        one: The thread.
        ranks: Hashes of the points that the new search found, and their places from 0.
    """
    ideal = sum(score / np.log2(2 + place) for place, (_, score) in enumerate(one.good))
    gain = sum(score / np.log2(2 + ranks[point]) for point, score in one.good if point in ranks)
    return float(0.5 * one.cosine + 0.5 * (gain / ideal if ideal else 0.0))


async def _remembered(index: Index, search: Search, earlier: Search, trust: float) -> Remembered:
    shown = {hit.id: hit for hit in earlier.scored}
    ids = await _allowed(index, search, list(shown))
    hits = await index.completed(await index.retrieve(ids))
    unchanged = [hit for hit in hits if _same_vector(hit, shown[hit.id].vector)]
    examples = [
        Example(hit.id, hit.vector, (shown[hit.id].score or 0) / SCALE, hit.passage, trust) for hit in unchanged
    ]
    said = {hit.id: shown[hit.id].score or 0 for hit in unchanged} if same_words(search.query, earlier.query) else {}
    return Remembered(examples, {id_: score for id_, score in said.items() if score >= SAID})


async def _allowed(index: Index, search: Search, ids: list[str]) -> list[str]:
    """Leave out what the filter of a search hides."""
    if not search.where:
        return ids
    those: Filter = {"must": [{"has_id": [native_id(id_) for id_ in ids]}, dict(search.where)]}
    return (await index.candidates(DenseQuery(search.query_vector), depth=len(ids), where=those)).ids


def _same_vector(hit: Hit, vector: Vector) -> bool:
    return hit.vector.size == vector.size and float(unit(hit.vector) @ unit(vector)) >= _SAME


def _fits(vector: Vector, threads: Threads) -> bool:
    if vector.size == threads.dim and np.isfinite(vector).all():
        return True
    if not threads.misfits:
        _log.warning("scores of searches are left out whose vectors have %d numbers, not %d", vector.size, threads.dim)
    threads.misfits += 1
    return False
