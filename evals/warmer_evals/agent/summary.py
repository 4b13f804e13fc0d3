"""Transcripts to a report: how good the answers are, and whether feedback and threads made them better."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from warmer import __version__
from warmer_evals.agent.comparison import Values, compare, compare_all, mean_interval
from warmer_evals.agent.episode import Question
from warmer_evals.agent.transcript import Row
from warmer_evals.beir import Dataset, Qrels
from warmer_evals.measures import measure
from warmer_evals.rounding import rounded

_TEXT = 200

Rows = Mapping[str, Mapping[str, Row]]
Figures = Mapping[str, Mapping[str, Mapping[str, float]]]


def summarise(
    dataset: Dataset, qrels: Qrels, questions: Sequence[Question], rows: Rows, *, n: int, ids_only: bool
) -> dict[str, Any]:
    """Measure the answers to the questions.

    A question without an answer counts with an empty one, in all arms alike.

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
        "comparison": compare(ndcg["feedback"], ndcg["search"]) | compare_all(ndcg),
        "per_query": [_per_query(question, asked, figures, ids_only) for question in questions],
        "texts": {} if ids_only else _texts(dataset, asked),
    }
    made: dict[str, Any] = rounded({"version": __version__, **report})
    return made


def _arm(rows: Sequence[Row], figures: Sequence[Mapping[str, float]], ndcg: Values) -> dict[str, Any]:
    costs = [row.usage.cost for row in rows]
    shown = np.array([row.characters for row in rows], dtype=np.float64)
    known = [cost for cost in costs if cost is not None]
    return {
        "queries": len(rows),
        "failed": sum(bool(row.error) for row in rows),
        "ndcg": ndcg.mean(),
        "recall": np.mean([one["recall_50"] for one in figures]),  # of an answer, which is no longer than that
        "precision": np.mean([one["precision"] for one in figures]),
        "characters": shown.mean(),
        "hits_read": np.mean([row.read for row in rows]),
        "calls": np.mean([row.calls for row in rows]),
        "input_tokens": sum(row.usage.input_tokens for row in rows),
        "output_tokens": sum(row.usage.output_tokens for row in rows),
        "cost": sum(known) if len(known) == len(costs) else None,
        "ci": {"ndcg": mean_interval(ndcg), "characters": mean_interval(shown)},
    }


def _per_query(question: Question, asked: Rows, figures: Figures, ids_only: bool) -> dict[str, Any]:
    arms = {
        arm: {"ndcg": figures[arm][question.id]["ndcg"]}
        | rows[question.id].model_dump(include={"answer", "read", "characters", "calls", "rounds", "error"})
        for arm, rows in asked.items()
    }
    return {"id": question.id} | ({} if ids_only else {"text": question.text}) | {"arms": arms}


def _texts(dataset: Dataset, asked: Rows) -> dict[str, str]:
    shown = (hit for rows in asked.values() for row in rows.values() for hits in row.rounds for hit in hits)
    return excerpts(dataset, (document for document, _ in shown))


def excerpts(dataset: Dataset, documents: Iterable[str]) -> dict[str, str]:
    """Give the beginnings of documents, by id."""
    texts = {}
    for id_ in sorted(set(documents)):
        document = dataset.documents[id_]
        text = " ".join(f"{document.title}: {document.text}".removeprefix(": ").split())
        texts[id_] = text if len(text) <= _TEXT else text[: _TEXT - 1] + "…"
    return texts
