"""Positions of charts' marks in percent of width and height, so that text keeps its size on any screen."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from urllib.parse import quote

from warmer_evals.report.figures import Figure, difference, interval

_ROWS_PER_SIDE = 8
_LEFT, _RIGHT = 4.0, 96.0
_TOP, _BOTTOM = 8.0, 84.0
_FIRST_X, _LAST_X = 16.0, 94.0


@dataclass(frozen=True, slots=True)
class Tick:
    """A labelled position on an axis."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Axis:
    """A linear scale from `low`..`high` to `start`..`end` percent."""

    low: float
    high: float
    step: float
    start: float = _LEFT
    end: float = _RIGHT

    def at(self, value: float) -> float:
        """Return the position of a value in percent."""
        return round(self.start + (self.end - self.start) * (value - self.low) / (self.high - self.low), 2)

    def ticks(self, form: Callable[[Figure], str]) -> list[Tick]:
        """Return a labelled tick for every step."""
        steps = round((self.high - self.low) / self.step)
        values = [round(self.low + index * self.step, 10) + 0.0 for index in range(steps + 1)]
        return [Tick(self.at(value), _without_trailing_zeros(form(value))) for value in values]


@dataclass(frozen=True, slots=True)
class IntervalRow:
    """A method's mean (`at`) and interval (`low`, `high`) in percent; None if missing."""

    method: str
    label: str
    note: str
    value: str
    bounds: str
    at: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class IntervalChart:
    """A table of means and intervals on one scale, with a line at `baseline`."""

    title: str
    note: str
    rows: list[IntervalRow]
    ticks: list[Tick]
    baseline: float | None


@dataclass(frozen=True, slots=True)
class OutcomeRow:
    """Fractions of queries that a method wins, ties and loses."""

    method: str
    label: str
    wins: float
    ties: float
    losses: float
    p: str


@dataclass(frozen=True, slots=True)
class OutcomeChart:
    """A table of wins, ties and losses."""

    title: str
    note: str
    rows: list[OutcomeRow]


@dataclass(frozen=True, slots=True)
class Bar:
    """The gain of one query: a bar from `start`, `size` long, in percent; `href` links to the query's hits."""

    label: str
    value: str
    side: str
    start: float
    size: float
    place: float
    href: str


@dataclass(frozen=True, slots=True)
class Differences:
    """Queries by gain, best first: all as columns (`bars`), both ends as rows (`best`, `worst`)."""

    title: str
    note: str
    zero: float
    width: float
    bars: list[Bar]
    best: list[Bar]
    worst: list[Bar]


@dataclass(frozen=True, slots=True)
class Point:
    """A point of a line in percent, and its tooltip."""

    x: float
    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """A method's line."""

    method: str
    label: str
    points: list[Point]

    @property
    def segments(self) -> list[tuple[Point, Point]]:
        """Pairs of consecutive points."""
        return list(pairwise(self.points))


@dataclass(frozen=True, slots=True)
class LineChart:
    """A measure against a count."""

    title: str
    note: str
    lines: list[Line]
    across: list[Tick]
    up: list[Tick]
    baseline: float | None


Measured = tuple[str, str, str, Figure, list[float] | None]
"""A method, its label, a note, its mean and its interval."""


def interval_chart(
    title: str, note: str, measured: Sequence[Measured], form: Callable[[Figure], str], *, zero: bool = False
) -> IntervalChart | None:
    """Chart means with intervals; None without any mean. `zero` includes zero and draws a line there."""
    values = [value for *_, mean, bounds in measured if mean is not None for value in (mean, *(bounds or ()))]
    if not values:
        return None
    axis = _axis([*values, 0.0] if zero else values, steps=3)
    rows = [
        IntervalRow(
            method,
            label,
            text,
            form(mean),
            interval(bounds, form),
            None if mean is None else axis.at(mean),
            axis.at(bounds[0]) if bounds and mean is not None else None,
            axis.at(bounds[1]) if bounds and mean is not None else None,
        )
        for method, label, text, mean, bounds in measured
    ]
    return IntervalChart(title, note, rows, axis.ticks(form), axis.at(0.0) if zero else None)


def differences(title: str, note: str, gains: Iterable[tuple[str, str, float]]) -> Differences | None:
    """Chart (query id, label, gain) by gain; None without queries."""
    ranked = sorted(gains, key=lambda gain: (-gain[2], gain[0]))
    if not ranked:
        return None
    largest = max(abs(gain) for *_, gain in ranked) or 1.0
    low, high = min(0.0, *(gain for *_, gain in ranked)), max(0.0, *(gain for *_, gain in ranked))
    axis = Axis(low, high, 1, 1, 99) if high > low else Axis(-largest, largest, 1, 1, 99)
    width = 100 / len(ranked)
    bars = [_bar(axis, index * width, *gain) for index, gain in enumerate(ranked)]
    best = [bar for bar in bars if bar.side != "loss"]
    worst = [bar for bar in bars if bar.side == "loss"]
    if len(bars) > 2 * _ROWS_PER_SIDE:
        best, worst = [bar for bar in best if bar.side == "win"][:_ROWS_PER_SIDE], worst[-_ROWS_PER_SIDE:]
    return Differences(title, note, axis.at(0.0), round(width, 3), bars, best, worst)


def line_chart(
    title: str,
    note: str,
    series: Sequence[tuple[str, str, Sequence[tuple[float, Figure]]]],
    form: Callable[[Figure], str],
    *,
    zero: bool = False,
) -> LineChart | None:
    """Chart (method, label, [(x, y)]); None without any y. `zero` as in `interval_chart`."""
    values = [y for *_, points in series for _, y in points if y is not None]
    if not values:
        return None
    xs = sorted({x for *_, points in series for x, y in points if y is not None})
    across = Axis(xs[0], xs[-1], 1, _FIRST_X, _LAST_X) if len(xs) > 1 else None
    up = _axis([*values, 0.0] if zero else values, steps=4, start=_BOTTOM, end=_TOP)

    def at(x: float) -> float:
        return across.at(x) if across else 50.0

    lines = [
        Line(method, label, [Point(at(x), up.at(y), f"{label}, {x:g}: {form(y)}") for x, y in points if y is not None])
        for method, label, points in series
    ]
    return LineChart(
        title,
        note,
        [line for line in lines if line.points],
        [Tick(at(x), f"{x:g}") for x in xs],
        up.ticks(form),
        up.at(0.0) if zero else None,
    )


def _without_trailing_zeros(label: str) -> str:
    return label.rstrip("0").rstrip(".") if "." in label and label[-1] != "%" else label


def _bar(axis: Axis, place: float, query: str, label: str, gain: float) -> Bar:
    side = "win" if gain > 0 else "loss" if gain < 0 else "tie"
    start, end = sorted((axis.at(0.0), axis.at(gain)))
    href = "#q=" + quote(query, safe="", errors="replace")
    return Bar(label, difference(gain), side, start, round(end - start, 2), round(place, 3), href)


def _axis(values: Sequence[float], steps: int, start: float = _LEFT, end: float = _RIGHT) -> Axis:
    low, high = min(values), max(values)
    if high - low < 1e-9:  # noqa: PLR2004 - a single value needs some range
        low, high = low - 0.05, high + 0.05
    rough = (high - low) / steps
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * nice for nice in (1, 2, 2.5, 5, 10) if power * nice >= rough * 0.999)
    return Axis(math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step, step, start, end)
