"""The view of `warmer-evals agent` with a recorded agent: threads against rewording on an equal budget."""

from typing import Any

from warmer_evals.report import arms
from warmer_evals.report.charts import IntervalChart, interval_chart
from warmer_evals.report.figures import DASH, bounds, change, count, interval, number, pick, with_interval
from warmer_evals.report.verdicts import Headline, Verdict, sentence
from warmer_evals.report.view import Table, View

_ARMS = {
    "search": "One wording, read on",
    "reword": "Rewording",
    "reword_skim": "Rewording, skimmed",
    "feedback": "Scores alone",
    "thread": "Thread",
    "fused": "Fused by rank",
}
_PAIR = arms.Pair("reword", "rewording", ("Rewording", "Thread"))
_SCORES = {
    "recorded": "a language model's, recorded and drawn",
    "perfect": "the judgments",
    "none": "none",
}


def recorded_view(report: dict[str, Any]) -> View:
    """Lay out the report of a recorded agent's arms."""
    labels = {name: label for name, label in _ARMS.items() if name in (report.get("arms") or {})}
    headlines = _headlines(report)
    equal = f"{count(report.get('budget'))} {report.get('unit') or DASH}"
    return View(
        title=f"Thread or rewording on {report.get('dataset') or DASH}?",
        eyebrow=f"Warmer {report.get('version') or ''} · evaluation with a recorded agent",
        verdict=_verdict(report, headlines, equal),
        lead=f"The words and scores of a language model ({report.get('agent') or DASH}) were played over MCP in each "
        f"arm. Each could show {equal} a question, and what counts is the best that could be made of what it showed.",
        cautions=_cautions(report),
        headlines=headlines,
        intervals=_charts(report, labels),
        outcomes=arms.outcomes(report, labels),
        differences=arms.gains(report, _PAIR),
        hits=arms.rounds(report, _PAIR),
        hits_title="A question, list by list",
        hits_note="What each arm showed, and how it was scored.",
        tables=[_table(report, labels), arms.against(report, labels)],
        facts=_facts(report, equal),
        meanings=_meanings(report),
        notes=[str(note) for note in report.get("notes") or []],
    )


def _headlines(report: dict[str, Any]) -> list[Headline]:
    ours, theirs = arms.arm(report, "thread"), arms.arm(report, "reword")
    skims = [arms.lift(report, "reword_skim", "skimmed rewording", "mean nDCG against skims", "Lift over skims")]
    cards = [
        arms.lift(report, "reword", "free rewording", "mean nDCG", "Lift over free rewording"),
        arms.won(report, "reword", "rewording"),
        *skims * ("reword_skim" in (report.get("arms") or {})),
        Headline(
            "first list",
            "First list, nDCG@5",
            number(ours.get("first5")),
            interval(bounds(ours, "ci", "first5"), number),
            f"with all that was written before the search; {number(theirs.get('first5'))} with one wording, "
            f"{number(arms.arm(report, 'fused').get('first5'))} fused by rank",
            None,
        ),
        Headline(
            "characters",
            "Characters shown a question",
            count(ours.get("characters")),
            f"{count(theirs.get('characters'))} with rewording",
            f"{number(ours.get('hits_read'), 1)} and {number(theirs.get('hits_read'), 1)} passages",
            None,
        ),
    ]
    return [card for card in cards if card.value != DASH]


def _verdict(report: dict[str, Any], headlines: list[Headline], equal: str) -> str:
    """Say in words how the thread compares with rewording."""
    compared = arms.versus(report, "reword")
    lifted, wins, losses = (compared.get(name) for name in ("ndcg_lift", "ndcg_wins", "ndcg_losses"))
    clear = {Verdict.WINS: "shows better documents", Verdict.LOSES: "shows worse documents"}
    if lifted is None or not headlines or headlines[0].verdict not in clear:
        return sentence(headlines[:2], "the thread", "rewording")
    return (
        f"For {equal} a question a thread {clear[headlines[0].verdict]} than rewording: {change(lifted)} nDCG, "
        f"{count(wins)} questions better and {count(losses)} worse."
    )


