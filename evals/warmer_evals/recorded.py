"""`python -m warmer_evals.recorded DATASETS RECORDS`: the recorded agents over MCP, in every arm and at every budget.

RECORDS holds a file NAME.jsonl for each dataset (docs/evals.md). Writes evals/results/recorded.json, figures alone, and
recorded.md, the same as tables.
"""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console

_OUTPUT = Path("evals/results")
_SETS = ("med", "cisi", "cranfield", "cacm", "qdrant-docs")
_RUNS = {
    "15 passages, a model's scores": ["--passages", "15", "--scores", "recorded"],
    "15 passages, perfect scores": ["--passages", "15", "--scores", "perfect"],
    "15 passages, no scores": ["--passages", "15", "--scores", "none"],
    "4,000 characters, a model's scores": ["--characters", "4000", "--scores", "recorded"],
    "8,000 characters, a model's scores": ["--characters", "8000", "--scores", "recorded"],
    "16,000 characters, a model's scores": ["--characters", "16000", "--scores", "recorded"],
}
_THREAD = "thread"

Figures = dict[str, dict[str, Any]]  # run -> dataset -> arms, comparison, recorded


def main(datasets: Path, records: Path) -> None:
    """Play all records at every budget, and write the figures."""
    figures: Figures = {}
    for run, options in _RUNS.items():
        for name in _SETS:
            Console(stderr=True).rule(f"{name}: {run}")
            figures.setdefault(run, {})[name] = _play(datasets / name, records / f"{name}.jsonl", options)
    (_OUTPUT / "recorded.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    (_OUTPUT / "recorded.md").write_text(summarise(figures), encoding="utf-8")


def _play(dataset: Path, records: Path, options: Sequence[str]) -> dict[str, Any]:
    with TemporaryDirectory() as folder:
        given = ["--dataset", str(dataset), "--agent", f"recorded:{records}", "--out", folder, "--ids-only", *options]
        subprocess.run([sys.executable, "-m", "warmer_evals.cli", "agent", *given], check=True)  # noqa: S603
        report = json.loads((Path(folder) / "report.json").read_text(encoding="utf-8"))
    return {name: report[name] for name in ("arms", "comparison", "recorded")}


def summarise(figures: Figures) -> str:
    """Lay the figures out as Markdown tables."""
    lines = [
        "# Recorded agents",
        "",
        "A language model's wordings, hypothetical passages and scores, played over MCP; made by `python -m",
        "warmer_evals.recorded DATASETS RECORDS`. nDCG@10 of the best order of all that was shown, by human judgments",
        "(qdrant-docs: a language model's), with 95% bootstrap intervals over questions. Where no score was recorded,",
        "one was drawn as such a model scores. [docs/evals.md](../../docs/evals.md) describes the arms.",
    ]
    for run, sets in figures.items():
        arms = list(next(iter(sets.values()))["arms"])
        rows = [["", *sets, "mean", "characters"], ["---"] * (len(sets) + 3)]
        for arm in arms:
            of = [found["arms"][arm] for found in sets.values()]
            cells = [f"{one['ndcg']:.3f} ({_interval(one['ci']['ndcg'])})" for one in of]
            average = mean(one["ndcg"] for one in of)
            rows.append([arm, *cells, f"{average:.3f}", f"{mean(one['characters'] for one in of):,.0f}"])
        lines += ["", f"## {run}", "", *_table(rows), "", *_table(_compared(sets, arms))]
    first = next(iter(figures.values()))
    rows = [["", *first, "mean"], ["---"] * (len(first) + 2)]
    for arm in next(iter(first.values()))["arms"]:
        values = [found["arms"][arm]["first5"] for found in first.values()]
        rows.append([arm, *(f"{value:.3f}" for value in values), f"{mean(values):.3f}"])
    return "\n".join([*lines, "", "## The first list, nDCG@5", "", *_table(rows)]) + "\n"


def _compared(sets: Mapping[str, Mapping[str, Any]], arms: Sequence[str]) -> list[list[str]]:
    """Compare the thread with each other arm: lift on the means, questions better and worse."""
    rows = [["thread over", "lift of the mean", "better : worse"], ["---"] * 3]
    for arm in arms:
        if arm != _THREAD:
            ours, theirs = (mean(found["arms"][name]["ndcg"] for found in sets.values()) for name in (_THREAD, arm))
            compared = [found["comparison"][arm] for found in sets.values()]
            wins, losses = (sum(one[f"ndcg_{what}"] for one in compared) for what in ("wins", "losses"))
            rows.append([arm, f"{ours / theirs - 1:+.1%}", f"{wins} : {losses}"])
    return rows


def _interval(bounds: Sequence[float]) -> str:
    return " to ".join(f"{bound:.3f}".lstrip("0") for bound in bounds)


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in rows]


if __name__ == "__main__":
    if len(sys.argv) != 3:  # noqa: PLR2004
        sys.exit("usage: python -m warmer_evals.recorded DATASETS RECORDS")
    main(*map(Path, sys.argv[1:]))
