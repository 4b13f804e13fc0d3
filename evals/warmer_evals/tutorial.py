"""The two metrics of Qdrant's tutorial "Relevance Feedback in Qdrant", signed.

The definitions are those of the tutorial's package, qdrant-relevance-feedback 0.1.1 (`evaluate/`). The first hits of a
query are its seeds, the best of their scores is the threshold, and a list is a method's ranking of the other hits.

- Relevance gain: how many of the first n hits score at least as high as the threshold, summed over the queries,
  relative to vanilla retrieval. The strict variant counts only higher scores: a coarse judge ties often.
- DCG win rate: the share of queries on which the list has a higher DCG@n than vanilla's, with linear gains: a hit at
  rank r adds score / log2(r + 1).

Queries with fewer than two seeds, or whose seeds all score within 1e-9 of the first one, are left out.

The package's `Evaluator` differs in three respects:

- It returns a gain of 0.0 for every loss, and if vanilla finds nothing; here a loss is negative, and the gain over
  nothing is None.
- It raises IndexError if a list has fewer than n hits; here missing hits count as 0.
- It prints the win rates and returns only the counts; here both are returned, with intervals and a sign test. Here
  DCGs within 1e-9 tie, since rounding must not win; there only equal ones do.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from warmer.training.cross_validation import sign_test
from warmer_evals.statistics import interval, resamples

_TOLERANCE = 1e-9

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The counts of one list for one query.

    Attributes:
        above: How many of the first n hits score at least as high as the best seed.
        above_strict: How many score higher.
        dcg: DCG@n, linear gains.
    """

    above: int
    above_strict: int
    dcg: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """A method against vanilla retrieval, over the same queries.

    Attributes:
        queries: How many queries were compared.
        relevant_new: Hits in the first n that score at least as high as the best seed, over all queries.
        relevant_new_strict: Those that score higher.
        relevance_gain: `relevant_new` against vanilla's as a signed fraction; None if vanilla finds none.
        relevance_gain_strict: The same for `relevant_new_strict`.
        dcg_wins: Share of queries with the higher DCG@n, 0..1; losses and ties likewise. All 0 without queries.
        dcg_sign_test_p: Two-sided p-value of wins against losses.
        ci: 95% bootstrap intervals of `relevance_gain` and `dcg_wins`; None if too few resamples are defined.
    """

    queries: int
    relevant_new: int
    relevant_new_strict: int
    relevance_gain: float | None
    relevance_gain_strict: float | None
    dcg_wins: float
    dcg_losses: float
    dcg_ties: float
    dcg_sign_test_p: float
    ci: dict[str, tuple[float, float] | None]


def scores_differ(seeds: Sequence[float]) -> bool:
    """Whether a query counts: it has at least two seeds, and their scores differ."""
    scores = _unjudged_as_zero(seeds)
    return bool((abs(scores - scores[:1]) >= _TOLERANCE).any())


def judge_list(seeds: Sequence[float], scores: Sequence[float], n: int) -> Outcome:
    """Judge the first n hits of a list.

    Args:
        seeds: The scores of the query's seeds, one or more; NaN (not judged) counts as 0.
        scores: The scores of the list's hits, best rank first, NaN as above; may be fewer than n.
        n: How many hits to look at.

    Raises:
        ValueError: There are no seeds.
    """
    threshold, hits = _unjudged_as_zero(seeds).max(), _unjudged_as_zero(scores[:n])
    return Outcome(
        above=int((hits >= threshold).sum()),
        above_strict=int((hits > threshold).sum()),
        dcg=float(hits @ (1 / np.log2(np.arange(2, hits.size + 2)))),
    )


def compare(ours: Sequence[Outcome], vanilla: Sequence[Outcome]) -> Comparison:
    """Compare a method with vanilla retrieval, query by query.

    Args:
        ours: The method's outcomes, one for each query that counts.
        vanilla: Vanilla's outcomes on the same queries, in the same order.

    Raises:
        ValueError: Their lengths differ.
    """
    if len(ours) != len(vanilla):
        raise ValueError(f"outcomes must be of the same queries, not of {len(ours)} and {len(vanilla)}")
    queries = len(ours)
    (above, strict, dcg), (base, base_strict, base_dcg) = _columns(ours), _columns(vanilla)
    wins, losses = dcg > base_dcg + _TOLERANCE, dcg < base_dcg - _TOLERANCE
    won, lost = int(wins.sum()), int(losses.sum())
    drawn = resamples(queries)
    return Comparison(
        queries=queries,
        relevant_new=int(above.sum()),
        relevant_new_strict=int(strict.sum()),
        relevance_gain=float(above.sum() / base.sum() - 1) if base.any() else None,
        relevance_gain_strict=float(strict.sum() / base_strict.sum() - 1) if base_strict.any() else None,
        dcg_wins=won / max(queries, 1),
        dcg_losses=lost / max(queries, 1),
        dcg_ties=(queries - won - lost) / max(queries, 1),
        dcg_sign_test_p=sign_test(won, lost),
        ci={
            "relevance_gain": interval(_ratio(above[drawn].sum(axis=1), base[drawn].sum(axis=1)) - 1),
            "dcg_wins": interval(_ratio(wins[drawn].sum(axis=1), np.full(len(drawn), queries))),
        },
    )


def _columns(outcomes: Sequence[Outcome]) -> Floats:
    """Return `above`, `above_strict` and `dcg` as rows, shape (3, queries)."""
    return np.array([(o.above, o.above_strict, o.dcg) for o in outcomes], dtype=np.float64).reshape(-1, 3).T


def _unjudged_as_zero(scores: Sequence[float]) -> Floats:
    return np.nan_to_num(np.asarray(scores, dtype=np.float64), nan=0.0)


def _ratio(part: NDArray[np.number], whole: NDArray[np.number]) -> Floats:
    """Divide; NaN where `whole` is 0."""
    return np.asarray(np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole != 0))
