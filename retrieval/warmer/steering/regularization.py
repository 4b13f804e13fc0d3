"""What lies close together is relevant together: a candidate's score counts those of its neighbours."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from warmer.vectors import Vector, unit

_POOL = 60
_NEAREST = 8


def pool(limit: int, weight: float) -> int:
    """Say how many of the best candidates to look at for a list of `limit`."""
    return max(_POOL, limit) if weight else limit


def regularize(scores: Sequence[float], vectors: Vector, weight: float) -> NDArray[np.float64]:
    """Score candidates anew by the cluster hypothesis.

    Each gains the mean score of its nearest neighbours among the candidates: one step of what Diaz does in
    "Regularizing ad hoc retrieval scores" (2005).

    Args:
        scores: Of the candidates, shape (n,); they may have any scale, but more is better.
        vectors: Theirs, shape (n, dim).
        weight: How much the neighbours count, beside 1 for the candidate itself.
    """
    own = np.array(scores, dtype=np.float64)
    nearest = min(_NEAREST, len(own) - 1)
    if not weight or nearest < 1:
        return own
    towards = unit(vectors.astype(np.float64))
    similar = towards @ towards.T
    np.fill_diagonal(similar, -np.inf)
    neighbours = np.argsort(-similar, axis=1, kind="stable")[:, :nearest]
    return np.asarray(own + weight * own[neighbours].mean(axis=1))


def best(scores: NDArray[np.float64], limit: int) -> list[int]:
    """Give the places of the highest scores, highest first; equals stay in order."""
    places: list[int] = np.argsort(-scores, kind="stable")[:limit].tolist()
    return places
