"""Which candidates a list will probably be made of, before all their scores are known."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

FETCHED = 90  # points that are fetched on a guess: a list is made of the best 60
_SHARE = 0.4  # of words, as in most lists


def likely(near: Mapping[str, float], alike: Mapping[str, float]) -> list[str]:
    """Guess the best candidates of two legs; sorted by id.

    A point that only one leg found is scored by the other as if it were just below those that this one found: it is
    seldom better than that.

    Args:
        near: Scores of the dense leg, by point id.
        alike: Scores of the lexical leg.
    """
    ids = sorted(near.keys() | alike.keys())
    if len(ids) <= FETCHED:
        return ids
    guessed = (1 - _SHARE) * _standard(ids, near) + _SHARE * _standard(ids, alike)
    return sorted(ids[n] for n in np.argsort(-guessed, kind="stable")[:FETCHED])


def _standard(ids: list[str], scores: Mapping[str, float]) -> NDArray[np.float64]:
    least = min(scores.values(), default=0.0)
    known = np.array([scores.get(id_, least) for id_ in ids])
    spread = known.std()
    return (known - known.mean()) / spread if spread > 0 else np.zeros_like(known)
