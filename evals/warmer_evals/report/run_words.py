"""Texts of `warmer-evals run`: the lead, cautions, and what the figures mean."""

from typing import Any

from warmer_evals.report.figures import DASH, pick

_FEW_QUERIES = 20


def lead(report: dict[str, Any]) -> str:
    """Describe the evaluation in two sentences."""
    k, n = report.get("k") or DASH, report.get("n") or DASH
    return (
        f"The judge ({report.get('judge') or DASH}) scored the first {k} hits of each query. What the scores then "
        f"retrieve, the next {n} hits, is compared with the next {n} without them."
    )


def cautions(report: dict[str, Any]) -> list[str]:
    """List caveats that apply to this report."""
    queries, skipped = pick(report, "methods", "feedback", "queries"), pick(report, "methods", "feedback", "skipped")
    caveats = []
    if not queries:
        caveats.append("Every query was skipped: nowhere do the scores of the first hits differ.")
    elif queries < _FEW_QUERIES:
        caveats.append(f"Only {queries} {'query' if queries == 1 else 'queries'}: the intervals are rough.")
    if queries and skipped:
        caveats.append(
            f"Skipped: {skipped} of {queries + skipped} queries, as the scores of their first hits are equal."
        )
    if report.get("judge") == "qrels":
        caveats.append("Oracle: the judgments are the scores; residual measures are then not independent of the judge.")
    if pick(report, "about", "qrels") is False:
        caveats.append("No judgments: what needs them (nDCG, recall, the budget) is left out.")
    return caveats


def meanings(report: dict[str, Any]) -> list[tuple[str, str]]:
    """Explain each measure, as (term, text)."""
    k, n = report.get("k") or DASH, report.get("n") or DASH
    return [
        (
            "Relevance gain",
            f"How many of the next {n} hits score at least as high as the best of the first {k}, beside the same "
            "count without feedback: +50% is half as many again. Strict counts only those above it.",
        ),
        (
            "DCG wins and losses",
            "The judge's scores of the new hits, 0 to 10, discounted by rank and added up, query by query. The sign "
            "test says how likely so uneven a split is if neither list were better.",
        ),
        (
            "Residual nDCG, recall, precision, AP",
            f"From the dataset's judgments, on the collection without the {k} hits that every method was given as "
            "scored. Unjudged is the share of hits for which there is no judgment; they count as not relevant.",
        ),
        (
            "Over the same list",
            "Each method is compared with its own kind of list, so that only feedback differs. Warmer serves a hybrid "
            "list, by vectors and words; against the dense list, by vectors alone, the gain of words counts too.",
        ),
        (
            "Budget",
            "What an agent ends up with if it may score that many hits in all: nDCG of everything scored, best "
            "first by the judge. Rerank only spends them on one list; feedback retrieves anew after every round. Over "
            "its own list, only feedback differs.",
        ),
        (
            "Intervals and verdicts",
            "95%, bootstrapped over queries. The difference to the same list without feedback is called a win or a "
            "loss if zero is outside its interval; DCG, if its sign test has p < 0.05.",
        ),
        (
            "Skipped queries",
            "Equal scores say nothing about a direction: such queries are left out of relevance gain and DCG, for all "
            "methods. Residual and budget figures are of all queries with judgments.",
        ),
        ("The judge", _judge(report)),
    ]


def _judge(report: dict[str, Any]) -> str:
    if pick(report, "about", "qrels") is False:
        return "The collection has no judgments: all figures are by the judge's own scores."
    if report.get("judge") == "qrels":
        return (
            "Oracle: the judgments are the scores; residual measures are then not independent of the judge. They show "
            "what perfect scores could do, not what a model's scores will."
        )
    return (
        "Relevance gain and DCG are by the scores of the judge that also steers; residual and budget figures are by "
        "the dataset's own judgments."
    )
