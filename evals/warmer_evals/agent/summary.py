"""Transcripts to a report: how good the answers are, and whether feedback made them better."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from warmer import __version__
from warmer.training.cross_validation import sign_test
from warmer_evals.agent.episode import Question
from warmer_evals.agent.transcript import Row
from warmer_evals.beir import Dataset, Qrels
from warmer_evals.measures import measure
from warmer_evals.rounding import rounded
from warmer_evals.statistics import interval, resamples

_TEXT = 200
_SAME = 1e-9

Rows = Mapping[str, Mapping[str, Row]]
Figures = Mapping[str, Mapping[str, Mapping[str, float]]]
Floats = NDArray[np.float64]


def summarise(
    dataset: Dataset, qrels: Qrels, questions: Sequence[Question], rows: Rows, *, n: int, ids_only: bool
) -> dict[str, Any]:
    """Measure the answers to the questions.

    A question without an answer counts with an empty one, in both arms alike.

    Args:
        dataset: Gives texts.
        qrels: The judgments; each question has a relevant document.
        questions: What was asked.
        rows: Arm -> query id -> row.
        n: How many documents an answer has at most, 50 or fewer: nDCG, precision and recall are cut there.
        ids_only: Whether to leave out all texts.
    """
    asked = {arm: {question.id: done[question.id] for question in questions} for arm, done in rows.items()}
    figures = {arm: measure(qrels, {id_: row.answer for id_, row in of.items()}, n) for arm, of in asked.items()}
    ndcg = {arm: np.array([of[question.id]["ndcg"] for question in questions]) for arm, of in figures.items()}
    report = {
        "arms": {arm: _arm(list(asked[arm].values()), list(figures[arm].values()), ndcg[arm]) for arm in asked},
        "comparison": _comparison(ndcg["search"], ndcg["feedback"]),
        "per_query": [_per_query(question, asked, figures, ids_only) for question in questions],
        "texts": {} if ids_only else _texts(dataset, asked),
    }
    made: dict[str, Any] = rounded({"version": __version__, **report})
    return made


def _arm(rows: Sequence[Row], figures: Sequence[Mapping[str, float]], ndcg: Floats) -> dict[str, Any]:
    costs = [row.usage.cost for row in rows]
    known = [cost for cost in costs if cost is not None]
    return {
        "queries": len(rows),
        "failed": sum(bool(row.error) for row in rows),
        "ndcg": ndcg.mean(),
        "recall": np.mean([one["recall_50"] for one in figures]),  # of an answer, which is no longer than that
        "precision": np.mean([one["precision"] for one in figures]),
        "hits_read": np.mean([row.read for row in rows]),
        "calls": np.mean([row.calls for row in rows]),
        "input_tokens": sum(row.usage.input_tokens for row in rows),
        "output_tokens": sum(row.usage.output_tokens for row in rows),
        "cost": sum(known) if len(known) == len(costs) else None,
        "ci": {"ndcg": interval(ndcg[resamples(ndcg.size)].mean(axis=1))},
    }


def _comparison(search: Floats, feedback: Floats) -> dict[str, Any]:
    wins, losses = int((feedback > search + _SAME).sum()), int((feedback < search - _SAME).sum())
    drawn = resamples(search.size)
    lift = _lift(feedback.mean(keepdims=True), search.mean(keepdims=True))[0]
    return {
        "ndcg_lift": lift if np.isfinite(lift) else None,
        "ndcg_wins": wins,
        "ndcg_losses": losses,
        "ndcg_ties": search.size - wins - losses,
        "sign_test_p": sign_test(wins, losses),
        "ci": {"ndcg_lift": interval(_lift(feedback[drawn].mean(axis=1), search[drawn].mean(axis=1)))},
    }


def _lift(ours: Floats, theirs: Floats) -> Floats:
    """Give by which fraction means are higher; NaN where there is nothing to be higher than."""
    return np.divide(ours, theirs, out=np.full_like(ours, np.nan), where=theirs > 0) - 1


def _per_query(question: Question, asked: Rows, figures: Figures, ids_only: bool) -> dict[str, Any]:
    arms = {
        arm: {"ndcg": figures[arm][question.id]["ndcg"]}
        | rows[question.id].model_dump(include={"answer", "read", "calls", "rounds", "error"})
        for arm, rows in asked.items()
    }
    return {"id": question.id} | ({} if ids_only else {"text": question.text}) | {"arms": arms}


def _texts(dataset: Dataset, asked: Rows) -> dict[str, str]:
    shown = (hit for rows in asked.values() for row in rows.values() for hits in row.rounds for hit in hits)
    texts = {}
    for id_ in sorted({document for document, _ in shown}):
        document = dataset.documents[id_]
        text = " ".join(f"{document.title}: {document.text}".removeprefix(": ").split())
        texts[id_] = text if len(text) <= _TEXT else text[: _TEXT - 1] + "…"
    return texts
