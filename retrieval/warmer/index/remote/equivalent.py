"""What stands for the feedback query on a server that has none."""

from collections.abc import Sequence

import numpy as np
from qdrant_client import models

from warmer.index import Coefficients, FeedbackItem
from warmer.index.formula import steps
from warmer.vectors import Vector, unit

# By which the naive formula of all pairs ranks as that of one pair does.
ONE_PAIR = {models.Distance.COSINE, models.Distance.DOT, models.Distance.EUCLID}
ASCENDING = {models.Distance.EUCLID, models.Distance.MANHATTAN}  # a nearest query gives the least first


def equivalent(
    distance: models.Distance, vector: Vector, items: Sequence[FeedbackItem], coefficients: Coefficients
) -> Vector:
    """Give the one vector whose nearest neighbours are the feedback query's ranking.

    The naive formula is linear in the point where the similarity is: it is the similarity to
    a q + sum of conf^b c (pos - neg). Qdrant's cosine is the dot product of normalised vectors, its dot product takes
    them as they are. Euclid's similarity is minus the squared distance: a |x|^2 remains of the squares, so that the
    ranking is by the distance to that vector divided by a.
    """
    cosine = distance == models.Distance.COSINE
    query = vector.astype(np.float64)
    moved = coefficients.a * (unit(query) if cosine else query) + steps(items, coefficients, cosine=cosine)
    return (moved / coefficients.a if distance == models.Distance.EUCLID else moved).astype(np.float32)
