"""Scored searches to parameters: how far scores may steer, fitted to the ranking that is served.

A sample is one search with scores for its hits. Its first hits play the seeds, the others are what feedback has to
rank. Only three numbers matter to that ranking (b, c / a and the neutral score), so the fit looks at a grid of them:
one table of nDCG@10, parameters by queries, serves the fit, its cross-validation and the comparison with vanilla and
with the defaults. It takes a fraction of a second and no gradient.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from warmer.index import Coefficients
from warmer.steering.feedback import evidence
from warmer.steering.params import Params
from warmer.vectors import Vector, unit

DEPTH = 10
SEEDS = (3, 5, 8)
FEWEST_HITS = SEEDS[0] + 2
DEFAULTS = Params()

_B = (0.0, 0.5, 1.0, 1.5, 2.0)
_NEUTRAL = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5)
_C = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 0.85, 1.0, 1.2, 1.4, 1.7, 2.0, 2.5)
_PLAIN_C = (0.0, 0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0)

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sample:
    """A scored search.

    Attributes:
        vector: The query's vector, shape (dim,).
        vectors: The hits' vectors in the order in which they were retrieved, shape (hits, dim).
        scores: The hits' scores in 0..1, shape (hits,).
    """

    vector: Vector
    vectors: NDArray[np.float32]
    scores: Floats


@dataclass(frozen=True, slots=True)
class Table:
    """What each point of the grid gains on each sample; NaN where a sample cannot tell.

    Attributes:
        grid: The parameters, b varying slowest and c fastest.
        shape: Length of each axis of the grid.
        ndcg: nDCG@10 of the hits that are no seeds, mean over the numbers of seeds; shape (grid, samples).
        above: With five seeds, how many of the first ten score as high as the best seed; same shape.
        dcg: With five seeds, DCG@10; same shape.
        disagreement: With five seeds, whether the judge prefers another hit to all of them; shape (samples,).
    """

    grid: list[Params]
    shape: tuple[int, int, int]
    ndcg: Floats
    above: Floats
    dcg: Floats
    disagreement: Floats

    def at(self, params: Params) -> int:
        """Find parameters in the grid."""
        wanted = (params.b, params.neutral, params.c)
        return next(n for n, p in enumerate(self.grid) if (p.b, p.neutral, p.c) == wanted)

    def best(self, samples: NDArray[np.intp]) -> int:
        """Choose parameters for some samples: the top of the mean nDCG, smoothed over neighbours in the grid.

        A lone peak is chance more often than not.
        """
        means = self.ndcg[:, samples].mean(axis=1).reshape(self.shape)
        padded = np.pad(means, 1, mode="edge")
        windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3, 3))
        return int(windows.mean(axis=(-3, -2, -1)).argmax())


def tabulate(samples: Sequence[Sample]) -> Table:
    """Rank every sample by every point of the grid, as the server would."""
    axes = (_B, _NEUTRAL, _C)
    grid = [Params(b=b, neutral=neutral, c=c) for b, neutral, c in product(*axes)]
    pairs = list(product(_B, _NEUTRAL))

    def directions(sample: Sample, seeds: int) -> Floats:
        return np.array([_direction(sample, seeds, b, neutral) for b, neutral in pairs])

    return _tabulate(samples, grid, (len(_B), len(_NEUTRAL), len(_C)), directions, _C)


def fit_plain(samples: Sequence[Sample]) -> Coefficients:
    """Fit a, b, c for plain use with any Qdrant client: all pairs of scored hits, no anchor, no normalisation."""

    def directions(sample: Sample, seeds: int) -> Floats:
        return np.array([_direction(sample, seeds, b, None) for b in _B])

    grid = [Params(b=b, c=c) for b, c in product(_B, _PLAIN_C)]
    table = _tabulate(samples, grid, (len(_B), 1, len(_PLAIN_C)), directions, _PLAIN_C)
    best = grid[table.best(usable(table))]
    return Coefficients(best.a, best.b, best.c)


def usable(table: Table) -> NDArray[np.intp]:
    """Number the samples that can tell one ranking from another."""
    return np.flatnonzero(~np.isnan(table.ndcg[0]))


def fit(table: Table) -> Params:
    """Fit parameters to all samples that can tell.

    Raises:
        ValueError: None can.
    """
    samples = usable(table)
    if not samples.size:
        raise ValueError("no sample can tell one ranking from another")
    return replace(table.grid[table.best(samples)], source="trained")


def dcg(gains: Floats) -> Floats:
    """Discounted cumulative gain of the first ten, linear gains (Järvelin and Kekäläinen, 2002); last axis: ranks."""
    depth = min(DEPTH, gains.shape[-1])
    return np.asarray(gains[..., :depth] @ (1 / np.log2(np.arange(2, depth + 2))))


def _tabulate(
    samples: Sequence[Sample],
    grid: list[Params],
    shape: tuple[int, int, int],
    directions: Callable[[Sample, int], Floats],
    steps: Sequence[float],
) -> Table:
    tables = np.full((3, len(SEEDS), len(grid), len(samples)), np.nan)
    for column, sample in enumerate(samples):
        for row, seeds in enumerate(SEEDS):
            rest = sample.scores[seeds:]
            if rest.size < FEWEST_HITS - SEEDS[0] or np.ptp(rest) == 0:
                continue
            similarity = unit(sample.vectors[seeds:]) @ unit(sample.vector)
            moved = directions(sample, seeds)[:, None, :] * np.array(steps)[:, None]
            order = np.argsort(-(similarity + moved), axis=-1, kind="stable").reshape(len(grid), -1)
            gains = rest[order]
            reached = dcg(gains)
            above = (gains[:, :DEPTH] >= sample.scores[:seeds].max()).sum(axis=1)
            told = np.ptp(sample.scores[:seeds]) > 0  # the tutorial leaves out queries whose seeds are all alike
            tables[:, row, :, column] = (
                reached / dcg(-np.sort(-rest)),
                *(np.where(told, x, np.nan) for x in (above, reached)),
            )
    ndcg, above, reached = tables
    with np.errstate(invalid="ignore"):
        mean = np.nansum(ndcg, axis=0) / (~np.isnan(ndcg)).sum(axis=0)
    five = SEEDS.index(5)
    return Table(grid, shape, mean, above[five], reached[five], np.array([_disagrees(sample) for sample in samples]))


def _disagrees(sample: Sample) -> float:
    seeds, rest = sample.scores[:5], sample.scores[5:]
    return float(rest.max() > seeds.max()) if rest.size else np.nan


def _direction(sample: Sample, seeds: int, b: float, neutral: float | None) -> Floats:
    """Weigh the examples and project the other hits on the sum: what one unit of c adds to each."""
    examples, scores = sample.vectors[:seeds], sample.scores[:seeds]
    if neutral is not None:
        examples, scores = np.vstack([sample.vector, examples]), np.concatenate([[neutral], scores])
    gaps = np.subtract.outer(scores, scores)
    weights = np.where(gaps == 0, 0.0, np.sign(gaps) * np.abs(gaps) ** b)
    step = max(np.abs(weights).sum() / 2, DEFAULTS.floor) if neutral is not None else 1.0
    if neutral is not None:
        step /= evidence(seeds) * (DEFAULTS.caution if sample.scores[:seeds].max() <= neutral else 1)
    return np.asarray(unit(sample.vectors[seeds:]) @ (weights.sum(axis=1) @ unit(examples)) / step)
