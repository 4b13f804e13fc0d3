"""The fit of a, b and c of qdrant-relevance-feedback 0.1.1 in NumPy: same objective, same optimiser, no torch.

From the first five hits of each query, the two with the largest difference in scores form a pair; a query whose first
five scores are all equal has none and is dropped. The formula with that one pair scores the hits after the first five,

    f(x) = a sim(q, x) + c g^b d(x),    d(x) = sim(positive, x) - sim(negative, x),

where g is the gap between the pair's scores. Of two such hits with different judge's scores, the better one t should
outscore the worse one w by a margin m. Summed over all these couples of all queries, the loss is

    L(a, b, c) = sum max(0, f(w) - f(t) + m).

With X = sim(q, w) - sim(q, t) and D = d(w) - d(t), and summed over the couples whose term is at least zero (torch
passes the gradient at exactly zero), its gradient is

    dL/da = sum X,    dL/db = sum c g^b ln(g) D,    dL/dc = sum g^b D.

Adam (Kingma and Ba, 2015) minimises L on the first half of the queries, from a = b = c = 1, for up to 1000 epochs. The
parameters with the lowest L on the second half are kept, and the descent stops when that has not improved for 200
epochs. As in the package, parameters and Adam's moments are float32, the data float64, and the starting point itself is
never kept.

The package needs the same number of hits for every query; here the numbers may differ.

Near the kinks of L the descent is chaotic. Most fits agree with the package's to 1e-6, but with few or noisy queries a
difference of 1e-8 in the similarities can change the second digit of the parameters, at almost the same loss.
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
_LEARNING_RATE = 0.005
_DECAY = (0.9, 0.999)
_EPSILON = 1e-8
_EPOCHS = 1000
_PATIENCE = 200
_MIN_DELTA = 1e-6

Floats = NDArray[np.float64]
Params = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Couples:
    """Pairs of hits, the judge preferring one, over some queries; all arrays have shape (couples,).

    Attributes:
        similarity: sim(query, worse) - sim(query, better).
        delta: d(worse) - d(better), see the module's docstring.
        gap: Difference between the scores of the example pair, > 0.
    """

    similarity: Floats
    delta: Floats
    gap: Floats


def fit_reference(samples: Sequence[Sample]) -> Coefficients:
    """Fit a, b and c as the package does.

    Args:
        samples: Scored searches; the first half of the usable ones trains, the second validates.

    Raises:
        EvalError: Too few samples are usable, or Qdrant's formula is not defined for the fitted values.
    """
    queries = [couples for sample in samples if (couples := couple(sample)) is not None]
    half = len(queries) // 2
    training, validation = _concatenate(queries[:half]), _concatenate(queries[half:])
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
    """Return the couples of hits after the first five; None if the sample has no example pair or no such hits."""
    seeds, scores = sample.scores[:_SEEDS], sample.scores[_SEEDS:]
    if not scores.size or not np.ptp(seeds):
        return None
    gaps = np.subtract.outer(seeds, seeds).T
    negative, positive = np.unravel_index(gaps.argmax(), gaps.shape)  # of equal gaps the first, ordered by the negative
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
    """Return the hinge loss L(a, b, c)."""
    return float(np.maximum(_hinge_arguments(couples, params), 0).sum())


def gradient(couples: Couples, params: Params | Floats) -> Floats:
    """Return the gradient of L by a, b and c; shape (3,)."""
    _, b, c = (float(value) for value in params)
    active = _hinge_arguments(couples, params) >= 0
    gap = couples.gap[active]
    weighted = gap**b * couples.delta[active]
    return np.array([couples.similarity[active].sum(), c * (np.log(gap) * weighted).sum(), weighted.sum()])


def descend(training: Couples, validation: Couples) -> Params:
    """Minimise the training loss; return the parameters with the lowest validation loss, shape (3,)."""
    best, lowest, waited = np.ones(3, dtype=np.float32), np.inf, 0
    for params in islice(_adam(training), _EPOCHS):
        validation_loss = loss(validation, params)
        if validation_loss + _MIN_DELTA < lowest:
            best, lowest, waited = params, validation_loss, 0
        else:
            waited += 1
        if waited >= _PATIENCE:
            break
    return best


def _adam(couples: Couples) -> Iterator[Params]:
    """Yield the parameters after each step of Adam from a = b = c = 1, without end."""
    params, mean, square = np.ones(3, dtype=np.float32), np.zeros(3, dtype=np.float32), np.zeros(3, dtype=np.float32)
    steps = 0
    while True:
        steps += 1
        slope = gradient(couples, params).astype(np.float32)
        mean = _DECAY[0] * mean + (1 - _DECAY[0]) * slope
        square = _DECAY[1] * square + (1 - _DECAY[1]) * slope**2
        unbiased = np.sqrt(square) / (1 - _DECAY[1] ** steps) ** 0.5
        params = params - _LEARNING_RATE / (1 - _DECAY[0] ** steps) * mean / (unbiased + _EPSILON)
        yield params


def _hinge_arguments(couples: Couples, params: Params | Floats) -> Floats:
    """Return f(w) - f(t) + m of each couple, shape (couples,); negative if the margin is kept."""
    a, b, c = (float(value) for value in params)
    return a * couples.similarity + c * couples.gap**b * couples.delta + MARGIN


def _concatenate(queries: Sequence[Couples]) -> Couples:
    fields = ("similarity", "delta", "gap")
    return Couples(*(np.concatenate([np.zeros(0), *(getattr(query, name) for query in queries)]) for name in fields))
