"""Measures from judgments, computed by ir_measures (trec_eval's definitions; nDCG with linear gains)."""

from collections.abc import Mapping, Sequence

import ir_measures
import numpy as np
from ir_measures import AP, P, R, nDCG
from numpy.typing import NDArray

from warmer_evals.beir import Qrels

RECALL_AT = 50

Lists = Mapping[str, Sequence[str]]
Floats = NDArray[np.float64]


def measure(qrels: Qrels, lists: Lists, n: int, relevant: int = 1) -> dict[str, dict[str, float]]:
    """Measure ranked lists of document ids.

    Args:
        qrels: The judgments; queries without a relevant document are left out of the result.
        lists: Query id -> document ids, best first.
        n: Depth of nDCG and precision.
        relevant: The lowest grade that counts as relevant in precision, recall and AP.

    Returns:
        Query id -> `ndcg`, `precision`, `recall_50`, `ap`; the last two are NaN if no grade is high enough.
    """
    measures = {"ndcg": nDCG @ n, "precision": P(rel=relevant) @ n, "recall_50": R(rel=relevant) @ RECALL_AT}
    measures["ap"] = AP(rel=relevant)
    names = {measure: name for name, measure in measures.items()}
    judged = {query: dict(graded) for query, graded in qrels.items() if query in lists and any(graded.values())}
    run = {query: _scores_by_rank(lists[query]) for query in judged}
    figures: dict[str, dict[str, float]] = {query: dict.fromkeys(measures, 0.0) for query in judged}
    for value in ir_measures.iter_calc(list(names), judged, run):
        figures[value.query_id][names[value.measure]] = value.value
    for query, graded in judged.items():
        if max(graded.values()) < relevant:
            figures[query] |= {"recall_50": np.nan, "ap": np.nan}
    return figures


def residual(qrels: Qrels, seen: Lists) -> Qrels:
    """Remove documents that were already scored from the judgments, for measures on the residual collection."""
    return {
        query: {document: grade for document, grade in graded.items() if document not in seen.get(query, ())}
        for query, graded in qrels.items()
    }


def _scores_by_rank(documents: Sequence[str]) -> dict[str, float]:
    """Assign each document a score that keeps its rank: trec_eval sorts by score and breaks ties its own way."""
    return {document: float(len(documents) - rank) for rank, document in enumerate(documents)}
