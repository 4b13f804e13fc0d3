"""The tables of `warmer-evals run`."""

from collections.abc import Callable
from typing import Any

from warmer_evals.report.figures import (
    DASH,
    Figure,
    bounds,
    change,
    count,
    dollars,
    number,
    pick,
    probability,
    share,
    with_interval,
)
from warmer_evals.report.methods import method_label
from warmer_evals.report.run_rows import UNSTEERED, scores_by_round
from warmer_evals.report.view import Table


def figure_tables(report: dict[str, Any]) -> list[Table]:
    """Return tables with all figures of all methods."""
    methods = report.get("methods") or {}
    by_judge = [
        [
            method_label(name),
            _measure_cell(method, "relevance_gain", change),
            change(method.get("relevance_gain_strict")),
            count(method.get("relevant_new")),
            *(share(method.get(f"dcg_{side}")) for side in ("wins", "losses", "ties")),
            probability(method.get("dcg_sign_test_p")),
        ]
        for name, method in methods.items()
    ]
    same_list = [
        [
            method_label(name),
            with_interval(same.get("relevance_gain"), bounds(same, "ci", "relevance_gain"), change),
            *(share(same.get(f"dcg_{side}")) for side in ("wins", "losses")),
            probability(same.get("dcg_sign_test_p")),
        ]
        for name, method in methods.items()
        if (same := method.get("same_list")) and name not in UNSTEERED
    ]
    residual = [
        [
            method_label(name),
            _measure_cell(method, "ndcg", number),
            _measure_cell(method, "vs_same_list", change),
            *(number(method.get(measure)) for measure in ("recall_50", "precision", "ap")),
            share(method.get("unjudged") if pick(report, "about", "pooled") else None),
        ]
        for name, method in methods.items()
    ]
    tables = _budget_table(report)
    if pick(report, "about", "qrels") is not False:
        columns = ["Method", "Residual nDCG", "Over the same list", "Recall at 50", "Precision", "AP", "Unjudged"]
        tables.append(Table("By the judgments, without the scored hits", columns, residual))
    if same_list:
        columns = ["Method", "Relevance gain", "DCG wins", "Losses", "Sign test"]
        tables.append(Table("By the judge's scores, over the same list without feedback", columns, same_list))
    columns = ["Method", "Relevance gain", "Gain, strict", "New hits", "DCG wins", "Losses", "Ties", "Sign test"]
    note = "Warmer serves the hybrid list, not this one: see the table over the same list."
    tables.append(Table("By the judge's scores, over the dense list without feedback", columns, by_judge, note))
    return [*tables, *_by_k_tables(report)]


def _budget_table(report: dict[str, Any]) -> list[Table]:
    budget = report.get("budget") or {}
    if not budget:
        return []
    rounds = len(scores_by_round(report))
    rows = [
        [
            method_label(name),
            with_interval(entry.get("ndcg"), bounds(entry, "ci"), number),
            with_interval(entry.get("over_rerank_only"), bounds(entry, "ci_over_rerank_only"), change),
            with_interval(entry.get("over_same_list"), bounds(entry, "ci_over_same_list"), change),
            *(number(value) for value in [*(entry.get("rounds") or []), *[None] * rounds][:rounds]),
            number(entry.get("two_steps")),
        ]
        for name, entry in budget.items()
    ]
    columns = [
        "Method",
        "nDCG",
        "Over the dense list",
        "Over its own list",
        *(f"After {scores}" for scores in scores_by_round(report)),
        "In two steps",
    ]
    size = pick(report, "about", "budget") or DASH
    return [Table(f"nDCG at {size} scores, of all that is scored", columns, rows)]


def _by_k_tables(report: dict[str, Any]) -> list[Table]:
    sizes = report.get("by_k") or []
    names = [name for name in report.get("methods") or {} if any(pick(size, "methods", name) for size in sizes)]
    measures: list[tuple[str, str, Callable[[Figure], str]]] = [
        ("Residual nDCG by K", "ndcg", number),
        ("Lift over the same list by K", "vs_same_list", change),
        ("Relevance gain over the dense list by K", "relevance_gain", change),
        ("DCG wins over the dense list by K", "dcg_wins", share),
    ]
    tables = []
    for title, measure, form in measures:
        rows = [[pick(size, "methods", name, measure) for size in sizes] for name in names]
        if any(value is not None for row in rows for value in row):
            cells = [
                [method_label(name), *(form(value) for value in row)] for name, row in zip(names, rows, strict=True)
            ]
            tables.append(Table(title, ["Method", *(f"K = {size.get('k')}" for size in sizes)], cells))
    return tables


def parameter_tables(report: dict[str, Any]) -> list[Table]:
    """Return a table of the parameters that each method used."""
    params = report.get("params") or {}
    rows = []
    for name, numbers in (
        ("feedback", ("c", "neutral", "share")),
        ("feedback_reference", ("a", "b", "c")),
        ("rocchio", ("towards", "away")),
    ):
        folds = params.get(name) or []
        for fold, entry in enumerate(folds, 1):
            label = method_label(name) + (f", fold {fold}" if len(folds) > 1 else "")
            values = ", ".join(f"{key} {_general_number(entry.get(key))}" for key in numbers)
            origin = ": ".join(str(entry[key]) for key in ("source", "reason") if entry.get(key))
            rows.append([label, values, origin or DASH])
    return [Table("Parameters", ["Method", "Values", "Origin"], rows, prose=True)] if rows else []


def facts(report: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the settings of the evaluation, as (name, value)."""
    about, usage = report.get("about") or {}, pick(report, "about", "usage")
    rows = [
        ("Dataset", str(report.get("dataset") or DASH)),
        ("Documents", count(about.get("documents"))),
        ("Queries", count(about.get("queries"))),
        ("Indexed", str(about.get("indexed") or DASH)),
        ("Embedding model", str(about.get("model") or DASH)),
        ("Judge", str(report.get("judge") or DASH)),
        ("Scores a query (K)", count(report.get("k"))),
        ("Hits compared (n)", count(report.get("n"))),
        ("Budget", count(about.get("budget"))),
        ("Relevant from grade", count(about.get("relevant_from"))),
        ("Trained on", str(about.get("trained_on") or DASH)),
    ]
    if usage:
        tokens = f"{count(usage.get('input_tokens'))} in, {count(usage.get('output_tokens'))} out"
        rows.append(
            ("Judge's calls", f"{count(usage.get('calls'))}; tokens {tokens}; cost {dollars(usage.get('cost'))}")
        )
    return [(name, value) for name, value in rows if value != DASH]


def _measure_cell(method: dict[str, Any], measure: str, form: Callable[[Figure], str]) -> str:
    return with_interval(method.get(measure), bounds(method, "ci", measure), form)


def _general_number(value: Figure) -> str:
    return DASH if value is None else f"{value:g}"
