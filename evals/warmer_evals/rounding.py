"""Figures as reports have them."""

import math
from typing import Any

_DIGITS = 5


def rounded(value: Any) -> Any:  # noqa: ANN401
    """Round every number in a report to significant digits; what is not finite becomes null."""
    match value:
        case float():
            return float(f"{value:.{_DIGITS}g}") if math.isfinite(value) else None
        case dict():
            return {key: rounded(inner) for key, inner in value.items()}
        case list() | tuple():
            return [rounded(inner) for inner in value]
    return value
