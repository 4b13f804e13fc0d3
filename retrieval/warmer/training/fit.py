"""Fit of the steering parameters to scored searches, by grid search over the ranking that is served.

A sample is one search with scores for its hits. Its first hits are the seeds, and feedback has to rank the others. That
ranking depends on three numbers only (b, c / a and the neutral score). So one table of nDCG@10, with a row per point of
their grid and a column per sample, serves the fit, its cross-validation and the comparison with vanilla retrieval and
the default parameters.
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
    """A scored search, as training data.

    Attributes:
        vector: Vector of the query, shape (dim,).
        vectors: Vectors of the hits in retrieval order, shape (hits, dim).
        scores: Scores of the hits, 0..1, shape (hits,).
    """

    vector: Vector
    vectors: NDArray[np.float32]
    scores: Floats


@dataclass(frozen=True, slots=True)
class Table:
    """Measures of each point of the grid on each sample; NaN where a sample cannot tell rankings apart.

    Attributes:
        grid: Parameters, b varying slowest and c fastest.
        shape: Length of each axis of the grid.
        ndcg: nDCG@10 of the hits after the seeds, mean over the numbers of seeds; shape (grid, samples).
        above_threshold: With five seeds, how many of the first ten hits score as high as the best seed; same shape.
        dcg: With five seeds, DCG@10 of the hits after the seeds; same shape.
        disagreement: With five seeds, whether the judge prefers a later hit to all of them; shape (samples,).
    """

    grid: list[Params]
    shape: tuple[int, int, int]
    ndcg: Floats
    above_threshold: Floats
    dcg: Floats
    disagreement: Floats

    def at(self, params: Params) -> int:
        """Return the index of parameters in the grid."""
        wanted = (params.b, params.neutral, params.c)
        return next(n for n, p in enumerate(self.grid) if (p.b, p.neutral, p.c) == wanted)

    def best(self, samples: NDArray[np.intp]) -> int:
        """Return the index of the parameters with the highest mean nDCG on some samples.

        The mean is smoothed over neighbours in the grid, since a lone peak is mostly chance.
        """
        means = self.ndcg[:, samples].mean(axis=1).reshape(self.shape)
        padded = np.pad(means, 1, mode="edge")
        windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3, 3))
        return int(windows.mean(axis=(-3, -2, -1)).argmax())


def tabulate(samples: Sequence[Sample]) -> Table:
    """Rank every sample with every point of the grid, as the server would."""
    axes = (_B, _NEUTRAL, _C)
    grid = [Params(b=b, neutral=neutral, c=c) for b, neutral, c in product(*axes)]
    pairs = list(product(_B, _NEUTRAL))

    def feedback_terms(sample: Sample, seeds: int) -> Floats:
        return np.array([_feedback_term(sample, seeds, b, neutral) for b, neutral in pairs])

    return _tabulate(samples, grid, (len(_B), len(_NEUTRAL), len(_C)), feedback_terms, _C)


def fit_plain(samples: Sequence[Sample]) -> Coefficients:
    """Fit a, b, c of Qdrant's own feedback formula: all pairs of scored hits, without anchor and normalisation."""

    def feedback_terms(sample: Sample, seeds: int) -> Floats:
        return np.array([_feedback_term(sample, seeds, b, None) for b in _B])

    grid = [Params(b=b, c=c) for b, c in product(_B, _PLAIN_C)]
    table = _tabulate(samples, grid, (len(_B), 1, len(_PLAIN_C)), feedback_terms, _PLAIN_C)
    best = grid[table.best(usable(table))]
    return Coefficients(best.a, best.b, best.c)


def usable(table: Table) -> NDArray[np.intp]:
    """Return the indices of the samples that can tell rankings apart."""
    return np.flatnonzero(~np.isnan(table.ndcg[0]))


def fit(table: Table) -> Params:
    """Fit parameters to all usable samples.

    Raises:
        ValueError: No sample is usable.
    """
    samples = usable(table)
    if not samples.size:
        raise ValueError("no sample can tell one ranking from another")
    return replace(table.grid[table.best(samples)], source="trained")


def dcg(gains: Floats) -> Floats:
    """Return DCG@10 along the last axis, with linear gains (Järvelin and Kekäläinen, 2002)."""
    depth = min(DEPTH, gains.shape[-1])
    return np.asarray(gains[..., :depth] @ (1 / np.log2(np.arange(2, depth + 2))))


def _tabulate(
    samples: Sequence[Sample],
    grid: list[Params],
    shape: tuple[int, int, int],
    feedback_terms: Callable[[Sample, int], Floats],
    c_values: Sequence[float],
) -> Table:
    measures = np.full((3, len(SEEDS), len(grid), len(samples)), np.nan)
    for column, sample in enumerate(samples):
        for row, seeds in enumerate(SEEDS):
            rest = sample.scores[seeds:]
            if rest.size < FEWEST_HITS - SEEDS[0] or np.ptp(rest) == 0:
                continue
            similarity = unit(sample.vectors[seeds:]) @ unit(sample.vector)
            shifts = feedback_terms(sample, seeds)[:, None, :] * np.array(c_values)[:, None]
            order = np.argsort(-(similarity + shifts), axis=-1, kind="stable").reshape(len(grid), -1)
            gains = rest[order]
            reached = dcg(gains)
            above_threshold = (gains[:, :DEPTH] >= sample.scores[:seeds].max()).sum(axis=1)
            informative = np.ptp(sample.scores[:seeds]) > 0  # the tutorial drops queries with equal seeds
            measures[:, row, :, column] = (
                reached / dcg(-np.sort(-rest)),
                *(np.where(informative, x, np.nan) for x in (above_threshold, reached)),
            )
    ndcg, above_threshold, reached = measures
    with np.errstate(invalid="ignore"):
        mean = np.nansum(ndcg, axis=0) / (~np.isnan(ndcg)).sum(axis=0)
    five = SEEDS.index(5)
    disagreement = np.array([_disagreement(sample) for sample in samples])
    return Table(grid, shape, mean, above_threshold[five], reached[five], disagreement)


def _disagreement(sample: Sample) -> float:
    seeds, rest = sample.scores[:5], sample.scores[5:]
    return float(rest.max() > seeds.max()) if rest.size else np.nan


def _feedback_term(sample: Sample, seeds: int, b: float, neutral: float | None) -> Floats:
    """Return the feedback term of the formula at c = 1 for each hit after the seeds, shape (hits - seeds,)."""
    examples, scores = sample.vectors[:seeds], sample.scores[:seeds]
    if neutral is not None:
        examples, scores = np.vstack([sample.vector, examples]), np.concatenate([[neutral], scores])
    gaps = np.subtract.outer(scores, scores)
    weights = np.where(gaps == 0, 0.0, np.sign(gaps) * np.abs(gaps) ** b)
    scale = max(np.abs(weights).sum() / 2, DEFAULTS.floor) if neutral is not None else 1.0
    if neutral is not None:
        scale /= evidence(seeds) * (DEFAULTS.caution if sample.scores[:seeds].max() <= neutral else 1)
    return np.asarray(unit(sample.vectors[seeds:]) @ (weights.sum(axis=1) @ unit(examples)) / scale)
