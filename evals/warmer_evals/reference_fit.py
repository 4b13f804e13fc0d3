"""The fit of a, b and c that qdrant-relevance-feedback 0.1.1 makes, in NumPy: same objective, same optimiser, no torch.

Of each query's first five hits the two whose scores are furthest apart make a pair; a query whose first five all score
alike has none and is dropped. The hits beyond the first five are scored by the formula with that one pair,

    f(x) = a sim(q, x) + c g^b d(x),    d(x) = sim(positive, x) - sim(negative, x),

where g is the gap between the pair's scores. Of any two of these hits, the one that the judge prefers is to lead by a
margin m; with w the worse and t the better one, and the sum over all such couples of all queries,

    L(a, b, c) = sum max(0, f(w) - f(t) + m).

Over the couples whose term is not below zero (torch passes the gradient where the clamp just touches), and with
X = sim(q, w) - sim(q, t) and D = d(w) - d(t), the gradient is

    dL/da = sum X,    dL/db = sum c g^b ln(g) D,    dL/dc = sum g^b D.

Adam (Kingma and Ba, 2015) goes down L on the first half of the queries, from a = b = c = 1, for 1000 epochs. What gives
the lowest L on the second half is kept, and the descent ends early when that has not improved for 200 epochs. As in the
package, parameters and Adam's moments are float32, the data float64, and the starting point itself is never kept.

The package asks for the same number of hits for each query; here each query may have its own.

Near the kinks of L the descent is chaotic. Most fits agree with the package's to 1e-6, but on few or noisy queries a
difference of 1e-8 in the similarities can move the parameters in the second digit, at almost the same loss.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from warmer.index import Coefficients
from warmer.training.fit import Sample
from warmer.vectors import unit
from warmer_evals import EvalError

MARGIN = 0.01
_SEEDS = 5
_RATE = 0.005
_DECAY = (0.9, 0.999)
_EPSILON = 1e-8
_EPOCHS = 1000
_PATIENCE = 200
_MIN_DELTA = 1e-6

Floats = NDArray[np.float64]
Params = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Couples:
    """Hits of which the judge prefers one to the other, over some queries; all of shape (couples,).

    Attributes:
        similarity: The worse hit's similarity to the query, less the better one's.
        delta: The worse hit's lean to the positive over the negative, less the better one's.
        gap: How far the scores of positive and negative are apart, > 0.
    """

    similarity: Floats
    delta: Floats
    gap: Floats


def fit_reference(samples: Sequence[Sample]) -> Coefficients:
    """Fit a, b and c as the package does.

    Args:
        samples: Scored searches; the first half of those that are usable trains, the second validates.

    Raises:
        EvalError: Too few samples are usable, or the fit ends where Qdrant's formula is not defined.
    """
    queries = [couples for sample in samples if (couples := couple(sample)) is not None]
    half = len(queries) // 2
    training, validation = _join(queries[:half]), _join(queries[half:])
    if not (training.gap.size and validation.gap.size):
        raise EvalError(
            "the fit of qdrant-relevance-feedback needs two halves of queries, to train and to validate on, whose "
            f"scores differ both in the first {_SEEDS} hits and beyond; {len(queries)} of {len(samples)} queries are "
            f"usable, with {training.gap.size} and {validation.gap.size} couples of hits. On so little data the "
            "package itself gives the untrained a = 1, b = 1, c = 1 without a word. Score more queries, more hits of "
            "each, or with a finer judge"
        )
    a, b, c = (float(value) for value in descend(training, validation))
    try:
        return Coefficients(a, b, c)
    except ValueError as error:
        raise EvalError(
            f"the fit of qdrant-relevance-feedback ended at a = {a:.4f}, b = {b:.4f}, c = {c:.4f} on {len(queries)} "
            "queries; Qdrant's formula needs a > 0 and b >= 0. Score more queries, or use a judge whose scores agree "
            "better with the retrieval"
        ) from error


def couple(sample: Sample) -> Couples | None:
    """Set the hits beyond the first five against each other; None if the sample has no pair or no such hits."""
    seeds, scores = sample.scores[:_SEEDS], sample.scores[_SEEDS:]
    if not scores.size or not np.ptp(seeds):
        return None
    gaps = np.subtract.outer(seeds, seeds).T
    negative, positive = np.unravel_index(gaps.argmax(), gaps.shape)  # of equal gaps the first, the negative leading
    vectors = unit(sample.vectors)
    hits, target = vectors[_SEEDS:], scores - seeds.max()
    similarity, delta = hits @ unit(sample.vector), hits @ vectors[positive] - hits @ vectors[negative]
    worse, better = np.nonzero(target[:, None] < target)
    return Couples(
        similarity=similarity[worse] - similarity[better],
        delta=delta[worse] - delta[better],
        gap=np.full(worse.size, gaps[negative, positive]),
    )


def loss(couples: Couples, params: Params | Floats) -> float:
    """Sum by how much the couples miss their margin, L(a, b, c)."""
    return float(np.maximum(_misses(couples, params), 0).sum())


def gradient(couples: Couples, params: Params | Floats) -> Floats:
    """Derive L by a, b and c; shape (3,)."""
    _, b, c = (float(value) for value in params)
    missed = _misses(couples, params) >= 0
    gap = couples.gap[missed]
    moved = gap**b * couples.delta[missed]
    return np.array([couples.similarity[missed].sum(), c * (np.log(gap) * moved).sum(), moved.sum()])


def descend(training: Couples, validation: Couples) -> Params:
    """Train with Adam and keep what validates best; shape (3,)."""
    best, lowest, waited = np.ones(3, dtype=np.float32), np.inf, 0
    for params in islice(_adam(training), _EPOCHS):
        reached = loss(validation, params)
        if reached + _MIN_DELTA < lowest:
            best, lowest, waited = params, reached, 0
        else:
            waited += 1
        if waited >= _PATIENCE:
            break
    return best


def _adam(couples: Couples) -> Iterator[Params]:
    """Go down from a = b = c = 1, for ever; gives the parameters after each step."""
    params, mean, square = np.ones(3, dtype=np.float32), np.zeros(3, dtype=np.float32), np.zeros(3, dtype=np.float32)
    steps = 0
    while True:
        steps += 1
        slope = gradient(couples, params).astype(np.float32)
        mean = _DECAY[0] * mean + (1 - _DECAY[0]) * slope
        square = _DECAY[1] * square + (1 - _DECAY[1]) * slope**2
        unbiased = np.sqrt(square) / (1 - _DECAY[1] ** steps) ** 0.5
        params = params - _RATE / (1 - _DECAY[0] ** steps) * mean / (unbiased + _EPSILON)
        yield params


def _misses(couples: Couples, params: Params | Floats) -> Floats:
    """How far each couple is from its margin, f(w) - f(t) + m; negative where it keeps it."""
    a, b, c = (float(value) for value in params)
    return a * couples.similarity + c * couples.gap**b * couples.delta + MARGIN


def _join(queries: Sequence[Couples]) -> Couples:
    fields = ("similarity", "delta", "gap")
    return Couples(*(np.concatenate([np.zeros(0), *(getattr(query, name) for query in queries)]) for name in fields))