def _cautions(report: dict[str, Any]) -> list[str]:
    cautions = arms.few(report)
    drawn = pick(report, "recorded", "scores_drawn")
    if drawn:
        recorded = pick(report, "recorded", "scores_recorded")
        cautions.append(f"{count(drawn)} of {count(drawn + recorded)} scores are drawn: no model gave them.")
    if report.get("scores") == "perfect":
        cautions.append("Oracle: the scores are the judgments by which the arms are measured.")
    if report.get("scores") == "none":
        cautions.append("Nobody scores: the arm of scores alone reads on, and the thread has words alone.")
    return cautions


def _charts(report: dict[str, Any], labels: dict[str, str]) -> list[IntervalChart]:
    def chart(title: str, note: str, figure: str) -> IntervalChart | None:
        found = [(name, label, arms.arm(report, name)) for name, label in labels.items()]
        measured = [
            (arms.shade(name), label, "", arm.get(figure), bounds(arm, "ci", figure)) for name, label, arm in found
        ]
        return interval_chart(title, note, measured, number)

    charts = [
        chart("nDCG of the best order", "of all that was shown, by the judgments", "ndcg"),
        chart("nDCG@5 of the first list", "in its own order", "first5"),
    ]
    return [made for made in charts if made]


def _table(report: dict[str, Any], labels: dict[str, str]) -> Table:
    columns = ["Arm", "nDCG, best order", "nDCG@5, first list", "Characters", "Passages", "Calls"]
    note = "Means over questions, with 95% intervals."
    return Table("The arms", columns, arms.tabulated(report, labels, _cells), note)


def _cells(arm: dict[str, Any]) -> list[str]:
    return [
        with_interval(arm.get("ndcg"), bounds(arm, "ci", "ndcg"), number),
        with_interval(arm.get("first5"), bounds(arm, "ci", "first5"), number),
        with_interval(arm.get("characters"), bounds(arm, "ci", "characters"), count),
        number(arm.get("hits_read"), 1),
        number(arm.get("calls"), 1),
    ]


def _facts(report: dict[str, Any], equal: str) -> list[tuple[str, str]]:
    recorded = report.get("recorded") or {}
    scores = _SCORES.get(str(report.get("scores")), DASH)
    if report.get("scores") == "recorded":
        scores += f" ({count(recorded.get('scores_recorded'))} and {count(recorded.get('scores_drawn'))})"
    return [
        ("Dataset", str(report.get("dataset") or DASH)),
        ("Records", str(report.get("agent") or DASH)),
        ("Scores", scores),
        ("To show a question", equal),
        ("Questions", count(len(report.get("per_query") or []))),
        ("Records without judgments, left out", count(recorded.get("not_judged"))),
    ]


def _meanings(report: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (
            "nDCG of the best order",
            f"nDCG@{report.get('n') or DASH} of all documents that were shown, put into the best order by the "
            "dataset's judgments: what an answer could be at most. It says what was found, not how an agent ranks it.",
        ),
        ("nDCG@5 of the first list", "Of its first five documents, in the order in which the server gave them."),
        (
            "Rewording",
            "The question, then each wording that the model wrote after reading, in searches of their own. Documents "
            "shown before count once; counted in characters they cost again, since they are read again.",
        ),
        (
            "Thread",
            "The question with the wordings and the passage written before any search; then, list by list, the scores "
            "of the last one with a wording that was written after reading.",
        ),
        (
            "Fused by rank",
            "What the question, the wordings and the passage written before find in searches of their own, fused by "
            "reciprocal rank (k = 60, the question twice), in one list.",
        ),
        (
            "Characters",
            "Of the texts and titles that were shown. Where they are the budget, thread and skimmed rewording show "
            "lists to skim and the others whole passages; otherwise all show whole passages.",
        ),
        (
            "Drawn scores",
            "Where no score was recorded, one is drawn as the model scores relevant and other documents, the same in "
            "every arm and every run.",
        ),
        (
            "Intervals and verdicts",
            "95%, bootstrapped over questions. The lift is called a win or a loss only if zero is outside its "
            "interval, questions only if the sign test has p < 0.05.",
        ),
    ]
