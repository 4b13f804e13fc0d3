"""Turn lists and scores into the figures of `report.json`."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from warmer import __version__
from warmer.steering.scores import SCALE
from warmer_evals.beir import Qrels
from warmer_evals.measures import Floats, measure, residual
from warmer_evals.methods import BUDGETED, Learned
from warmer_evals.rounding import rounded
from warmer_evals.run import BudgetRow, Evaluation, Row, Setting
from warmer_evals.statistics import interval, resamples
from warmer_evals.subject import Subject
from warmer_evals.tutorial import compare, scores_differ

Figures = dict[str, Any]

_MEASURES = ("ndcg", "recall_50", "precision", "ap")
_TOLERANCE = 1e-9
_LISTED = ("vanilla_hybrid", "feedback")  # methods whose hits the report lists
_TEXT_LENGTH = 300  # characters
_HYBRID_METHODS = ("vanilla_hybrid", "feedback", "feedback_default")
_HYBRID_BUDGET = ("rerank_only_hybrid", "feedback")


def make_report(
    subject: Subject, judge: str, setting: Setting, evaluation: Evaluation, *, relevant: int, ids_only: bool
) -> Figures:
    """Return the content of report.json, deterministic for equal input.

    Args:
        subject: The dataset or collection.
        judge: The judge's name.
        setting: The sizes of the evaluation.
        evaluation: The lists and scores.
        relevant: The lowest grade that counts as relevant in recall, precision and AP.
        ids_only: Leave out the texts of queries and documents.
    """
    qrels, rows = subject.qrels, evaluation.rows
    measured = _measure_methods(rows, qrels, setting.n, relevant)
    made = {
        "kind": "run",
        "version": __version__,
        "dataset": subject.name,
        "judge": judge,
        "k": setting.k,
        "n": setting.n,
        "about": {
            **subject.about,
            "budget": setting.budget,
            "relevant_from": relevant,
            "qrels": qrels is not None,
            "notes": [*subject.notes, *dict.fromkeys(note for one in evaluation.learned for note in one.notes)],
        },
        "params": _params(evaluation.learned),
        "methods": _methods(rows, measured, qrels, setting.n),
        "budget": _budget(evaluation.budget_rows, qrels, setting.n) if qrels is not None else {},
        "by_k": [_at_k(k, rows_at_k, qrels, setting.n, relevant) for k, rows_at_k in evaluation.by_k.items()],
        "per_query": [
            _query_row(row, measured, setting.n, "" if ids_only else subject.queries[row.query]) for row in rows
        ],
        "texts": {} if ids_only else _texts(rows, setting.n),
    }
    figures: Figures = rounded(made)
    return figures


Measured = Mapping[str, Mapping[str, Mapping[str, float]]]
"""Method -> query id -> measure -> value."""


def _measure_methods(rows: Sequence[Row], qrels: Qrels | None, n: int, relevant: int) -> Measured:
    unscored = residual(qrels or {}, {row.query: [document for document, _ in row.seeds] for row in rows})
    names = rows[0].lists if rows else ()
    return {name: measure(unscored, {row.query: row.lists[name] for row in rows}, n, relevant) for name in names}


def _methods(rows: Sequence[Row], measured: Measured, qrels: Qrels | None, n: int) -> Figures:
    usable = [row for row in rows if scores_differ([score for _, score in row.seeds])]
    figures = {}
    for name in measured:
        compared = asdict(compare([row.outcomes[name] for row in usable], [row.outcomes["vanilla"] for row in usable]))
        intervals = compared.pop("ci")
        values = {key: _column(measured[name], key) for key in _MEASURES}
        baseline = "vanilla_hybrid" if name in _HYBRID_METHODS else "vanilla"
        same = _column(measured[baseline], "ndcg")
        figures[name] = {
            "queries": compared.pop("queries"),
            "skipped": len(rows) - len(usable),
            **(compared if usable else compared | dict.fromkeys(("dcg_wins", "dcg_losses", "dcg_ties"))),
            **{key: _mean(column) for key, column in values.items()},
            "unjudged": _unjudged(rows, name, qrels, n),
            "vs_same_list": _lift(values["ndcg"], same),
            "same_list": _over_same_list(usable, name, baseline),
            "ci": {
                **intervals,
                "ndcg": _interval(values["ndcg"]),
                "vs_same_list": _lift_interval(values["ndcg"], same),
            },
        }
    return figures


def _over_same_list(rows: Sequence[Row], name: str, baseline: str) -> Figures:
    """Compare by the judge's scores with the same list without feedback, so that only feedback differs."""
    compared = compare([row.outcomes[name] for row in rows], [row.outcomes[baseline] for row in rows])
    return {
        "relevance_gain": compared.relevance_gain,
        "dcg_wins": compared.dcg_wins if rows else None,
        "dcg_losses": compared.dcg_losses if rows else None,
        "dcg_sign_test_p": compared.dcg_sign_test_p,
        "ci": {"relevance_gain": compared.ci["relevance_gain"]},
    }


