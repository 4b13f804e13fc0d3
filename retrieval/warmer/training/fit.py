"""Fit of the steering parameters to scored searches, by grid search over the ranking that is served.

A sample is one search with scores for its hits. Its first hits play the seeds, the others are what feedback has to
rank. Searches of one query, whoever made and scored them, count together as one. The fit looks at a grid of the
neutral score, the step c and the share of the words: one table of nDCG@10, parameters by queries, serves the fit, its
cross-validation and the comparison with vanilla and with the defaults. It takes a fraction of a second and no gradient.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from warmer.index import Coefficients
from warmer.steering.feedback import Example, weigh
from warmer.steering.params import Params
from warmer.steering.wording import Wording
from warmer.vectors import Vector, unit

DEPTH = 10
SEEDS = (3, 5, 8)
FEWEST_HITS = SEEDS[0] + 2
DEFAULTS = Params()

# The defaults are in the grid, so that they can be compared with.
_NEUTRAL = tuple(sorted({0.1, 0.2, 0.3, 0.4, 0.5, 0.6, DEFAULTS.neutral}))
_C = tuple(sorted({0.0, 0.2, 0.4, 0.6, 0.9, 1.2, 1.6, 2.0, 2.5, DEFAULTS.c}))
_SHARE = (0.0, 0.1, 0.2, 0.3)  # and what is served: hits that vectors found favour words, which rank them alone
_PLAIN_B = (0.0, 0.5, 1.0, 1.5, 2.0)
_PLAIN_C = (0.0, 0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0)

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sample:
    """A scored search, as training data.

    Attributes:
        vector: What it looked for, shape (dim,).
        vectors: The hits' vectors in the order in which they were retrieved, shape (hits, dim).
        scores: The hits' scores in 0..1, shape (hits,).
        lexical: The hits' scores by words, shape (hits,); None where words are not searched.
        query: What was asked; empty for a query that no other sample has.
        wordings: How it was put, the first wording first; empty where only `vector` is known.
        earlier: What an earlier thread that asked for the same says.
    """

    vector: Vector
    vectors: NDArray[np.float32]
    scores: Floats
    lexical: Floats | None = None
    query: str = ""
    wordings: Sequence[Wording] = ()
    earlier: Sequence[Example] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """Measures of each point of the grid on each query; NaN where its samples cannot tell rankings apart.

    Attributes:
        grid: The parameters, the neutral score varying slowest and the share fastest.
        shape: Length of each axis of the grid.
        ndcg: nDCG@10 of the hits that are no seeds, mean over the numbers of seeds; shape (grid, queries).
        above_threshold: With five seeds, how many of the first ten score as high as the best seed; same shape.
        dcg: With five seeds, DCG@10; same shape.
        disagreement: With five seeds, how often the judge prefers another hit to all of them; shape (queries,).
        default: The place of the defaults in the grid.
        vanilla: The place of the defaults without any feedback.
    """

    grid: list[Params]
    shape: tuple[int, ...]
    ndcg: Floats
    above_threshold: Floats
    dcg: Floats
    disagreement: Floats
    default: int = 0
    vanilla: int = 0

    def at(self, params: Params) -> int:
        """Find parameters in the grid."""
        wanted = (params.neutral, params.c, params.share)
        return next(n for n, p in enumerate(self.grid) if (p.neutral, p.c, p.share) == wanted)

    def best(self, samples: NDArray[np.intp]) -> int:
        """Return the index of the parameters with the highest mean nDCG on some samples.

        The mean is smoothed over neighbours in the grid, since a lone peak is mostly chance.
        """
        means = self.ndcg[:, samples].mean(axis=1).reshape(self.shape)
        padded = np.pad(means, 1, mode="edge")
        windows = np.lib.stride_tricks.sliding_window_view(padded, (3,) * means.ndim)
        return int(windows.mean(axis=tuple(range(-means.ndim, 0))).argmax())


def tabulate(samples: Sequence[Sample], share: float = 0.4) -> Table:
    """Rank every sample by every point of the grid, as the server would.

    Args:
        samples: Scored searches.
        share: The share of the words that is served without training.
    """
    hybrid = any(sample.lexical is not None for sample in samples)
    shares = tuple(sorted({*_SHARE, share})) if hybrid else (None,)
    grid = [
        replace(DEFAULTS, neutral=neutral, c=c, share=weight) for neutral, c, weight in product(_NEUTRAL, _C, shares)
    ]

    def ranked(sample: Sample, seeds: int) -> Floats:
        similarity = unit(sample.vectors[seeds:]) @ unit(sample.vector)
        moves = np.array([_moves(sample, seeds, neutral) for neutral in _NEUTRAL])
        dense = standard(similarity + moves[:, None, :] * np.array(_C)[:, None])[:, :, None, :]
        if sample.lexical is None:
            return np.broadcast_to(dense, (len(_NEUTRAL), len(_C), len(shares), similarity.size))
        words = np.array([weight or 0.0 for weight in shares])[:, None]
        return np.asarray((1 - words) * dense + words * standard(sample.lexical[seeds:]))

    table = _tabulate(samples, grid, (len(_NEUTRAL), len(_C), len(shares)), ranked)
    served = replace(DEFAULTS, share=share if hybrid else None)
    return replace(table, default=table.at(served), vanilla=table.at(replace(served, c=0.0)))


def fit_plain(samples: Sequence[Sample]) -> Coefficients:
    """Fit a, b, c for plain use with any Qdrant client: all pairs of scored hits, no anchor, no normalisation."""
    numbers = list(product(_PLAIN_B, _PLAIN_C))

    def ranked(sample: Sample, seeds: int) -> Floats:
        rest = unit(sample.vectors[seeds:])
        moves = np.array([rest @ _pairs(sample, seeds, b) for b in _PLAIN_B])
        return np.asarray(rest @ unit(sample.vector) + moves[:, None, :] * np.array(_PLAIN_C)[:, None])

    table = _tabulate(samples, [DEFAULTS] * len(numbers), (len(_PLAIN_B), len(_PLAIN_C)), ranked)
    b, c = numbers[table.best(usable(table))]
    return Coefficients(1.0, b, c)


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
    shape: tuple[int, ...],
    ranked: Callable[[Sample, int], Floats],
) -> Table:
    measures = np.full((3, len(SEEDS), len(grid), len(samples)), np.nan)
    for column, sample in enumerate(samples):
        for row, seeds in enumerate(SEEDS):
            rest = sample.scores[seeds:]
            if rest.size < FEWEST_HITS - SEEDS[0] or np.ptp(rest) == 0:
                continue
            order = np.argsort(-ranked(sample, seeds).reshape(len(grid), -1), axis=-1, kind="stable")
            gains = rest[order]
            reached = dcg(gains)
            above_threshold = (gains[:, :DEPTH] >= sample.scores[:seeds].max()).sum(axis=1)
            informative = np.ptp(sample.scores[:seeds]) > 0  # the tutorial drops queries with equal seeds
            measures[:, row, :, column] = (
                reached / dcg(-np.sort(-rest)),
                *(np.where(informative, x, np.nan) for x in (above_threshold, reached)),
            )
    ndcg, above_threshold, reached = measures
    five = SEEDS.index(5)
    disagreement = np.array([_disagreement(sample) for sample in samples])
    return Table(
        grid,
        shape,
        by_query(_known_mean(ndcg, axis=0), samples),
        by_query(above_threshold[five], samples),
        by_query(reached[five], samples),
        by_query(disagreement, samples),
    )


def by_query(values: Floats, samples: Sequence[Sample]) -> Floats:
    """Average over the samples of each query along the last axis; queries stay in the order of their first samples."""
    columns: dict[str | int, list[int]] = {}
    for column, sample in enumerate(samples):
        columns.setdefault(sample.query or column, []).append(column)
    return np.stack([_known_mean(values[..., own], axis=-1) for own in columns.values()], axis=-1)


def _known_mean(values: Floats, axis: int) -> Floats:
    """Average what is no NaN along an axis; NaN where there is nothing else."""
    with np.errstate(invalid="ignore"):
        return np.asarray(np.nansum(values, axis=axis) / (~np.isnan(values)).sum(axis=axis))


def _disagreement(sample: Sample) -> float:
    seeds, rest = sample.scores[:5], sample.scores[5:]
    return float(rest.max() > seeds.max()) if rest.size else np.nan


def _moves(sample: Sample, seeds: int, neutral: float) -> Floats:
    """Say what one unit of c adds to the similarity of each hit that is no seed."""
    hits = zip(sample.vectors[:seeds], sample.scores[:seeds].tolist(), strict=True)
    examples = [Example(str(n), vector, score) for n, (vector, score) in enumerate(hits)]
    feedback = weigh(examples, replace(DEFAULTS, c=1.0, neutral=neutral))
    vectors = unit(np.stack([example.vector for example in feedback.examples]))
    return np.asarray(unit(sample.vectors[seeds:]) @ (feedback.weights @ vectors))


def _pairs(sample: Sample, seeds: int, b: float) -> Floats:
    """Sum conf^b (pos - neg) over all pairs of seeds, shape (dim,)."""
    gaps = np.subtract.outer(sample.scores[:seeds], sample.scores[:seeds])
    weights = np.where(gaps == 0, 0.0, np.sign(gaps) * np.abs(gaps) ** b)
    return np.asarray(weights.sum(axis=1) @ unit(sample.vectors[:seeds]))


def standard(scores: Floats) -> Floats:
    """Standardise over the last axis."""
    spread = scores.std(axis=-1, keepdims=True)
    centred = scores - scores.mean(axis=-1, keepdims=True)
    return np.asarray(np.divide(centred, spread, out=np.zeros_like(centred), where=spread > 0))
