"""Rocchio feedback with graded scores and tuned weights: the strong baseline.

q' = q + towards * mean(score * hit) - away * mean((1 - score) * hit), both means over all scored hits (Rocchio, 1971).
The two weights are tuned on the training queries, by nDCG@10 of the hits that are not seeds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from warmer.training.fit import SEEDS, Sample, dcg
from warmer.vectors import Vector, unit

_TOWARDS_GRID = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.5, 7.0)
_AWAY_GRID = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0)

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Weights:
    """How far the query moves towards high-scored hits and away from low-scored ones."""

    towards: float
    away: float


def move(vector: Vector, vectors: NDArray[np.float32], scores: Floats, weights: Weights) -> Vector:
    """Move a query.

    Args:
        vector: The query, shape (dim,).
        vectors: The scored hits, shape (hits, dim).
        scores: Their scores, 0 to 1, shape (hits,).
        weights: How far to move.

    Returns:
        The moved query, shape (dim,), from normalised vectors; not normalised itself.
    """
    good, bad = _centroids(unit(vectors), scores)
    moved = unit(vector) + weights.towards * good - weights.away * bad
    return np.asarray(moved, dtype=np.float32)


def tune(samples: Sequence[Sample]) -> Weights:
    """Choose the weights with the highest nDCG@10 on the training queries' hits that are not seeds.

    The mean is over several numbers of seeds, as in the fit of our own parameters.
    """
    grid = [Weights(towards, away) for towards, away in product(_TOWARDS_GRID, _AWAY_GRID)]
    ndcg = [
        _ndcg_on_grid(sample, seeds, grid) for sample in samples for seeds in SEEDS if _differ(sample.scores[seeds:])
    ]
    means = np.mean(ndcg, axis=0) if ndcg else np.zeros(len(grid))
    return grid[int(means.argmax())]


def _ndcg_on_grid(sample: Sample, seeds: int, grid: Sequence[Weights]) -> Floats:
    """Return nDCG@10 of the hits after the seeds; shape (grid,)."""
    rest = sample.scores[seeds:]
    good, bad = _centroids(unit(sample.vectors[:seeds]), sample.scores[:seeds])
    queries = np.array([unit(sample.vector) + w.towards * good - w.away * bad for w in grid])
    order = np.argsort(-(queries @ unit(sample.vectors[seeds:]).T), axis=1, kind="stable")
    return np.asarray(dcg(rest[order]) / dcg(-np.sort(-rest)))


def _differ(scores: Floats) -> bool:
    return bool(scores.size and np.ptp(scores))


def _centroids(vectors: Floats, scores: Floats) -> tuple[Floats, Floats]:
    return scores @ vectors / len(scores), (1 - scores) @ vectors / len(scores)