def _budget(budget_rows: Sequence[BudgetRow], qrels: Qrels, n: int) -> Figures:
    figures: Figures = {}
    unsteered: dict[str, Floats] = {}
    for name in BUDGETED:
        rounds = [
            _column(measure(qrels, {one.query: one.rounds[name][step] for one in budget_rows}, n), "ndcg")
            for step in range(max((len(one.rounds[name]) for one in budget_rows), default=0))
        ]
        if not rounds:
            return {}
        last = rounds[-1]
        if name.startswith("rerank_only"):
            unsteered[name] = last
        dense, same = (
            unsteered["rerank_only"],
            unsteered["rerank_only_hybrid" if name in _HYBRID_BUDGET else "rerank_only"],
        )
        two = {one.query: one.two_steps[name] for one in budget_rows if name in one.two_steps}
        figures[name] = {
            "ndcg": _mean(last),
            "rounds": [_mean(column) for column in rounds],
            "two_steps": _mean(_column(measure(qrels, two, n), "ndcg")) if two else None,
            "over_rerank_only": _lift(last, dense),
            "over_same_list": _lift(last, same),
            "ci": _interval(last),
            "ci_over_rerank_only": _lift_interval(last, dense),
            "ci_over_same_list": _lift_interval(last, same),
        }
    return figures


def _at_k(k: int, rows: Sequence[Row], qrels: Qrels | None, n: int, relevant: int) -> Figures:
    names = ("queries", "relevance_gain", "dcg_wins", "dcg_losses", "ndcg", "vs_same_list", "same_list")
    methods = _methods(rows, _measure_methods(rows, qrels, n, relevant), qrels, n)
    return {"k": k, "methods": {method: {name: figures[name] for name in names} for method, figures in methods.items()}}


def _query_row(row: Row, measured: Measured, n: int, text: str) -> Figures:
    skipped = not scores_differ([score for _, score in row.seeds])
    vanilla = row.outcomes.get("vanilla")
    methods = {}
    for name, outcome in row.outcomes.items():
        gap = outcome.dcg - vanilla.dcg if vanilla else 0.0
        methods[name] = {
            **asdict(outcome),
            "outcome": None if skipped else "tie" if abs(gap) <= _TOLERANCE else "win" if gap > 0 else "loss",
            "ndcg": measured[name].get(row.query, {}).get("ndcg"),
        }
    return {
        "id": row.query,
        **({"text": text} if text else {}),
        "skipped": skipped,
        "seeds": row.seeds,
        "methods": methods,
        "hits": {name: [(id_, row.scores.get(id_)) for id_ in row.lists[name][:n]] for name in _LISTED},
    }


def _texts(rows: Sequence[Row], n: int) -> dict[str, str]:
    shown = {
        document: row.texts[document]
        for row in rows
        for document in [
            *(document for document, _ in row.seeds),
            *(d for name in _LISTED for d in row.lists[name][:n]),
        ]
    }
    return {
        document: text if len(text) <= _TEXT_LENGTH else text[: _TEXT_LENGTH - 1] + "…"
        for document, text in shown.items()
    }


def _params(learned: Sequence[Learned]) -> Figures:
    return {
        "feedback": [
            {
                "c": one.feedback.c,
                "neutral": one.feedback.neutral * SCALE,
                "share": one.feedback.share,
                "source": one.feedback.source,
                "reason": one.rejected,
            }
            for one in learned
        ],
        "feedback_reference": [asdict(one.reference) for one in learned],
        "rocchio": [asdict(one.rocchio) for one in learned],
    }


def _unjudged(rows: Sequence[Row], name: str, qrels: Qrels | None, n: int) -> float | None:
    shown = [(row.query, document) for row in rows for document in row.lists[name][:n] if row.query in (qrels or {})]
    if qrels is None or not shown:
        return None
    return sum(document not in qrels[query] for query, document in shown) / len(shown)


def _column(measured: Mapping[str, Mapping[str, float]], name: str) -> Floats:
    return np.array([measured[query][name] for query in sorted(measured)], dtype=np.float64)


def _mean(values: Floats) -> float | None:
    return float(np.nanmean(values)) if np.isfinite(values).any() else None


def _lift(ours: Floats, theirs: Floats) -> float | None:
    return float(ours.mean() / theirs.mean() - 1) if theirs.any() else None


def _interval(values: Floats) -> tuple[float, float] | None:
    return interval(values[resamples(values.size)].mean(axis=1)) if values.size else None


def _lift_interval(ours: Floats, theirs: Floats) -> tuple[float, float] | None:
    if not theirs.any():
        return None
    resampled = resamples(ours.size)
    below = theirs[resampled].mean(axis=1)
    return interval(
        np.divide(ours[resampled].mean(axis=1), below, out=np.full(below.shape, np.nan), where=below > 0) - 1
    )
