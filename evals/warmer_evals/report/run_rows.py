"""Values that the charts and tables of `warmer-evals run` share."""

from typing import Any

from warmer.steering.scores import SCALE
from warmer_evals.report.figures import Figure, pick

UNSTEERED = {"vanilla", "vanilla_hybrid", "rerank_only", "rerank_only_hybrid"}


def same_list(entry: dict[str, Any], kind: str) -> str:
    """Name the list that feedback is compared with: the one that is served, or the dense one in an older report.

    Args:
        entry: A query of the report.
        kind: What is compared: "methods" or "hits".
    """
    return "vanilla_hybrid" if pick(entry, kind, "vanilla_hybrid") else "vanilla"


def dcg(entry: dict[str, Any], method: str) -> Figure:
    """Return a method's DCG of scores from 0 to 10; None if it is missing."""
    found: Figure = pick(entry, "methods", method, "dcg")
    return None if found is None else found * SCALE


def dcg_gain(entry: dict[str, Any]) -> Figure:
    """Return DCG with feedback minus DCG of the same list without; None if the query was not compared."""
    ours, theirs = dcg(entry, "feedback"), dcg(entry, same_list(entry, "methods"))
    if entry.get("skipped") or ours is None or theirs is None:
        return None
    return round(ours - theirs, 4)


def scores_by_round(report: dict[str, Any]) -> list[int]:
    """Return the total number of scores after each round; the last round may be smaller."""
    k, budget = report.get("k") or 1, pick(report, "about", "budget")
    rounds = max((len(entry.get("rounds") or []) for entry in (report.get("budget") or {}).values()), default=0)
    return [min(k * round_, budget or k * round_) for round_ in range(1, rounds + 1)]
