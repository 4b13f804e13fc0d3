"""Formatting of figures: percentages, intervals, and a dash for missing values."""

from collections.abc import Callable
from typing import Any

DASH = "\N{EN DASH}"
_MINUS = "\N{MINUS SIGN}"
_SMALLEST_P = 0.001

Figure = float | None


def pick(report: Any, *path: str) -> Any:  # noqa: ANN401 - any JSON
    """Follow keys into a report; None if one is missing or null."""
    for key in path:
        report = report.get(key) if isinstance(report, dict) else None
    return report


def bounds(report: Any, *path: str) -> list[float] | None:  # noqa: ANN401 - any JSON
    """Pick an interval; None if an end is open."""
    found = pick(report, *path)
    return None if not found or None in found else found


def number(value: Figure, digits: int = 3) -> str:
    """Format as `0.523`."""
    return DASH if value is None else f"{value:.{digits}f}".replace("-", _MINUS)


def difference(value: Figure, digits: int = 2) -> str:
    """Format as `+1.23`."""
    return DASH if value is None else f"{value:+.{digits}f}".replace("-", _MINUS)


def share(value: Figure) -> str:
    """Format a fraction as `52%`."""
    return DASH if value is None else f"{value:.0%}".replace("-", _MINUS)


def change(value: Figure) -> str:
    """Format a signed fraction as `+52%`, below 10% as `+5.2%`."""
    if not value:
        return DASH if value is None else "0%"
    return f"{value:+.{1 if abs(value) < 0.1 else 0}%}".replace("-", _MINUS)  # noqa: PLR2004 - ten percent


def count(value: Figure) -> str:
    """Format as `12,345`."""
    return DASH if value is None else f"{value:,.0f}"


def dollars(value: Figure) -> str:
    """Format as `$1.02`, below a dollar as `$0.0212`."""
    if value is None:
        return DASH
    return f"${value:.2f}" if value >= 1 or value == 0 else f"${value:.4f}"


def probability(value: Figure) -> str:
    """Format as `p = 0.032`."""
    if value is None:
        return f"p {DASH}"
    return "p < 0.001" if value < _SMALLEST_P else f"p = {value:.3f}"


def interval(ends: list[float] | None, form: Callable[[Figure], str]) -> str:
    """Format as `0.45 to 0.59`; empty without bounds."""
    return f"{form(ends[0])} to {form(ends[1])}" if ends else ""


def with_interval(value: Figure, ends: list[float] | None, form: Callable[[Figure], str]) -> str:
    """Format as `0.52 (0.45 to 0.59)`, or without the interval if it is missing."""
    return f"{form(value)} ({interval(ends, form)})" if ends and value is not None else form(value)
