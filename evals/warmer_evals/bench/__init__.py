"""Measurements of the server, compared with a minimal one and mcp-server-qdrant: `python -m warmer_evals.bench`.

All are taken on one machine in one run. They are not tests, since speed depends on what else the machine does.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median, quantiles


@dataclass(frozen=True, slots=True)
class Row:
    """One quantity, measured for several servers.

    Attributes:
        what: The quantity, in words.
        unit: Unit of the values: s, ms, MB, characters, passages/s or packages.
        values: Server's name -> a value for each run.
    """

    what: str
    unit: str
    values: dict[str, list[float]] = field(default_factory=dict)


def percentile(values: Sequence[float], percent: int) -> float:
    """Return a percentile by linear interpolation; a single value is every percentile of itself."""
    if percent == 50 or len(values) == 1:  # noqa: PLR2004
        return median(values)
    return quantiles(values, n=100, method="inclusive")[percent - 1]
