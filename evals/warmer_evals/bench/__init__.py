"""Measurements of the server, beside a bare floor and mcp-server-qdrant: `python -m warmer_evals.bench DATASET`.

All are made on one machine in one run. They are no tests: how fast it is depends on what else the machine does.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median, quantiles


@dataclass(frozen=True, slots=True)
class Row:
    """What was measured of one thing.

    Attributes:
        what: What it is, in words.
        unit: Unit of the values: s, ms, MB, characters or passages/s.
        values: Every run of each server, by the server's name.
    """

    what: str
    unit: str
    values: dict[str, list[float]] = field(default_factory=dict)


def percentile(values: Sequence[float], percent: int) -> float:
    """Give a percentile; of a single value, that."""
    if percent == 50 or len(values) == 1:  # noqa: PLR2004
        return median(values)
    return quantiles(values, n=100, method="inclusive")[percent - 1]
