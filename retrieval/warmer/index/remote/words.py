"""Words of a collection that has no vector for them: BM25 of its texts, reckoned here.

A sample is read page by page, some of it at each search, until it is whole or large enough. Of a collection that fits
into it, the words are found as by a sparse vector; of a larger one it tells how rare a word is, and the candidates of
the dense leg are scored by it.
"""

import time
from array import array
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence, Set

import numpy as np
from numpy.typing import NDArray

from warmer.index import Candidates, Hit, joined
from warmer.index.bm25 import READ, document_words
from warmer.index.ties import cut
from warmer.vectors import SparseVector

_MOST_WORDS = 3_000_000  # of all of them, 8 bytes each
_PAGE = 256
_SECONDS = 0.4  # of one search that go to reading
_DEEPER = 200  # candidates of the dense leg, where words are known of a part of a collection alone
_FRESH = 600.0  # seconds after which a sample is read anew, while the old one still serves
_CHANGED = 0.1  # share of points that were added or deleted, after which it is too

Page = tuple[Sequence[tuple[str, str]], object]  # ids and passages, and where the next page begins; None: nowhere
Texts = Mapping[str, str]
Fetched = tuple[Sequence[Hit], Texts]  # points, and the passages of those that were not read
Search = Callable[[int, Sequence[str]], Awaitable[Mapping[str, float]]]
Fetch = Callable[[Sequence[str], Sequence[str]], Awaitable[Fetched]]
ReadPage = Callable[[object, int], Awaitable[Page]]


class Words:
    """The words of the passages that were read, each with the passages that have it."""

    def __init__(self, points: int, born: float, most: int) -> None:
        self.points = points
        self._most = most
        self.born = born
        self.whole = False
        self.read = False
        self.ids: list[str] = []
        self._rows: dict[str, int] = {}
        self._postings: defaultdict[int, tuple[array[int], array[float]]] = defaultdict(
            lambda: (array("I"), array("f"))
        )
        self._size = 0
        self._offset: object = None

    def add(self, passages: Sequence[tuple[str, str]]) -> None:
        """Take ids and passages."""
        for id_, passage in passages:
            row = self._rows.setdefault(id_, len(self.ids))
            if row < len(self.ids):
                continue
            self.ids.append(id_)
            words = document_words(passage[:READ])
            for index, value in zip(words.indices, words.values, strict=True):
                rows, values = self._postings[index]
                rows.append(row)
                values.append(value)
            self._size += len(words.indices)

    async def grow(
        self, read_page: ReadPage, seconds: float, clock: Callable[[], float], *, sparingly: bool = False
    ) -> None:
        """Read on for some time, or one page alone."""
        end = clock() + seconds
        while not self.read and clock() < end:
            passages, self._offset = await read_page(self._offset, min(_PAGE, self._most))
            self.add(passages)
            self.whole = self._offset is None
            self.read = self.whole or len(self.ids) >= self._most or self._size >= _MOST_WORDS
            if sparingly:
                return

    def rarity(self, query: SparseVector) -> list[float]:
        """Weigh the words of a query by their inverse document frequencies, as Qdrant's modifier `idf` does."""
        total = len(self.ids)
        seen = [len(self._postings[index][0]) if index in self._postings else 0 for index in query.indices]
        return [
            value * float(np.log1p((total - n + 0.5) / (n + 0.5))) for value, n in zip(query.values, seen, strict=True)
        ]

    def scores(self, query: SparseVector) -> NDArray[np.float64]:
        """Score the passages that were read, shape (len(ids),)."""
        scores = np.zeros(len(self.ids))
        for index, weight in zip(query.indices, self.rarity(query), strict=True):
            if index in self._postings:
                rows, values = self._postings[index]
                scores[np.array(rows)] += weight * np.array(values, dtype=np.float64)
        return scores

    def best(self, scores: NDArray[np.float64], depth: int, without: Set[str] = frozenset()) -> list[str]:
        """List the best passages that have a word of the query, at most `depth`; of equals those with the least ids."""
        most = depth + len(without)
        least = np.partition(scores, -most)[-most] if len(scores) > most else 0.0
        rows = np.flatnonzero((scores > 0) & (scores >= least)).tolist()
        there = {self.ids[row]: float(scores[row]) for row in rows if self.ids[row] not in without}
        return list(cut(there, depth, len(there) + 1))

    def row(self, id_: str) -> int | None:
        """Give the place of a passage, None where it was not read."""
        return self._rows.get(id_)

    def score(self, query: SparseVector, passage: str) -> float:
        """Score a passage that was not read."""
        weights = dict(zip(query.indices, self.rarity(query), strict=True))
        words = document_words(passage[:READ])
        return sum(weights.get(index, 0.0) * value for index, value in zip(words.indices, words.values, strict=True))


class SampledWords:
    """The words of a collection, of `most` passages at most, kept fresh."""

    def __init__(self, read_page: ReadPage, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._read_page = read_page
        self._clock = clock
        self._now: Words | None = None
        self._next: Words | None = None
        self._growing = False

    @property
    def now(self) -> Words:
        """What there is without reading on."""
        return self._now or Words(0, self._clock(), 0)

    async def ready(self, points: int, seconds: float = _SECONDS, *, sparingly: bool = False) -> Words:
        """Read on for some time, and give what there is; a search that comes meanwhile does not wait.

        Args:
            points: How many the collection has.
            seconds: How long to read at most.
            sparingly: Whether one page must do, since the server counts what is asked.
        """
        now = self._clock()
        if self._now is None:
            self._now = self._next = Words(points, now, self._most)
        elif self._next is None and self._stale(self._now, points, now):
            self._next = Words(points, now, self._most)
        if self._next and not self._growing:
            self._growing = True
            try:
                await self._next.grow(self._read_page, seconds, self._clock, sparingly=sparingly)
            finally:
                self._growing = False
            if self._next.read:
                self._now, self._next = self._next, None
        return self._now

    @staticmethod
    def _stale(words: Words, points: int, now: float) -> bool:
        changed = abs(points - words.points) > _CHANGED * max(words.points, 1)
        return changed or now - words.born > _FRESH


async def find(
    words: Words,
    query: SparseVector,
    depth: int,
    search: Search,
    fetch: Fetch,
    without: Set[str] = frozenset(),
) -> Candidates:
    """Find candidates by vectors and by the words that were read, and let both legs score all of them.

    Args:
        words: The words that were read.
        query: Those that are looked for.
        depth: Candidates of each leg.
        search: Gives the scores of the best points by vectors, as many as it is told, and of some points by id.
        fetch: Gives points by id, if that costs little, and the passages of those that were not read.
        without: Points that stay out.
    """
    scores = words.scores(query)
    near = await search(depth if words.whole else max(depth, _DEEPER), words.best(scores, depth, without))
    rows = {id_: words.row(id_) for id_ in near}
    alike = {id_: float(scores[row]) for id_, row in rows.items() if row is not None}
    hits, texts = await fetch(sorted(near), sorted(near.keys() - alike.keys()))
    unread = {id_: words.score(query, text) for id_, text in texts.items() if id_ not in alike}
    return joined(near, unread | alike, hits)
