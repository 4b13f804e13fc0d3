"""Cross-validation of fitted parameters against vanilla retrieval and the default parameters."""

from dataclasses import dataclass
from math import comb

import numpy as np
from numpy.typing import NDArray

from warmer.training.fit import Floats, Table, usable

FEWEST_QUERIES = 10
CONFIDENCE = 0.8
_FOLDS = 5
_REPEATS = 10
_RESAMPLES = 4000


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Figures on queries outside the fit.

    Attributes:
        queries: Number of queries on which rankings can differ in nDCG.
        ndcg: Mean nDCG@10 of the hits after the seeds, with the fitted parameters.
        vanilla: The same without feedback.
        default: The same with the default parameters.
        gain_over_vanilla: Mean gain in nDCG@10 over vanilla, with the bounds of its 95% bootstrap interval.
        better_than_vanilla: Share of bootstrap samples in which the fitted parameters win.
        better_than_default: The same against the defaults.
        relevance_gain: Relative gain in hits that score at least as high as the best seed, as in Qdrant's tutorial on
            relevance feedback; None if vanilla finds no such hit.
        default_harm: Share of bootstrap samples in which the defaults lose to vanilla, in nDCG or in relevance gain.
        dcg_wins: Number of queries on which the fitted parameters have a higher DCG@10 than vanilla.
        dcg_losses: Number of queries with a lower one.
        dcg_ties: Number of queries with an equal one.
        sign_test: Two-sided p-value of these wins and losses.
        disagreement: Share of queries on which the judge prefers a later hit to all of the first five.
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
        """Whether no feedback is better than both the fitted and the default parameters."""
        return bool(self.reason) and self.default_harm >= CONFIDENCE

    @property
    def reason(self) -> str:
        """Why the parameters are rejected; empty if they are accepted.

        They are accepted if their mean nDCG is above those of vanilla and of the defaults, if they beat vanilla in at
        least 80% of the bootstrap samples, and if no fewer hits reach the best seed. The last condition guards against
        gains within the pool of first hits that do not carry over to the whole collection.
        """
        if failure := self._failure():
            return f"on held-out queries {failure}. Score more queries, or use a stronger judge"
        return ""

    def _failure(self) -> str:
        for name, mean in ("vanilla retrieval", self.vanilla), ("the defaults", self.default):
            if self.ndcg <= mean:
                return f"they do not beat {name}: nDCG@10 {self.ndcg:.3f} against {mean:.3f}"
        if self.better_than_vanilla < CONFIDENCE:
            return (
                f"they beat vanilla retrieval in {self.better_than_vanilla:.0%} of bootstrap samples, and "
                f"{CONFIDENCE:.0%} are required"
            )
        if self.relevance_gain is not None and self.relevance_gain < 0:
            return f"fewer hits score as high as the best seed ({self.relevance_gain:+.0%} against vanilla retrieval)"
        return ""


def hold_out(table: Table, seed: int = 0) -> HeldOut:
    """Cross-validate the fit with five folds, ten times.

    Raises:
        ValueError: The table has fewer than two usable samples.
    """
    samples = usable(table)
    if samples.size < 2:  # noqa: PLR2004
        raise ValueError("cross-validation needs two samples")
    rng = np.random.default_rng(seed)
    chosen = _choose_repeatedly(table, samples, rng)
    vanilla, default = table.vanilla, table.default
    fitted = table.ndcg[chosen, samples].mean(axis=0)
    over_vanilla, over_default = fitted - table.ndcg[vanilla, samples], fitted - table.ndcg[default, samples]
    resampled = rng.integers(0, samples.size, (_RESAMPLES, samples.size))
    gains = over_vanilla[resampled].mean(axis=1)
    default_gains = (table.ndcg[default, samples] - table.ndcg[vanilla, samples])[resampled].mean(axis=1)
    fitted_above, default_above, vanilla_above = (
        table.above_threshold[params, samples] for params in (chosen[0], default, vanilla)
    )
    fewer_above = np.nansum(default_above[resampled], axis=1) < np.nansum(vanilla_above[resampled], axis=1)
    wins, losses, ties = _count_outcomes(table.dcg[chosen[0], samples], table.dcg[vanilla, samples])
    low, high = np.quantile(gains, [0.025, 0.975])
    return HeldOut(
        queries=samples.size,
        ndcg=float(fitted.mean()),
        vanilla=float(table.ndcg[vanilla, samples].mean()),
        default=float(table.ndcg[default, samples].mean()),
        gain_over_vanilla=(float(over_vanilla.mean()), float(low), float(high)),
        better_than_vanilla=float((gains > 0).mean()),
        better_than_default=float((over_default[resampled].mean(axis=1) > 0).mean()),
        relevance_gain=_relative_gain(fitted_above, vanilla_above),
        default_harm=float(max((default_gains < 0).mean(), fewer_above.mean())),
        dcg_wins=wins,
        dcg_losses=losses,
        dcg_ties=ties,
        sign_test=sign_test(wins, losses),
        disagreement=_mean_known(table.disagreement[samples]),
    )


def held_out_gains(table: Table, samples: NDArray[np.intp], seed: int = 0) -> tuple[Floats, Floats]:
    """Cross-validate a choice in the same way; gives its gains over the defaults, and bootstrapped means of them."""
    rng = np.random.default_rng(seed)
    chosen = _choose_repeatedly(table, samples, rng)
    gains = table.ndcg[chosen, samples].mean(axis=0) - table.ndcg[table.default, samples]
    return gains, gains[rng.integers(0, samples.size, (_RESAMPLES, samples.size))].mean(axis=1)


def _mean_known(values: Floats) -> float:
    """Return the mean of the values that are not NaN; 0 if there are none."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else 0.0


def _relative_gain(ours: Floats, theirs: Floats) -> float | None:
    return float(np.nansum(ours) / np.nansum(theirs) - 1) if np.nansum(theirs) else None


def sign_test(wins: int, losses: int) -> float:
    """Return the two-sided p-value of wins and losses under a fair coin."""
    n = wins + losses
    tail = sum(comb(n, k) for k in range(min(wins, losses) + 1)) / 2**n
    return float(min(1.0, 2 * tail))


def _choose_repeatedly(table: Table, samples: NDArray[np.intp], rng: "np.random.Generator") -> NDArray[np.intp]:
    """Choose parameters for each sample by fits without it, ten times. Returns grid indices, shape (10, samples)."""
    return np.stack([_choose(table, rng.permutation(samples)) for _ in range(_REPEATS)])[:, samples]


def _choose(table: Table, order: NDArray[np.intp]) -> NDArray[np.intp]:
    """Choose parameters for each fold by a fit on the others. Returns grid indices, shape (samples,)."""
    chosen = np.zeros(table.ndcg.shape[1], dtype=np.intp)
    folds = min(_FOLDS, order.size)
    for fold in range(folds):
        held_out = order[fold::folds]
        chosen[held_out] = table.best(np.setdiff1d(order, held_out))
    return chosen


def _count_outcomes(ours: Floats, theirs: Floats) -> tuple[int, int, int]:
    """Count wins, losses and ties."""
    wins, losses = int((ours > theirs + 1e-9).sum()), int((ours < theirs - 1e-9).sum())
    return wins, losses, int((~np.isnan(ours)).sum()) - wins - losses
