"""Rounding of figures in reports."""

import math
from typing import Any

_DIGITS = 5


def rounded(value: Any) -> Any:  # noqa: ANN401
    """Round all floats in nested dicts and lists to five significant digits; those that are not finite become None."""
    match value:
        case float():
            return float(f"{value:.{_DIGITS}g}") if math.isfinite(value) else None
        case dict():
            return {key: rounded(item) for key, item in value.items()}
        case list() | tuple():
            return [rounded(item) for item in value]
    return value
