"""What lies close together is relevant together: a candidate's score counts those of its neighbours."""

import numpy as np
from numpy.typing import NDArray

from warmer.vectors import Vector, directions

POOL = 60  # best candidates that are looked at
NEAREST = 8
_ROUNDING = 2e-6  # of a score: the order of a float32 sum must not decide between copies


def regularize(scores: NDArray[np.float64], vectors: Vector, weight: float) -> NDArray[np.float64]:
    """Score candidates anew by the cluster hypothesis, shape (n,).

    Each gains the mean score of its nearest neighbours among the candidates: one step of what Diaz does in
    "Regularizing ad hoc retrieval scores" (2005).

    Args:
        scores: Of the candidates, shape (n,); more is better.
        vectors: Theirs, shape (n, dim).
        weight: How much the neighbours count, beside 1 for the candidate itself.
    """
    nearest = min(NEAREST, len(scores) - 1)
    if not weight or nearest < 1:
        return scores
    towards = directions(vectors)
    similar = towards @ towards.T
    np.fill_diagonal(similar, -np.inf)
    neighbours = np.argsort(-similar, axis=1, kind="stable")[:, :nearest]
    return np.asarray(scores + weight * scores[neighbours].mean(axis=1))


def best(scores: NDArray[np.float64], limit: int) -> list[int]:
    """Give the places of the highest scores, highest first; equals, but for rounding, stay in order."""
    order = np.argsort(-scores, kind="stable")
    rounding = _ROUNDING * (1 + np.abs(scores).max(initial=0))
    group = np.cumsum(np.diff(-scores[order], prepend=0.0) > rounding)
    places: list[int] = order[np.lexsort((order, group))][:limit].tolist()
    return places
