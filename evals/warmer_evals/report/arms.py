"""The parts that all reports of agents share: arms side by side, and two of them question by question."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from warmer.steering.scores import SCALE
from warmer_evals.report import hits
from warmer_evals.report.charts import Differences, OutcomeChart, OutcomeRow, differences
from warmer_evals.report.figures import DASH, bounds, change, count, interval, number, pick, probability
from warmer_evals.report.verdicts import Headline, by_interval, by_sign_test
from warmer_evals.report.view import Table

THREAD = "thread"
_FEW = 20

Report = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Pair:
    """The thread and the arm that it is compared with.

    Attributes:
        theirs: The other arm.
        words: What it is called inside a sentence.
        labels: How both are headed, the other arm first.
    """

    theirs: str
    words: str
    labels: tuple[str, str]


def arm(report: Report, name: str) -> dict[str, Any]:
    """Return the figures of an arm; empty if missing."""
    return pick(report, "arms", name) or {}


def versus(report: Report, name: str) -> dict[str, Any]:
    """Return the comparison of the thread with an arm; empty if missing."""
    return pick(report, "comparison", name) or {}


def shade(name: str) -> str:
    """Name the colour of an arm, among those of the methods: the thread has that of feedback."""
    return {THREAD: "feedback", "feedback": "feedback_dense"}.get(name, name)


def lift(report: Report, name: str, words: str, measure: str, title: str) -> Headline:
    """Return the headline on the thread's lift in nDCG over an arm."""
    compared = versus(report, name)
    ends = bounds(compared, "ci", "ndcg_lift")
    return Headline(
        measure,
        title,
        change(compared.get("ndcg_lift")),
        interval(ends, change),
        f"{number(arm(report, THREAD).get('ndcg'))} in a thread, {number(arm(report, name).get('ndcg'))} with {words}",
        by_interval(ends, _questions(compared)),
    )


def won(report: Report, name: str, words: str) -> Headline:
    """Return the headline on questions that the thread wins and loses against an arm."""
    compared = versus(report, name)
    wins, losses, ties = (compared.get(f"ndcg_{side}") for side in ("wins", "losses", "ties"))
    p = compared.get("sign_test_p")
    return Headline(
        "questions won",
        "Questions, wins : losses",
        DASH if wins is None else f"{count(wins)} : {count(losses)}",
        f"{count(ties)} tied, {probability(p)}",
        f"questions that go better, or worse, in a thread than with {words}",
        by_sign_test(wins, losses, p, _questions(compared)),
    )


def outcomes(report: Report, labels: Mapping[str, str]) -> OutcomeChart | None:
    """Chart the questions that the thread wins, ties and loses against each other arm."""
    rows = [row for name, label in labels.items() if (row := _outcome(versus(report, name), name, label))]
    note = "questions that the thread wins, ties and loses against each"
    return OutcomeChart("nDCG, question by question", note, rows) if rows else None


def against(report: Report, labels: Mapping[str, str]) -> Table:
    """Tabulate the thread against each other arm."""
    rows = []
    for name, label in labels.items():
        if name != THREAD:
            compared = versus(report, name)
            better = change(compared.get("ndcg_lift"))
            ends = interval(bounds(compared, "ci", "ndcg_lift"), change)
            wins, losses, ties = (count(compared.get(f"ndcg_{side}")) for side in ("wins", "losses", "ties"))
            p = probability(compared.get("sign_test_p"))
            rows.append([label, f"{better} ({ends})" if ends else better, f"{wins} : {losses}", ties, p])
    return Table(
        "The thread against each other arm", ["Arm", "Lift in nDCG", "Better : worse", "Tied", "Sign test"], rows
    )


def gains(report: Report, pair: Pair) -> Differences | None:
    """Chart the gain of the thread, question by question."""
    found = [
        (str(entry.get("id")), str(entry.get("text") or entry.get("id")), gain)
        for entry in report.get("per_query") or []
        if (gain := _gain(entry, pair)) is not None
    ]
    return differences("Where threads help, and where they do not", f"nDCG in a thread minus {pair.words}", found)


def rounds(report: Report, pair: Pair) -> dict[str, Any]:
    """Return the lists of each question for the page, the two arms side by side."""
    documents = hits.Documents(report.get("texts") or {})
    entries = report.get("per_query") or []
    return hits.bundle([_question(entry, pair, documents) for entry in entries], documents, pair.labels, SCALE)


def few(report: Report) -> list[str]:
    """Return a caution if there are few questions."""
    asked = len(report.get("per_query") or [])
    return (
        [f"Only {asked} {'question' if asked == 1 else 'questions'}: the intervals are rough."] if asked < _FEW else []
    )


def tabulated(report: Report, labels: Mapping[str, str], cells: Any) -> list[list[str]]:  # noqa: ANN401
    """Return a table row for each arm: its label, and the cells that `cells` makes of its figures."""
    return [[label, *cells(arm(report, name))] for name, label in labels.items()]


def _questions(compared: Mapping[str, Any]) -> int | None:
    counts = [compared.get(f"ndcg_{side}") for side in ("wins", "losses")]
    return None if None in counts else sum(value or 0 for value in [*counts, compared.get("ndcg_ties")])


def _outcome(compared: Mapping[str, Any], name: str, label: str) -> OutcomeRow | None:
    wins, ties, losses = (compared.get(f"ndcg_{side}") or 0 for side in ("wins", "ties", "losses"))
    total = wins + ties + losses
    if not total:
        return None
    return OutcomeRow(
        shade(name), label, wins / total, ties / total, losses / total, probability(compared.get("sign_test_p"))
    )


def _gain(entry: Mapping[str, Any], pair: Pair) -> float | None:
    ours, theirs = (pick(entry, "arms", name, "ndcg") for name in (THREAD, pair.theirs))
    return None if ours is None or theirs is None else round(float(ours - theirs), 4)


def _question(entry: dict[str, Any], pair: Pair, documents: hits.Documents) -> dict[str, Any]:
    arms = [pick(entry, "arms", name) or {} for name in (pair.theirs, THREAD)]
    lists = [found.get("rounds") or [] for found in arms]
    sections = [
        {"title": f"List {index + 1}", "columns": [_list(of, index, documents) for of in lists]}
        for index in range(max(map(len, lists)))
    ]
    if all("answer" in found for found in arms):
        answers = [
            hits.column(_note(found), 1, documents.numbered(_scored(found.get("answer") or [], of)))
            for found, of in zip(arms, lists, strict=True)
        ]
        sections.append({"title": "Answer", "columns": answers})
    else:
        summed = [hits.column(_note(found), 1, []) for found in arms]
        sections.append({"title": "In all", "columns": summed})
    return hits.query(entry, _gain(entry, pair), None, sections)


def _list(lists: Sequence[Any], index: int, documents: hits.Documents) -> dict[str, Any]:
    shown = lists[index] if index < len(lists) else []
    first = sum(len(earlier) for earlier in lists[:index]) + 1
    return hits.column("" if shown else "no such list", first, documents.numbered(shown))


def _scored(answer: Sequence[str], lists: Sequence[Any]) -> list[hits.Hit]:
    scores = {str(document): score for shown in lists for document, score in shown if score is not None}
    return [(str(document), scores.get(str(document))) for document in answer]


def _note(found: Mapping[str, Any]) -> str:
    if error := found.get("error"):
        return f"failed: {error}"
    return (
        f"nDCG {number(found.get('ndcg'), 2)}, {count(found.get('read'))} hits and "
        f"{count(found.get('characters'))} characters read, {count(found.get('calls'))} calls"
    )
