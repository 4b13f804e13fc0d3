"""Line plots as SVG, both axes logarithmic."""

import math
from collections.abc import Mapping
from html import escape

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 720, 400, 60, 220, 30, 40
_COLOURS = ("#1f6f8b", "#d1495b", "#66a182", "#edae49", "#5d576b", "#00798c")

Lines = Mapping[str, Mapping[int, float]]


def plot(title: str, lines: Lines) -> str:
    """Draw lines (name -> x -> y, all positive), labelled at their right ends."""
    xs = sorted({x for line in lines.values() for x in line})
    lowest, highest = _decades([y for line in lines.values() for y in line.values()])
    left, right = math.log10(xs[0]), math.log10(xs[-1])

    def across(x: float) -> float:
        return _LEFT + (math.log10(x) - left) / (right - left or 1) * (_WIDTH - _LEFT - _RIGHT)

    def up(y: float) -> float:
        return _HEIGHT - _BOTTOM - (math.log10(y) - lowest) / (highest - lowest) * (_HEIGHT - _TOP - _BOTTOM)

    parts = [_text(_LEFT, 18, title, "start")]
    for decade in range(lowest, highest + 1):
        y = up(10.0**decade)
        parts.append(f'<path d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}" stroke="#ddd"/>')
        parts.append(_text(_LEFT - 8, y + 4, f"{10.0**decade:g}", "end"))
    parts += [_text(across(x), _HEIGHT - _BOTTOM + 20, f"{x:,}", "middle") for x in xs]
    label_y = math.inf
    for n, (name, line) in enumerate(sorted(lines.items(), key=lambda pair: pair[1][max(pair[1])])):
        points = " ".join(f"{across(x):.1f},{up(y):.1f}" for x, y in sorted(line.items()))
        colour = _COLOURS[n % len(_COLOURS)]
        label_y = min(up(line[max(line)]) + 4, label_y - 15)
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(_text(_WIDTH - _RIGHT + 8, label_y, name, "start", colour))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" '
        f'font-size="12"><rect width="100%" height="100%" fill="#fff"/>{"".join(parts)}</svg>\n'
    )


def _decades(values: list[float]) -> tuple[int, int]:
    lowest, highest = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return lowest, max(highest, lowest + 1)


def _text(x: float, y: float, text: str, anchor: str, colour: str = "#333") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{escape(text)}</text>'
