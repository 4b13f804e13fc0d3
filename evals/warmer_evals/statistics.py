"""Paired bootstrap over queries (Efron, 1979): how far a figure may be chance."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

_RESAMPLES = 4000
_SEED = 0


@lru_cache(maxsize=8)
def resamples(n: int) -> NDArray[np.intp]:
    """Draw queries with replacement, the same for every method and every run; shape (4000, n)."""
    return np.random.default_rng(_SEED).integers(0, n, (_RESAMPLES, n), dtype=np.intp)


def interval(values: NDArray[np.float64]) -> tuple[float, float] | None:
    """Give the 95% percentile interval of a bootstrap distribution.

    Args:
        values: The figure on each resample, shape (resamples,); not finite where the resample cannot tell.

    Returns:
        The bounds; None where fewer than half of the resamples can tell, or there are none.
    """
    finite = values[np.isfinite(values)]
    if not finite.size or 2 * finite.size < values.size:
        return None
    low, high = np.quantile(finite, [0.025, 0.975])
    return float(low), float(high)
