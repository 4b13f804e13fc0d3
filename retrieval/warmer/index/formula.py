"""Where similarity is linear in the point, the sum over pairs of the naive formula is that to one vector."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from warmer.index import Coefficients, FeedbackItem
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
