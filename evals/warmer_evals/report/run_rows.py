"""Values that the charts and tables of `warmer-evals run` share."""

from typing import Any

from warmer_evals.report.figures import pick


def dcg_gain(entry: dict[str, Any]) -> float | None:
    """Return DCG with feedback minus DCG without; None if the query was not compared."""
    ours, theirs = (pick(entry, "methods", name, "dcg") for name in ("feedback", "vanilla"))
    if entry.get("skipped") or ours is None or theirs is None:
        return None
    return round(float(ours - theirs), 4)


def scores_by_round(report: dict[str, Any]) -> list[int]:
    """Return the total number of scores after each round; the last round may be smaller."""
    k, budget = report.get("k") or 1, pick(report, "about", "budget")
    rounds = max((len(entry.get("rounds") or []) for entry in (report.get("budget") or {}).values()), default=0)
    return [min(k * round_, budget or k * round_) for round_ in range(1, rounds + 1)]
