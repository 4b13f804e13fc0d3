"""Scored threads at hand, small enough that 100,000 of them are looked through in about a millisecond."""

from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from warmer.journal import Scored
from warmer.steering.scores import SCALE
from warmer.vectors import Vector, unit

GOOD = 5.0  # score from which a hit is good
_KEPT = 8  # good hits of a thread that are looked at, the best
_NEAR = 64  # threads whose vectors are compared, those with the most signs in common, and as many signs as the last
_COMPARED = 512  # of the latter at most, the newest
_LAST = 4096  # threads that are known by id
_STEPS = 127.0  # of a number in a byte


@dataclass(frozen=True, slots=True)
class Near:
    """A thread that may ask for the same.

    Attributes:
        id: The search.
        at: When it was scored last, in seconds since 1970.
        cosine: Of the two questions.
        good: Hashes of its best good hits, and their scores.
    """

    id: str
    at: float
    cosine: float
    good: Sequence[tuple[int, float]]


class Threads:
    """Threads of one owner, collection and model.

    Each takes a byte for a number of its vector, a bit for its sign, and five bytes for each of its best hits. One that
    is scored anew long after its last score is here twice.

    Attributes:
        dim: Numbers of a vector.
        misfits: Threads that were left out since theirs have another number.
    """

    def __init__(self, dim: int) -> None:
        self.dim = dim
        self.misfits = 0
        self._size = 0
        self._rows: dict[str, int] = {}  # of those that were put last, by id
        self._ids = np.empty(0, dtype="S48")
        self._at = np.empty(0)
        self._signs = np.empty((-(-dim // 64), 0), dtype=np.uint64)
        self._vectors = np.empty((0, dim), dtype=np.int8)
        self._good = np.empty((0, _KEPT), dtype=np.uint32)
        self._scores = np.empty((0, _KEPT), dtype=np.uint8)

    def __len__(self) -> int:
        return self._size

    @property
    def size_in_bytes(self) -> int:
        """Memory of the arrays."""
        arrays = (self._ids, self._at, self._signs, self._vectors, self._good, self._scores)
        return sum(array.nbytes for array in arrays)

    def has(self, search: Scored) -> bool:
        """Tell whether a thread is here as it is now."""
        row = self._rows.get(search.id)
        return row is not None and bool(self._at[row] == search.at)

    def put(self, search: Scored) -> None:
        """Add a thread, or take what it is now."""
        good = sorted((-score, id_) for id_, score in search.scores.items() if GOOD <= score <= SCALE)[:_KEPT]
        row = self._rows.setdefault(search.id, self._size)
        if row == self._size:
            self._grow()
            if len(self._rows) > _LAST:
                del self._rows[next(iter(self._rows))]
        towards = unit(search.vector)
        self._ids[row], self._at[row] = search.id.encode(), search.at
        self._signs[:, row] = _signs(towards)
        self._vectors[row] = np.rint(towards * _STEPS / max(float(np.abs(towards).max()), 1e-9))
        self._good[row], self._scores[row] = 0, 0
        for place, (score, id_) in enumerate(good):
            self._good[row, place], self._scores[row, place] = point_hash(id_), round(-score * 10)

    def near(self, vector: Vector, limit: int) -> list[Near]:
        """List the threads whose questions are nearest to one, the nearest first."""
        if not self._size:
            return []
        towards = unit(vector)
        signs = _signs(towards)
        apart = np.zeros(self._size, dtype=np.uint16)
        for own, kept in zip(signs, self._signs, strict=True):
            apart += np.bitwise_count(kept[: self._size] ^ own)
        last = np.searchsorted(np.cumsum(np.bincount(apart)), min(_NEAR, self._size))
        rows = np.concatenate([np.flatnonzero(apart < last), np.flatnonzero(apart == last)[-_COMPARED:]])
        cosines = unit(self._vectors[rows].astype(np.float32)) @ towards
        best = np.argsort(-cosines, kind="stable")[:limit]
        return [self._near(int(rows[n]), float(cosines[n])) for n in best]

    def _near(self, row: int, cosine: float) -> Near:
        pairs = zip(self._good[row].tolist(), (self._scores[row] / 10).tolist(), strict=True)
        return Near(
            self._ids[row].decode(), float(self._at[row]), cosine, [(id_, score) for id_, score in pairs if score]
        )

    def _grow(self) -> None:
        self._size += 1
        if self._size > len(self._ids):
            room = self._size + self._size // 8 + 16
            for name in ("_ids", "_at", "_vectors", "_good", "_scores"):
                setattr(self, name, _with_room(getattr(self, name), room))
            self._signs = np.ascontiguousarray(_with_room(self._signs.T, room).T)


def point_hash(point: str) -> int:
    """Give 32 bits for a point; two that share them make a thread a little nearer than it is."""
    return crc32(point.encode())


def _signs(vector: NDArray[np.float64]) -> NDArray[np.uint64]:
    bits = np.packbits(vector > 0)
    padded = np.zeros(-(-vector.size // 64) * 8, dtype=np.uint8)
    padded[: bits.size] = bits
    return padded.view(np.uint64)


def _with_room(kept: NDArray[np.generic], room: int) -> NDArray[np.generic]:
    grown = np.zeros((room, *kept.shape[1:]), dtype=kept.dtype)
    grown[: len(kept)] = kept
    return grown
