"""Verdicts: whether the intervals show that feedback wins, that it loses, or neither."""

from dataclasses import dataclass
from enum import StrEnum

_FEWEST_QUERIES = 6  # with fewer queries no two-sided sign test can reach p < 0.05
_SIGNIFICANCE = 0.05


class Verdict(StrEnum):
    """The outcome of comparing a figure with feedback to the same figure without."""

    WINS = "wins"
    UNCLEAR = "no clear difference"
    LOSES = "loses"
    FEW = "too few queries"
    UNKNOWN = "not measured"


@dataclass(frozen=True, slots=True)
class Headline:
    """A figure with its own card. `measure` is its name in a sentence; `verdict` is None for figures not compared."""

    measure: str
    title: str
    value: str
    detail: str
    meaning: str
    verdict: Verdict | None


def by_interval(bounds: list[float] | None, queries: int | None) -> Verdict:
    """Return the verdict on a difference: clear only if its interval excludes zero."""
    if not bounds:
        return Verdict.UNKNOWN
    return _verdict(bounds[0] > 0, bounds[1] < 0, queries)


def by_sign_test(wins: float | None, losses: float | None, p: float | None, queries: int | None) -> Verdict:
    """Return the verdict on wins and losses: clear only if their sign test has p < 0.05."""
    if wins is None or losses is None or p is None:
        return Verdict.UNKNOWN
    return _verdict(p < _SIGNIFICANCE and wins > losses, p < _SIGNIFICANCE and wins < losses, queries)


def sentence(headlines: list[Headline], ours: str = "feedback", theirs: str = "no feedback") -> str:
    """Summarise all verdicts on ours against theirs in one or two sentences."""
    wins, loses, unclear = (
        _join_names([_measured(headline) for headline in headlines if headline.verdict is verdict])
        for verdict in (Verdict.WINS, Verdict.LOSES, Verdict.UNCLEAR)
    )
    win, lose = ("win", "lose") if ours.endswith("s") else ("wins", "loses")
    unclear_sentence = f" No clear difference in {unclear}." if unclear else ""
    if wins and loses:
        return f"Mixed: {ours} {win} in {wins}, but {lose} in {loses}.{unclear_sentence}"
    if wins:
        return f"{ours.capitalize()} {win} in {wins}.{unclear_sentence}"
    if loses:
        return f"{ours.capitalize()} {lose} in {loses}.{unclear_sentence}"
    if unclear:
        return f"No clear difference between {ours} and {theirs} in {unclear}."
    if any(headline.verdict is Verdict.FEW for headline in headlines):
        return f"Too few queries for a verdict: fewer than {_FEWEST_QUERIES} cannot tell a difference from chance."
    return "No verdict: there is nothing to compare."


def _verdict(wins: bool, loses: bool, queries: int | None) -> Verdict:
    if (queries or 0) < _FEWEST_QUERIES:
        return Verdict.FEW
    if wins:
        return Verdict.WINS
    return Verdict.LOSES if loses else Verdict.UNCLEAR


def _measured(headline: Headline) -> str:
    clear = headline.value and headline.verdict in (Verdict.WINS, Verdict.LOSES)
    return f"{headline.measure} ({headline.value})" if clear else headline.measure


def _join_names(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
