"""Where similarity is linear in the point, the sum over pairs of the naive formula is that to one vector."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from warmer.index import Coefficients, FeedbackItem, own_vector

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


def unit(vectors: NDArray[Any]) -> Stack:
    """Scale vectors, shape (..., dim), to length 1; zeros stay zeros."""
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    scaled: Stack = np.divide(vectors, norms, out=np.zeros_like(vectors), where=norms > 0).astype(
        np.float64, copy=False
    )
    return scaled
