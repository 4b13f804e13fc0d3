"""The command; see the package."""

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from warmer_evals.rounding import rounded
from warmer_evals.scale.building import build
from warmer_evals.scale.lookalike import Lookalike, real
from warmer_evals.scale.plot import plot
from warmer_evals.scale.serving import measure

_SIZES = (10_000, 100_000, 1_000_000)
_CALLS = 100
_ROUND = 1000
_PLOTTED = ", processor ms"

Figures = dict[str, float]


def main() -> None:
    """Build and measure each size, in processes of their own, and write `scale.json`, `scale.md` and `scale.svg`.

    What was built before is not built again.
    """
    parser = argparse.ArgumentParser(prog="python -m warmer_evals.scale", description=__doc__)
    parser.add_argument("datasets", type=Path, help="folder of data sets in BEIR layout, which are drawn from")
    parser.add_argument("work", type=Path, help="folder for the collections: 5 kB a passage")
    parser.add_argument("points", type=int, nargs="*", default=_SIZES)
    parser.add_argument("--step", choices=["build", "measure"], help=argparse.SUPPRESS)
    parsed = parser.parse_args()
    work: Path = parsed.work
    work.mkdir(parents=True, exist_ok=True)
    if parsed.step:
        source = real(parsed.datasets, work / "real.npz")
        for points in parsed.points:
            made = (
                build(Lookalike(source), work, points)
                if parsed.step == "build"
                else measure(source, work, points, _CALLS)
            )
            _file(work, parsed.step, points).write_text(json.dumps(made))
        return
    for points in parsed.points:
        for step in ("build", "measure"):
            if step == "measure" or not _file(work, step, points).exists():
                command = [sys.executable, "-m", "warmer_evals.scale", parsed.datasets, work, str(points)]
                subprocess.run([*command, "--step", step], check=True)  # noqa: S603
    figures = {points: _read(work, "build", points) | _read(work, "measure", points) for points in parsed.points}
    (work / "scale.json").write_text(json.dumps(rounded(figures), indent=1) + "\n")
    (work / "scale.md").write_text(_table(figures))
    calls = [name for name in figures[parsed.points[0]] if name.endswith(_PLOTTED)]
    lines = {name.removesuffix(_PLOTTED): {points: each[name] for points, each in figures.items()} for name in calls}
    (work / "scale.svg").write_text(
        plot("processor milliseconds of a call to the engine, by number of passages", lines)
    )


def _table(figures: Mapping[int, Figures]) -> str:
    """Write the figures in Markdown, a column for each size."""
    names = dict.fromkeys(name for each in figures.values() for name in each)
    rows = [["", *(f"{points:,}" for points in figures)], ["---", *("---:" for _ in figures)]]
    rows += [[name, *(_show(each.get(name)) for each in figures.values())] for name in names]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _show(figure: float | None) -> str:
    return "" if figure is None else f"{figure:.3g}" if figure < _ROUND else f"{figure:,.0f}"


def _file(work: Path, step: str, points: int) -> Path:
    return work / f"{step}-{points}.json"


def _read(work: Path, step: str, points: int) -> Figures:
    figures: Figures = json.loads(_file(work, step, points).read_text())
    return figures


if __name__ == "__main__":
    main()
