"""Paired comparison of two arms on the same questions."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from warmer.training.cross_validation import sign_test
from warmer_evals.statistics import interval, resamples

Values = NDArray[np.float64]
"""A figure for each question, in the order of the questions; shape (questions,)."""

THREAD = "thread"
_SAME = 1e-9


def mean_interval(values: Values) -> tuple[float, float] | None:
    """Return the 95% bootstrap interval of a mean."""
    return interval(values[resamples(values.size)].mean(axis=1))


def compare_all(ndcg: Mapping[str, Values]) -> dict[str, Any]:
    """Compare the thread with each other arm; return arm -> result of `compare`."""
    return {arm: compare(ndcg[THREAD], theirs) for arm, theirs in ndcg.items() if arm != THREAD}


def compare(ours: Values, theirs: Values) -> dict[str, Any]:
    """Compare nDCG: by the means, with an interval over questions, and question by question."""
    wins, losses = int((ours > theirs + _SAME).sum()), int((ours < theirs - _SAME).sum())
    drawn = resamples(ours.size)
    lift = _lift(ours.mean(keepdims=True), theirs.mean(keepdims=True))[0]
    return {
        "ndcg_lift": lift if np.isfinite(lift) else None,
        "ndcg_wins": wins,
        "ndcg_losses": losses,
        "ndcg_ties": ours.size - wins - losses,
        "sign_test_p": sign_test(wins, losses),
        "ci": {"ndcg_lift": interval(_lift(ours[drawn].mean(axis=1), theirs[drawn].mean(axis=1)))},
    }


def _lift(ours: Values, theirs: Values) -> Values:
    """Return the relative difference of means; NaN where theirs is 0."""
    return np.divide(ours, theirs, out=np.full_like(ours, np.nan), where=theirs > 0) - 1
