"""What evals/results/README.md says of its reports on one wording: sentences whose figures are the reports' own."""

import json
import textwrap
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

SETS = {
    "qdrant-docs": "qdrant-docs-k5",
    "cisi": "cisi",
    "cranfield": "cranfield",
    "cacm": "cacm",
    "med": "med",
    "scifact": "scifact",
}
COMPARED = ("med", "cisi", "cranfield", "cacm")
BI_ENCODER = "qdrant-docs-bi-encoder-k5"
TRAINED = "trained"  # where parameters are from; otherwise they are the defaults

Report = Mapping[str, Any]


def one_wording(folder: Path) -> list[str]:
    """Write what scores give one wording, over the same list without feedback and beside other formulas."""
    reports = {name: _read(folder, SETS[name]) for name in SETS}
    methods = {name: report["methods"] for name, report in reports.items()}
    docs = methods["qdrant-docs"]
    same, dense, served = docs["feedback"]["same_list"], docs["vanilla"], docs["vanilla_hybrid"]
    low, high = same["ci"]["relevance_gain"]

    def over_dense(method: str) -> str:
        return ", ".join(f"{methods[name][method]['vs_same_list']:+.0%} on {name}" for name in COMPARED)

    ahead = _where(methods, lambda of: of["rocchio"]["vs_same_list"] > of["feedback_dense"]["vs_same_list"])
    served_ahead = _where(methods, lambda of: of["feedback"]["ndcg"] > of["rocchio"]["ndcg"])
    return _wrapped(
        f"- **Residual nDCG@10**: {_list(reports, _residual)}.",
        "- **By the tutorial's own measures** on qdrant-docs with a language model's scores: "
        f"{same['relevance_gain']:.0%} more of the next hits ({low:.0%} to {high:.0%}) are as good as the best of five "
        f"seeds; DCG is won on {same['dcg_wins']:.0%} of the queries, lost on {same['dcg_losses']:.0%}. The tutorial "
        "compares with the dense list, which Warmer does not serve: "
        f"{docs['feedback']['relevant_new']} such hits against {dense['relevant_new']}, of which the "
        f"served list has {served['relevant_new']} without any scores.",
        "- **Beside others, over the dense list**: qdrant-relevance-feedback's own fit, served as Qdrant serves it, "
        f"has {over_dense('feedback_reference')}; Warmer's dense leg alone {over_dense('feedback_dense')}; Rocchio, "
        f"tuned on the training half, {over_dense('rocchio')}. Tuned Rocchio steers vectors better than Warmer does on "
        f"{_join(ahead)}. With words and neighbours Warmer is ahead of it on {_join(served_ahead)} "
        f"({_ndcg(methods['cranfield']['feedback'])} against {_ndcg(methods['cranfield']['rocchio'])} on cranfield).",
        f"- **15 scores in rounds of five**, over reading on down the served list: {_list(reports, _at_budget)}. "
        "Nearly all first hits of med are relevant, so there is little to learn from scores.",
    )


def bi_encoder(folder: Path) -> list[str]:
    """Write what feedback does where a bi-encoder scores."""
    methods = _read(folder, BI_ENCODER)["methods"]
    ours = methods["feedback"]
    return _wrapped(
        "- **A bi-encoder as judge.** By the scores of all-mpnet-base-v2 feedback *loses* to the dense list: "
        f"{ours['relevant_new']} better hits against {methods['vanilla']['relevant_new']}, DCG won on "
        f"{ours['dcg_wins']:.0%} of the queries. Most of this is the hybrid list's doing. The judge that steers must "
        "not be the one that measures: gain and DCG wins say what the judge thinks of its own work.",
    )


def training(folder: Path) -> list[str]:
    """Write on which datasets training was taken, where the queries were halved on how many halves."""
    taken: dict[str, list[str]] = {"all": [], "some": [], "none": []}
    for name, subfolder in SETS.items():
        report = _read(folder, subfolder)
        sources = [one["source"] == TRAINED for one in report["params"]["feedback"]]
        of = report["methods"]
        figures = f" ({_ndcg(of['feedback'])} against the defaults' {_ndcg(of['feedback_default'])})"
        kind = "all" if all(sources) else "some" if any(sources) else "none"
        taken[kind].append(name + (figures if kind != "none" else ""))
    return _wrapped(
        f"- **Training** was applied on {_join(taken['all'])}; on one half of the queries of {_join(taken['some'])}; "
        f"and rejected on {_join(taken['none'])}: on halves of 15 to 38 queries there is little to fit to.",
    )


def _wrapped(*points: str) -> list[str]:
    return [
        textwrap.fill(point, 118, subsequent_indent="  ", break_on_hyphens=False, break_long_words=False)
        for point in points
    ]


def _read(folder: Path, name: str) -> Report:
    report: Report = json.loads((folder / name / "report.json").read_text(encoding="utf-8"))
    return report


def _residual(report: Report) -> str:
    ours = report["methods"]["feedback"]
    return _change(ours["vs_same_list"], ours["ci"]["vs_same_list"])


def _at_budget(report: Report) -> str:
    ours = report["budget"]["feedback"]
    return _change(ours["over_same_list"], ours["ci_over_same_list"])


def _change(value: float, interval: Sequence[float]) -> str:
    return f"{value:+.0%} ({interval[0]:+.0%} to {interval[1]:+.0%})"


def _list(reports: Mapping[str, Report], figure: Callable[[Report], str]) -> str:
    return ", ".join(f"{name} {figure(report)}" for name, report in reports.items())


def _where(methods: Mapping[str, Report], holds: Callable[[Report], bool]) -> list[str]:
    return [name for name in COMPARED if holds(methods[name])]


def _join(names: Sequence[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def _ndcg(method: Report) -> str:
    return f"{method['ndcg']:.3f}".removeprefix("0")
