"""The charts of `warmer-evals run`."""

from typing import Any

from warmer_evals.report.charts import (
    Differences,
    IntervalChart,
    LineChart,
    Measured,
    OutcomeChart,
    OutcomeRow,
    differences,
    interval_chart,
    line_chart,
)
from warmer_evals.report.figures import DASH, Figure, bounds, change, number, pick, probability
from warmer_evals.report.methods import method_label, method_note
from warmer_evals.report.run_rows import dcg_gain, scores_by_round

_AGAINST_K = ("vanilla_hybrid", "rocchio", "feedback_reference", "feedback_dense", "feedback")


def interval_charts(report: dict[str, Any]) -> list[IntervalChart]:
    """Chart the methods' means: relevance gain, residual nDCG, nDCG at the budget."""
    methods, budget = report.get("methods") or {}, report.get("budget") or {}
    size = pick(report, "about", "budget") or DASH
    charts = [
        interval_chart(
            "Relevance gain", "against no feedback", _measured(methods, "relevance_gain"), change, zero=True
        ),
        interval_chart(
            "Residual nDCG", "by the judgments, without the scored hits", _measured(methods, "ndcg"), number
        ),
        interval_chart(
            f"nDCG at {size} scores",
            "of all that is scored, each method from its own first list",
            [
                (name, method_label(name), method_note(name), entry.get("ndcg"), bounds(entry, "ci"))
                for name, entry in budget.items()
            ],
            number,
        ),
    ]
    return [chart for chart in charts if chart]


def outcome_chart(report: dict[str, Any]) -> OutcomeChart | None:
    """Chart how many queries each method wins and loses by DCG."""
    rows = [
        OutcomeRow(name, method_label(name), wins, ties, losses, probability(method.get("dcg_sign_test_p")))
        for name, method in (report.get("methods") or {}).items()
        if name != "vanilla" and method.get("queries")
        for wins, ties, losses in [[method.get(f"dcg_{side}") or 0.0 for side in ("wins", "ties", "losses")]]
    ]
    return OutcomeChart("DCG, query by query", "queries won, tied and lost against no feedback", rows) if rows else None


def difference_chart(report: dict[str, Any]) -> Differences | None:
    """Chart the difference in DCG that feedback makes, by query."""
    gains = [
        (str(entry.get("id")), str(entry.get("text") or entry.get("id")), gain)
        for entry in report.get("per_query") or []
        if (gain := dcg_gain(entry)) is not None
    ]
    return differences("Where feedback helps, and where it does not", "DCG of feedback minus no feedback", gains)


def line_charts(report: dict[str, Any]) -> list[LineChart]:
    """Chart measures against the number of scores: by K, and by round."""
    sizes = report.get("by_k") or []

    def against_k(measure: str) -> list[tuple[str, str, list[tuple[float, Figure]]]]:
        return [
            (name, method_label(name), [(size["k"], pick(size, "methods", name, measure)) for size in sizes])
            for name in _AGAINST_K
        ]

    rounds = [
        (name, method_label(name), list(zip(scores_by_round(report), entry.get("rounds") or [], strict=False)))
        for name, entry in sorted((report.get("budget") or {}).items(), key=lambda item: item[0] == "feedback")
    ]
    charts = [
        line_chart("Relevance gain against K", "scores given a query", against_k("relevance_gain"), change, zero=True),
        line_chart(
            "Lift in residual nDCG against K", "scores given a query", against_k("vs_same_list"), change, zero=True
        ),
        line_chart("nDCG, round by round", "scores given so far", rounds, number),
    ]
    return [chart for chart in charts if chart]


def _measured(methods: dict[str, Any], measure: str) -> list[Measured]:
    return [
        (name, method_label(name), method_note(name), method.get(measure), bounds(method, "ci", measure))
        for name, method in methods.items()
        if measure != "relevance_gain" or name != "vanilla"
    ]
