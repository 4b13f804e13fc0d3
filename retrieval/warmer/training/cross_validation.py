"""Are fitted parameters worth using? Cross-validated against vanilla and against the defaults."""

from dataclasses import dataclass, replace
from math import comb

import numpy as np
from numpy.typing import NDArray

from warmer.training.fit import DEFAULTS, Floats, Table, usable

FEWEST_QUERIES = 10
CONFIDENCE = 0.8
_FOLDS = 5
_REPEATS = 10
_RESAMPLES = 4000


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Figures over queries that were not fitted on.

    Attributes:
        queries: How many queries could tell one ranking from another.
        ndcg: Mean nDCG@10 of what was not shown before, with the fitted parameters; `vanilla` and `default` likewise.
        gain_over_vanilla: Mean gain in nDCG over vanilla, with the bounds of its 95% bootstrap interval.
        better_than_vanilla: Share of bootstrap samples in which the fitted parameters win.
        better_than_default: Likewise, against the defaults.
        relevance_gain: The tutorial's relative gain in hits that score at least as high as the best seed; None where
            vanilla finds none.
        default_harm: Share of bootstrap samples in which the defaults lose to vanilla, in nDCG or in relevance gain.
        dcg_wins: Queries on which the fitted parameters have the higher DCG@10 than vanilla; losses and ties likewise.
        sign_test: Two-sided p of these wins and losses.
        disagreement: Share of queries with a hit beyond the first five that the judge prefers to all of those.
    """

    queries: int
    ndcg: float
    vanilla: float
    default: float
    gain_over_vanilla: tuple[float, float, float]
    better_than_vanilla: float
    better_than_default: float
    relevance_gain: float | None
    default_harm: float
    dcg_wins: int
    dcg_losses: int
    dcg_ties: int
    sign_test: float
    disagreement: float

    @property
    def off(self) -> bool:
        """Whether neither the fitted parameters nor the defaults are worth using: then no feedback is better."""
        return bool(self.reason) and self.default_harm >= CONFIDENCE

    @property
    def reason(self) -> str:
        """Say why the parameters are not worth using; empty where they are.

        They are where the mean nDCG is above vanilla's and the defaults', a bootstrap gives at least 80% for the
        former, and no fewer hits reach the best seed. The last guards against gains inside the pool of first hits
        that do not carry over to the whole collection.
        """
        if lost := self._lost():
            return f"on held-out queries {lost}. Score more queries, or use a stronger judge"
        return ""

    def _lost(self) -> str:
        for name, mean in ("vanilla retrieval", self.vanilla), ("the defaults", self.default):
            if self.ndcg <= mean:
                return f"they do not beat {name}: nDCG@10 {self.ndcg:.3f} against {mean:.3f}"
        if self.better_than_vanilla < CONFIDENCE:
            return (
                f"they beat vanilla retrieval in {self.better_than_vanilla:.0%} of bootstrap samples only, "
                f"{CONFIDENCE:.0%} are asked"
            )
        if self.relevance_gain is not None and self.relevance_gain < 0:
            return f"fewer hits score as high as the best seed ({self.relevance_gain:+.0%} against vanilla retrieval)"
        return ""


def hold_out(table: Table, seed: int = 0) -> HeldOut:
    """Cross-validate the fit, five folds, ten times.

    Raises:
        ValueError: Fewer than two samples can tell one ranking from another.
    """
    samples = usable(table)
    if samples.size < 2:  # noqa: PLR2004
        raise ValueError("cross-validation needs two samples")
    rng = np.random.default_rng(seed)
    chosen = np.stack([_choose(table, rng.permutation(samples)) for _ in range(_REPEATS)])[:, samples]
    vanilla, default = table.at(replace(DEFAULTS, c=0.0)), table.at(DEFAULTS)
    fitted = table.ndcg[chosen, samples].mean(axis=0)
    over_vanilla, over_default = fitted - table.ndcg[vanilla, samples], fitted - table.ndcg[default, samples]
    resampled = rng.integers(0, samples.size, (_RESAMPLES, samples.size))
    gains = over_vanilla[resampled].mean(axis=1)
    before = table.above[vanilla, samples]
    by_default = (table.ndcg[default, samples] - table.ndcg[vanilla, samples])[resampled].mean(axis=1)
    default_above, before_above = (
        np.nansum(above[resampled], axis=1) for above in (table.above[default, samples], before)
    )
    wins, losses, ties = _compare(table.dcg[chosen[0], samples], table.dcg[vanilla, samples])
    low, high = np.quantile(gains, [0.025, 0.975])
    return HeldOut(
        queries=samples.size,
        ndcg=float(fitted.mean()),
        vanilla=float(table.ndcg[vanilla, samples].mean()),
        default=float(table.ndcg[default, samples].mean()),
        gain_over_vanilla=(float(over_vanilla.mean()), float(low), float(high)),
        better_than_vanilla=float((gains > 0).mean()),
        better_than_default=float((over_default[resampled].mean(axis=1) > 0).mean()),
        relevance_gain=_gain(table.above[chosen[0], samples], before),
        default_harm=float(max((by_default < 0).mean(), (default_above < before_above).mean())),
        dcg_wins=wins,
        dcg_losses=losses,
        dcg_ties=ties,
        sign_test=sign_test(wins, losses),
        disagreement=_share(table.disagreement[samples]),
    )


def _share(told: Floats) -> float:
    """Give the mean of what is told; 0 where no query has a hit beyond the first five."""
    known = told[~np.isnan(told)]
    return float(known.mean()) if known.size else 0.0


def _gain(above: Floats, before: Floats) -> float | None:
    return float(np.nansum(above) / np.nansum(before) - 1) if np.nansum(before) else None


def sign_test(wins: int, losses: int) -> float:
    """Give the two-sided p of wins and losses under a fair coin."""
    n = wins + losses
    tail = sum(comb(n, k) for k in range(min(wins, losses) + 1)) / 2**n
    return float(min(1.0, 2 * tail))


def _choose(table: Table, order: NDArray[np.intp]) -> NDArray[np.intp]:
    """Fit on all folds but one, for each fold; gives the choice by sample number."""
    chosen = np.zeros(table.ndcg.shape[1], dtype=np.intp)
    folds = min(_FOLDS, order.size)
    for fold in range(folds):
        held = order[fold::folds]
        chosen[held] = table.best(np.setdiff1d(order, held))
    return chosen


def _compare(ours: Floats, theirs: Floats) -> tuple[int, int, int]:
    wins, losses = int((ours > theirs + 1e-9).sum()), int((ours < theirs - 1e-9).sum())
    return wins, losses, int((~np.isnan(ours)).sum()) - wins - losses
