"""Rocchio's feedback, graded and tuned: the strong baseline.

q' = q + towards * mean(score * hit) - away * mean((1 - score) * hit), both means over all scored hits, after Rocchio
(1971). The two weights are tuned on the training queries, by nDCG@10 of the hits that were not seeds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from warmer.training.fit import SEEDS, Sample, dcg
from warmer.vectors import Vector, unit

_TOWARDS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.5, 7.0)
_AWAY = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0)

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Weights:
    """How far the query moves towards what scored high, and away from what scored low."""

    towards: float
    away: float


def move(vector: Vector, vectors: NDArray[np.float32], scores: Floats, weights: Weights) -> Vector:
    """Move a query; shapes (dim,), (hits, dim) and (hits,), scores 0 to 1; all vectors are normalised first."""
    good, bad = _centres(unit(vectors), scores)
    moved = unit(vector) + weights.towards * good - weights.away * bad
    return np.asarray(moved, dtype=np.float32)


def tune(samples: Sequence[Sample]) -> Weights:
    """Choose the weights that rank the training queries' other hits best.

    As for our own parameters, the mean is over several numbers of seeds.
    """
    grid = [Weights(towards, away) for towards, away in product(_TOWARDS, _AWAY)]
    gains = [_gains(sample, seeds, grid) for sample in samples for seeds in SEEDS if _tells(sample.scores[seeds:])]
    means = np.mean(gains, axis=0) if gains else np.zeros(len(grid))
    return grid[int(means.argmax())]


def _gains(sample: Sample, seeds: int, grid: Sequence[Weights]) -> Floats:
    """Give nDCG@10 of the hits behind the seeds, for each point of the grid."""
    rest = sample.scores[seeds:]
    good, bad = _centres(unit(sample.vectors[:seeds]), sample.scores[:seeds])
    queries = np.array([unit(sample.vector) + w.towards * good - w.away * bad for w in grid])
    order = np.argsort(-(queries @ unit(sample.vectors[seeds:]).T), axis=1, kind="stable")
    return np.asarray(dcg(rest[order]) / dcg(-np.sort(-rest)))


def _tells(scores: Floats) -> bool:
    return bool(scores.size and np.ptp(scores))


def _centres(vectors: Floats, scores: Floats) -> tuple[Floats, Floats]:
    return scores @ vectors / len(scores), (1 - scores) @ vectors / len(scores)
