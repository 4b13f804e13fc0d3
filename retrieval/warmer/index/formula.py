"""Where similarity is linear in the point, the sum over pairs of the naive formula is that to one vector."""

from collections.abc import Sequence
from dataclasses import replace

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
    examples = np.stack([own_vector(item.vector) for item in items]).astype(np.float64)
    moved: Stack = _weights(items, coefficients) @ (unit(examples) if cosine else examples)
    return moved


def one_pair(query: DenseQuery, *, cosine: bool = True) -> DenseQuery:
    """Ask the same question with one pair of examples.

    The formula's sum runs over all pairs, 120 for fifteen scores and the query, and an engine compares each point with
    both ends of each. Where that sum is the similarity to one vector, the pair of this vector and its opposite gives
    every point the same score. So it is, but for a constant, with minus the squared distance of Euclid: the squares of
    the point and of the two ends cancel out.
    """
    moved = steps(query.items, query.coefficients, cosine=cosine)
    length = float(np.linalg.norm(moved))
    # As long as the query, so that a distance to it does not swallow what the two differ by.
    size = 1.0 if cosine else _size(query)
    towards = (moved / (length or 1.0) * size).astype(np.float32)
    pair = [FeedbackItem(None, towards, 1.0), FeedbackItem(None, -towards, 0.0)]
    return DenseQuery(query.vector, pair, Coefficients(query.coefficients.a, query.coefficients.b, length / 2 / size))


def most_telling(query: DenseQuery, most: int) -> DenseQuery:
    """Leave out the examples that weigh least, where all pairs must go and their time grows with the square.

    The first one, which is the query itself, stays. The others weigh nearly what they did, since c makes up for the
    smaller number.
    """
    if len(query.items) <= most:
        return query
    weights = np.abs(_weights(query.items, query.coefficients))
    weights[0] = np.inf
    kept = sorted(np.argsort(-weights, kind="stable")[:most].tolist())
    by = query.coefficients
    return replace(
        query,
        items=[query.items[n] for n in kept],
        coefficients=replace(by, c=by.c * len(query.items) / most),
    )


def _weights(items: Sequence[FeedbackItem], coefficients: Coefficients) -> Stack:
    """Sum, for each example, conf^b c over the pairs that it is the better of, less those that it is the worse of."""
    scores = np.array([item.score for item in items])
    gaps = scores[:, None] - scores[None, :]
    weights: Stack = coefficients.c * (np.sign(gaps) * np.abs(gaps) ** coefficients.b).sum(axis=1)
    return weights


def _size(query: DenseQuery) -> float:
    return float(np.linalg.norm(own_vector(query.vector).astype(np.float64))) or 1.0
