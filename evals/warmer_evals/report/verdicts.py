"""What the intervals allow to say: that feedback wins, that it loses, or neither."""

from dataclasses import dataclass
from enum import StrEnum

_FEWEST = 6  # with fewer queries no two-sided sign test can reach p < 0.05
_LEVEL = 0.05


class Verdict(StrEnum):
    """How a figure of feedback stands against the same without."""

    WINS = "wins"
    UNCLEAR = "no clear difference"
    LOSES = "loses"
    FEW = "too few queries"
    UNKNOWN = "not measured"


@dataclass(frozen=True, slots=True)
class Headline:
    """A figure worth its own card. `measure` names it inside a sentence; a figure that is no contest has no verdict."""

    measure: str
    title: str
    value: str
    detail: str
    meaning: str
    verdict: Verdict | None


def by_interval(bounds: list[float] | None, queries: int | None) -> Verdict:
    """Judge a difference by its interval: clear only if zero is outside."""
    if not bounds:
        return Verdict.UNKNOWN
    return _clear(bounds[0] > 0, bounds[1] < 0, queries)


def by_sign_test(wins: float | None, losses: float | None, p: float | None, queries: int | None) -> Verdict:
    """Judge wins and losses by the p of their sign test."""
    if wins is None or losses is None or p is None:
        return Verdict.UNKNOWN
    return _clear(p < _LEVEL and wins > losses, p < _LEVEL and wins < losses, queries)


def sentence(headlines: list[Headline]) -> str:
    """Put all verdicts into one honest sentence."""
    wins, loses, unclear = (
        _listed([headline.measure for headline in headlines if headline.verdict is verdict])
        for verdict in (Verdict.WINS, Verdict.LOSES, Verdict.UNCLEAR)
    )
    rest = f" No clear difference in {unclear}." if unclear else ""
    if wins and loses:
        return f"Mixed: feedback wins in {wins}, but loses in {loses}.{rest}"
    if wins:
        return f"Feedback wins in {wins}.{rest}"
    if loses:
        return f"Feedback loses in {loses}.{rest}"
    if unclear:
        return f"No clear difference between feedback and no feedback in {unclear}."
    if any(headline.verdict is Verdict.FEW for headline in headlines):
        return f"Too few queries for a verdict: fewer than {_FEWEST} cannot tell a difference from chance."
    return "No verdict: there is nothing to compare."


def _clear(above: bool, below: bool, queries: int | None) -> Verdict:
    if (queries or 0) < _FEWEST:
        return Verdict.FEW
    if above:
        return Verdict.WINS
    return Verdict.LOSES if below else Verdict.UNCLEAR


def _listed(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
