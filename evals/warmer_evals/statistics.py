"""Paired bootstrap over queries (Efron, 1979)."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

_RESAMPLES = 4000
_SEED = 0


@lru_cache(maxsize=8)
def resamples(n: int) -> NDArray[np.intp]:
    """Draw positions of n queries with replacement, the same for all methods and runs; shape (4000, n)."""
    return np.random.default_rng(_SEED).integers(0, n, (_RESAMPLES, n), dtype=np.intp)


def interval(values: NDArray[np.float64]) -> tuple[float, float] | None:
    """Return the 95% percentile interval of a bootstrap distribution.

    Args:
        values: The figure on each resample, shape (resamples,); not finite where it is undefined.

    Returns:
        The bounds; None if there are no values, or fewer than half are finite.
    """
    finite = values[np.isfinite(values)]
    if not finite.size or 2 * finite.size < values.size:
        return None
    low, high = np.quantile(finite, [0.025, 0.975])
    return float(low), float(high)
