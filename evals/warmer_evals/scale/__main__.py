"""`python -m warmer_evals.scale DATASETS WORK [POINTS ...]`: build collections of several sizes and measure them."""

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from warmer_evals.rounding import rounded
from warmer_evals.scale.building import build
from warmer_evals.scale.lookalike import Lookalike, load_source
from warmer_evals.scale.plot import plot
from warmer_evals.scale.serving import measure

_SIZES = (10_000, 100_000, 1_000_000)
_CALLS = 100
_WHOLE_FROM = 1000  # figures from here on have no decimals
_PLOTTED = ", processor ms"

Figures = dict[str, float]


def main() -> None:
    """Build and measure each size and write the report.

    Each step runs in its own process, so that its memory can be measured. Collections that exist are not built again.
    """
    parser = argparse.ArgumentParser(prog="python -m warmer_evals.scale", description=__doc__)
    parser.add_argument("datasets", type=Path, help="folder of datasets in BEIR layout to draw from")
    parser.add_argument("work", type=Path, help="folder for the collections: 5 kB per passage")
    parser.add_argument("points", type=int, nargs="*", default=_SIZES)
    parser.add_argument("--step", choices=["build", "measure"], help=argparse.SUPPRESS)
    parsed = parser.parse_args()
    work: Path = parsed.work
    work.mkdir(parents=True, exist_ok=True)
    if parsed.step:
        _run_step(parsed.step, parsed.datasets, work, parsed.points)
        return
    for points in parsed.points:
        for step in ("build", "measure"):
            if step == "measure" or not _step_file(work, step, points).exists():
                command = [sys.executable, "-m", "warmer_evals.scale", parsed.datasets, work, str(points)]
                subprocess.run([*command, "--step", step], check=True)  # noqa: S603
    _write_report(work, {points: _read_figures(work, points) for points in parsed.points})


def _run_step(step: str, datasets: Path, work: Path, sizes: Sequence[int]) -> None:
    source = load_source(datasets, work / "real.npz")
    for points in sizes:
        figures = build(Lookalike(source), work, points) if step == "build" else measure(source, work, points, _CALLS)
        _step_file(work, step, points).write_text(json.dumps(figures))


def _write_report(work: Path, figures: Mapping[int, Figures]) -> None:
    """Write `scale.json`, `scale.md` and `scale.svg`."""
    (work / "scale.json").write_text(json.dumps(rounded(figures), indent=1) + "\n")
    (work / "scale.md").write_text(_table(figures))
    calls = [name for name in next(iter(figures.values())) if name.endswith(_PLOTTED)]
    lines = {name.removesuffix(_PLOTTED): {points: each[name] for points, each in figures.items()} for name in calls}
    (work / "scale.svg").write_text(
        plot("processor milliseconds of a call to the engine, by number of passages", lines)
    )


def _table(figures: Mapping[int, Figures]) -> str:
    """Format the figures as a Markdown table with a column for each size."""
    names = dict.fromkeys(name for each in figures.values() for name in each)
    rows = [["", *(f"{points:,}" for points in figures)], ["---", *("---:" for _ in figures)]]
    rows += [[name, *(_cell(each.get(name)) for each in figures.values())] for name in names]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _cell(figure: float | None) -> str:
    return "" if figure is None else f"{figure:.3g}" if figure < _WHOLE_FROM else f"{figure:,.0f}"


def _step_file(work: Path, step: str, points: int) -> Path:
    return work / f"{step}-{points}.json"


def _read_figures(work: Path, points: int) -> Figures:
    built, measured = (json.loads(_step_file(work, step, points).read_text()) for step in ("build", "measure"))
    figures: Figures = built | measured
    return figures


if __name__ == "__main__":
    main()
