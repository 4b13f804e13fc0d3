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
from warmer_evals.report.run_rows import UNSTEERED, dcg_gain, scores_by_round

_AGAINST_K = ("vanilla_hybrid", "rocchio", "feedback_reference", "feedback_dense", "feedback")


def interval_charts(report: dict[str, Any]) -> list[IntervalChart]:
    """Chart the methods' means: nDCG at the budget, residual nDCG, relevance gain."""
    methods, budget = report.get("methods") or {}, report.get("budget") or {}
    size = pick(report, "about", "budget") or DASH
    charts = [
        interval_chart(
            f"nDCG at {size} scores",
            "of all that is scored, each method from its own first list",
            [
                (name, method_label(name), method_note(name), entry.get("ndcg"), bounds(entry, "ci"))
                for name, entry in budget.items()
            ],
            number,
        ),
        interval_chart(
            "Residual nDCG", "by the judgments, without the scored hits", _measured(methods, "ndcg"), number
        ),
        interval_chart("Relevance gain", "over the same list without feedback", _gains(methods), change, zero=True),
    ]
    return [chart for chart in charts if chart]


def outcome_chart(report: dict[str, Any]) -> OutcomeChart | None:
    """Chart how many queries each method wins and loses by DCG."""
    rows = [
        OutcomeRow(name, method_label(name), wins, 1 - wins - losses, losses, probability(same.get("dcg_sign_test_p")))
        for name, method in (report.get("methods") or {}).items()
        if name not in UNSTEERED and method.get("queries") and (same := method.get("same_list"))
        for wins, losses in [[same.get(f"dcg_{side}") or 0.0 for side in ("wins", "losses")]]
    ]
    note = "queries won, tied and lost against the same list without feedback"
    return OutcomeChart("DCG, query by query", note, rows) if rows else None


def difference_chart(report: dict[str, Any]) -> Differences | None:
    """Chart the difference in DCG that feedback makes, by query."""
    gains = [
        (str(entry.get("id")), str(entry.get("text") or entry.get("id")), gain)
        for entry in report.get("per_query") or []
        if (gain := dcg_gain(entry)) is not None
    ]
    return differences(
        "Where feedback helps, and where it does not", "DCG with feedback minus DCG of the same list without", gains
    )


def line_charts(report: dict[str, Any]) -> list[LineChart]:
    """Chart measures against the number of scores: by K, and by round."""
    sizes = report.get("by_k") or []

    def against_k(*measure: str) -> list[tuple[str, str, list[tuple[float, Figure]]]]:
        return [
            (name, method_label(name), [(size["k"], pick(size, "methods", name, *measure)) for size in sizes])
            for name in _AGAINST_K
        ]

    rounds = [
        (name, method_label(name), list(zip(scores_by_round(report), entry.get("rounds") or [], strict=False)))
        for name, entry in sorted((report.get("budget") or {}).items(), key=lambda item: item[0] == "feedback")
    ]
    charts = [
        line_chart("nDCG, round by round", "scores given so far", rounds, number),
        line_chart(
            "Lift in residual nDCG against K", "scores given a query", against_k("vs_same_list"), change, zero=True
        ),
        line_chart(
            "Relevance gain against K",
            "scores given a query, over the same list",
            against_k("same_list", "relevance_gain"),
            change,
            zero=True,
        ),
    ]
    return [chart for chart in charts if chart]


def _measured(methods: dict[str, Any], measure: str) -> list[Measured]:
    return [
        (name, method_label(name), method_note(name), method.get(measure), bounds(method, "ci", measure))
        for name, method in methods.items()
    ]


def _gains(methods: dict[str, Any]) -> list[Measured]:
    return [
        (name, method_label(name), method_note(name), same.get("relevance_gain"), bounds(same, "ci", "relevance_gain"))
        for name, method in methods.items()
        if name not in UNSTEERED and (same := method.get("same_list"))
    ]
