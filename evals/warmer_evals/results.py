"""The project's own results: `python -m warmer_evals.results DATASETS`, where DATASETS is the folder of all datasets.

Each evaluation runs in its own process, so that its time and memory can be measured. Reports go to `evals/results`,
with ids instead of texts, since the datasets are not ours to publish; `summary.md` beside them has a line for each.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

_OUTPUT = Path("evals/results")
_BI_ENCODER = ["--judge", "scores:{datasets}/qdrant-docs/biencoder-scores.npz"]
_CLEARLY_USEFUL = ["--relevant-from", "7"]  # as in the judge's rubric
_EVALUATIONS = {
    "qdrant-docs-k5": ["run", "qdrant-docs", "--k", "5", *_CLEARLY_USEFUL],
    "qdrant-docs-k3": ["run", "qdrant-docs", "--k", "3", *_CLEARLY_USEFUL],
    "qdrant-docs-bi-encoder-k5": ["run", "qdrant-docs", "--k", "5", *_CLEARLY_USEFUL, *_BI_ENCODER],
    "qdrant-docs-bi-encoder-k3": ["run", "qdrant-docs", "--k", "3", *_CLEARLY_USEFUL, *_BI_ENCODER],
    "med": ["run", "med"],
    "cisi": ["run", "cisi"],
    "cranfield": ["run", "cranfield"],
    "cacm": ["run", "cacm"],
    "scifact": ["run", "scifact"],
    "agent-qdrant-docs": ["agent", "qdrant-docs"],
    "agent-cranfield": ["agent", "cranfield"],
}

_BUDGET_METHODS = {
    "rerank_only_hybrid": "hybrid list",
    "feedback": "feedback",
    "feedback_dense": "feedback, dense",
    "feedback_reference": "reference",
    "rocchio": "Rocchio",
}

Figures = Mapping[str, Any]


def main(datasets: Path) -> None:
    """Run all evaluations and write the summary."""
    for name, (kind, dataset, *options) in _EVALUATIONS.items():
        Console(stderr=True).rule(name)
        passed = ["--dataset", str(datasets / dataset), *(option.format(datasets=datasets) for option in options)]
        command = [sys.executable, "-m", "warmer_evals.cli", kind, *passed, "--ids-only", "--out", str(_OUTPUT / name)]
        subprocess.run(command, check=True)  # noqa: S603
        shutil.rmtree(_OUTPUT / name / "transcripts", ignore_errors=True)  # they contain texts
    (_OUTPUT / "summary.md").write_text(summarise(_OUTPUT), encoding="utf-8")


def summarise(folder: Path) -> str:
    """Summarise the reports in a folder as Markdown tables."""
    reports = {name: json.loads((folder / name / "report.json").read_text(encoding="utf-8")) for name in _EVALUATIONS}
    costs = {name: json.loads((folder / name / "run.json").read_text(encoding="utf-8")) for name in _EVALUATIONS}
    runs = {name: report for name, report in reports.items() if report["kind"] == "run"}
    agents = {name: report for name, report in reports.items() if report["kind"] == "agent"}
    return "\n".join(
        [
            "# Results in brief",
            "",
            "All by all-MiniLM-L6-v2 (int8). In brackets 95% bootstrap intervals over queries.",
            "",
            "## By the judgments: residual nDCG@10 over the same list without feedback",
            "",
            *_table(["", "feedback", "feedback, dense", "reference", "Rocchio"], runs, _by_judgments),
            "",
            "## By the judgments: nDCG@10 of the union at 15 scores, over reading on down a list",
            "",
            "The served list is by vectors and words; the other columns are over the dense list.",
            "",
            *_table(["", "feedback over the served list", "dense list", *_BUDGET_METHODS.values()], runs, _at_budget),
            "",
            "## By the judge's scores, over the same list without feedback",
            "",
            *_table(["", "queries", "relevance gain", "DCG wins : losses", "p"], runs, _by_judge),
            "",
            "## An agent over MCP, scoring by the judgments, 15 passages a question",
            "",
            *_table(["", "questions", "search alone", "with feedback", "lift", "better : worse"], agents, _by_agent),
            "",
            "## What an evaluation costs, documents embedded before",
            "",
            *_table(
                ["", "seconds", "MB at most, without the agent's server"],
                costs,
                lambda cost: [cost["seconds"], cost["peak_memory_mb"]],
            ),
            "",
        ]
    )


def _by_judge(report: Figures) -> list[object]:
    ours = report["methods"]["feedback"]
    same = ours["same_list"]
    return [
        f"{ours['queries']} (+{ours['skipped']} skipped)",
        _change(same["relevance_gain"], same["ci"]["relevance_gain"]),
        f"{same['dcg_wins']:.0%} : {same['dcg_losses']:.0%}",
        f"{same['dcg_sign_test_p']:.2g}",
    ]


def _by_judgments(report: Figures) -> list[object]:
    methods = [report["methods"][name] for name in ("feedback", "feedback_dense", "feedback_reference", "rocchio")]
    return [_change(method["vs_same_list"], method["ci"]["vs_same_list"]) for method in methods]


def _at_budget(report: Figures) -> list[object]:
    budget = report["budget"]
    lifts = [_change(budget[name]["over_rerank_only"], budget[name]["ci_over_rerank_only"]) for name in _BUDGET_METHODS]
    ours = budget["feedback"]
    return [_change(ours["over_same_list"], ours["ci_over_same_list"]), f"{budget['rerank_only']['ndcg']:.3f}", *lifts]


def _by_agent(report: Figures) -> list[object]:
    compared = report["comparison"]
    return [
        report["arms"]["feedback"]["queries"],
        *(f"{report['arms'][arm]['ndcg']:.3f}" for arm in ("search", "feedback")),
        _change(compared["ndcg_lift"], compared["ci"]["ndcg_lift"]),
        f"{compared['ndcg_wins']} : {compared['ndcg_losses']}, p = {compared['sign_test_p']:.2g}",
    ]


def _change(value: float | None, interval: Sequence[float] | None) -> str:
    if value is None:
        return "-"
    return f"{value:+.0%}" + (f" ({interval[0]:+.0%} to {interval[1]:+.0%})" if interval else "")


def _table(columns: Sequence[str], entries: Mapping[str, Figures], cells: Any) -> list[str]:  # noqa: ANN401
    rows = [[f"[{name}]({name}/report.md)", *map(str, cells(entry))] for name, entry in entries.items()]
    return [f"| {' | '.join(row)} |" for row in [list(columns), ["---"] * len(columns), *rows]]


if __name__ == "__main__":
    if len(sys.argv) != 2:  # noqa: PLR2004
        sys.exit("usage: python -m warmer_evals.results DATASETS")
    main(Path(sys.argv[1]))
