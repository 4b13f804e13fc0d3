"""Where similarity is linear in the point, the sum over pairs of the naive formula is that to one vector."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from warmer.index import Coefficients, DenseQuery, FeedbackItem
from warmer.vectors import own_vector, unit

Stack = NDArray[np.float64]


def steps(items: Sequence[FeedbackItem], coefficients: Coefficients, *, cosine: bool = True) -> Stack:
    """Sum conf^b c (pos - neg) over all pairs; shape (dim,).

    Args:
        items: Examples with scores.
        coefficients: The formula's.
        cosine: Whether vectors are compared by direction alone; else they count as they are.
    """
    scores = np.array([item.score for item in items])
    gaps = scores[:, None] - scores[None, :]
    weights = coefficients.c * (np.sign(gaps) * np.abs(gaps) ** coefficients.b).sum(axis=1)
    examples = np.stack([own_vector(item.vector) for item in items]).astype(np.float64)
    moved: Stack = weights @ (unit(examples) if cosine else examples)
    return moved


def one_pair(query: DenseQuery, *, cosine: bool = True) -> DenseQuery:
    """Ask the same question with one pair of examples.

    The formula's sum runs over all pairs, 120 for fifteen scores and the query, and an engine compares each point with
    both ends of each. Where that sum is the similarity to one vector, the pair of this vector and its opposite gives
    every point the same score.
    """
    moved = steps(query.items, query.coefficients, cosine=cosine)
    length = float(np.linalg.norm(moved))
    towards = (moved / (length or 1.0)).astype(np.float32)
    pair = [FeedbackItem(None, towards, 1.0), FeedbackItem(None, -towards, 0.0)]
    return DenseQuery(query.vector, pair, Coefficients(query.coefficients.a, query.coefficients.b, length / 2))
