"""What stands for the feedback query on a server that has none."""

from collections.abc import Sequence

import numpy as np
from qdrant_client import models

from warmer.index import Coefficients, FeedbackItem
from warmer.index.formula import steps
from warmer.vectors import Vector, unit

LINEAR = {models.Distance.COSINE, models.Distance.DOT}


def equivalent(
    distance: models.Distance, vector: Vector, items: Sequence[FeedbackItem], coefficients: Coefficients
) -> Vector:
    """Give the one vector whose nearest neighbours are the feedback query's ranking.

    The naive formula is linear in the point where the similarity is (LINEAR): it is the similarity to
    a q + sum of conf^b c (pos - neg). Qdrant's cosine is the dot product of normalised vectors, its dot product takes
    them as they are.
    """
    cosine = distance == models.Distance.COSINE
    query = vector.astype(np.float64)
    moved = coefficients.a * (unit(query) if cosine else query) + steps(items, coefficients, cosine=cosine)
    return moved.astype(np.float32)
