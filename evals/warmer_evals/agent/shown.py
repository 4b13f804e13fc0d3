"""The measures of what was shown: nDCG of its best order, and of the first list."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from warmer_evals.agent.comparison import Values, compare_all, mean_interval
from warmer_evals.agent.playing import Play
from warmer_evals.agent.records import Record
from warmer_evals.agent.summary import excerpts
from warmer_evals.beir import Dataset, Qrels
from warmer_evals.measures import measure

_FIRST = 5


@dataclass(frozen=True, slots=True)
class Played:
    """The result of a question in one arm.

    Attributes:
        record: What was played.
        seen: The documents that were shown, in that order.
        first: The first documents of the first list, shown or not.
        characters: Of all texts and titles that were shown.
        calls: How often a tool was called.
        rounds: For each list that was shown its hits as [document id, score 0..10 or None].
    """

    record: Record
    seen: list[str]
    first: list[str]
    characters: int
    calls: int
    rounds: list[list[list[Any]]]

    @classmethod
    def of(cls, record: Record, play: Play) -> "Played":
        """Return the result of a play."""
        return cls(record, play.ledger.documents, play.first, play.ledger.characters, play.calls, play.rounds)


def summarise_shown(
    dataset: Dataset, qrels: Qrels, rows: Mapping[str, Sequence[Played]], *, n: int, ids_only: bool
) -> dict[str, Any]:
    """Measure what was shown.

    Args:
        dataset: Gives texts.
        qrels: The judgments; each question has a relevant document.
        rows: For each arm a row a question, in the same order.
        n: How deep the best order is measured.
        ids_only: Whether to leave out all texts.
    """
    figures = {arm: _measure(qrels, of, n) for arm, of in rows.items()}
    seen = {document for of in rows.values() for row in of for document in row.seen}
    return {
        "arms": {arm: _arm(values) for arm, values in figures.items()},
        "comparison": compare_all({arm: values["ndcg"] for arm, values in figures.items()}),
        "per_query": _per_query(rows, figures, ids_only),
        "texts": {} if ids_only else excerpts(dataset, seen),
    }


def _measure(qrels: Qrels, rows: Sequence[Played], n: int) -> dict[str, Values]:
    """Measure one arm; return figure -> its value for each row."""
    best = measure(qrels, {row.record.id: _best_order(row.seen, qrels[row.record.id]) for row in rows}, n)
    first = measure(qrels, {row.record.id: row.first for row in rows}, _FIRST)
    return {
        "ndcg": np.array([best[row.record.id]["ndcg"] for row in rows]),
        "first5": np.array([first[row.record.id]["ndcg"] for row in rows]),
        "characters": np.array([float(row.characters) for row in rows]),
        "hits_read": np.array([float(len(row.seen)) for row in rows]),
        "calls": np.array([float(row.calls) for row in rows]),
    }


def _best_order(documents: Sequence[str], grades: Mapping[str, int]) -> list[str]:
    return sorted(documents, key=lambda document: -grades.get(document, 0))


def _arm(figures: Mapping[str, Values]) -> dict[str, Any]:
    means = {name: values.mean() for name, values in figures.items()}
    ci = {name: mean_interval(figures[name]) for name in ("ndcg", "first5", "characters")}
    return {"queries": figures["ndcg"].size, **means, "ci": ci}


def _per_query(
    rows: Mapping[str, Sequence[Played]], figures: Mapping[str, Mapping[str, Values]], ids_only: bool
) -> list[dict[str, Any]]:
    names = ("ndcg", "first5", "characters")
    told = []
    for at, row in enumerate(next(iter(rows.values()))):
        arms = {
            arm: {name: figures[arm][name][at] for name in names}
            | {"read": len(of[at].seen), "calls": of[at].calls, "rounds": of[at].rounds}
            for arm, of in rows.items()
        }
        told.append({"id": row.record.id} | ({} if ids_only else {"text": row.record.query}) | {"arms": arms})
    return told
