"""Near-copies: passages that say the same are shown once."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from warmer.index import Hit
from warmer.index.bm25 import READ
from warmer.vectors import Vector, directions

_CLOSE = 0.97  # cosine
_WORDS_IN_COMMON = 0.93
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Known:
    """A passage that was shown before."""

    id: str
    vector: Vector
    text: str


def without_copies(hits: Sequence[Hit], known: Sequence[Known], limit: int) -> list[Hit]:
    """Keep the first of each group of near-copies, up to `limit`, and count in it how many of the rest were left out.

    Args:
        hits: Best first.
        known: What was shown before; a copy of it is left out, the points themselves are not.
        limit: How many are kept.
    """
    if not hits:
        return []
    vectors = directions(np.stack([*(hit.vector for hit in hits), *(one.vector for one in known)]))
    close = vectors[: len(hits)] @ vectors.T >= _CLOSE
    if np.count_nonzero(close) == len(hits):  # each is close to itself alone
        return list(hits[:limit])
    words = cache(lambda n: _words(hits[n].passage if n < len(hits) else known[n - len(hits)].text))
    before = set(range(len(hits), len(vectors)))
    again = {one.id for one in known}
    listed, kept, copies = set[int](), list[int](), Counter[int]()
    for n, hit in enumerate(hits):
        beside = listed if hit.id in again else listed | before
        near = (m for m in np.flatnonzero(close[n]).tolist() if m in beside)
        original = next((m for m in near if _are_alike(words(n), words(m))), None)
        if original is not None:
            copies[original] += 1
        elif len(kept) < limit:
            kept.append(n)
            listed.add(n)
    return [replace(hits[n], copies=hits[n].copies + copies[n]) for n in kept]


def _are_alike(one: Counter[str], other: Counter[str]) -> bool:
    """Tell whether two texts have nearly the same words, and the very same words with a digit.

    Close vectors alone would make one of `assert_called` and `assert_called_once`. Texts that are not known, as where
    they are kept outside of the engine, are not the same.
    """
    if not one or _numbers(one) != _numbers(other):
        return False
    return (one & other).total() >= _WORDS_IN_COMMON * (one | other).total()


def _words(text: str) -> Counter[str]:
    return Counter(_WORD.findall(text[:READ].lower()))


def _numbers(words: Counter[str]) -> set[str]:
    return {word for word in words if any(map(str.isdigit, word))}
