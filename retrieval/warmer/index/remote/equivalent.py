"""What stands for the feedback query on a server that has none."""

from collections.abc import Sequence

import numpy as np
from qdrant_client import models

from warmer.index import Coefficients, FeedbackItem, Vector, own_vector

LINEAR = {models.Distance.COSINE, models.Distance.DOT}


def equivalent(
    distance: models.Distance, vector: Vector, items: Sequence[FeedbackItem], coefficients: Coefficients
) -> Vector:
    """Give the one vector whose nearest neighbours are the feedback query's ranking.

    The naive formula is linear in the point where the similarity is (LINEAR): it is the similarity to
    a q + sum of conf^b c (pos - neg). Qdrant's cosine is the dot product of normalised vectors, its dot product takes
    them as they are.
    """
    scores = np.array([item.score for item in items])
    gaps = scores[:, None] - scores[None, :]
    weights = coefficients.c * (np.sign(gaps) * np.abs(gaps) ** coefficients.b).sum(axis=1)
    stacked = np.stack([vector, *(own_vector(item.vector) for item in items)]).astype(np.float64)
    if distance == models.Distance.COSINE:
        norms = np.linalg.norm(stacked, axis=1, keepdims=True)
        stacked = np.divide(stacked, norms, out=stacked, where=norms > 0)
    moved: Vector = (np.array([coefficients.a, *weights]) @ stacked).astype(np.float32)
    return moved
