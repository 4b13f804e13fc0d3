"""What lies close together is relevant together: a candidate's score counts those of its neighbours."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from warmer.index import Hit
from warmer.index.formula import unit

_POOL = 60
_NEAREST = 8


def pool(limit: int, weight: float) -> int:
    """Say how many of the best candidates to look at for a list of `limit`."""
    return max(_POOL, limit) if weight else limit


def regularize(hits: Sequence[Hit], weight: float) -> list[Hit]:
    """Rank candidates anew by the cluster hypothesis.

    Each gains the mean score of its nearest neighbours among the candidates: one step of what Diaz does in
    "Regularizing ad hoc retrieval scores" (2005).

    Args:
        hits: Candidates, best first; their scores may have any scale, but more is better.
        weight: How much the neighbours count, beside 1 for the candidate itself.
    """
    nearest = min(_NEAREST, len(hits) - 1)
    if not weight or nearest < 1:
        return list(hits)
    vectors = unit(np.stack([hit.vector for hit in hits]).astype(np.float64))
    similar = vectors @ vectors.T
    np.fill_diagonal(similar, -np.inf)
    neighbours = np.argsort(-similar, axis=1, kind="stable")[:, :nearest]
    scores = np.array([hit.score for hit in hits])
    scores += weight * scores[neighbours].mean(axis=1)
    return [replace(hits[place], score=float(scores[place])) for place in np.argsort(-scores, kind="stable")]
