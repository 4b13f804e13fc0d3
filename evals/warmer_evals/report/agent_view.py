"""The view of `warmer-evals agent`: an agent that searches, and the same agent with feedback."""

from typing import Any

from warmer.steering.scores import SCALE
from warmer_evals.report import hits
from warmer_evals.report.charts import OutcomeChart, OutcomeRow, differences, interval_chart
from warmer_evals.report.figures import (
    DASH,
    bounds,
    change,
    count,
    dollars,
    interval,
    number,
    pick,
    probability,
    with_interval,
)
from warmer_evals.report.verdicts import Headline, by_interval, by_sign_test, sentence
from warmer_evals.report.view import Table, View

_ARMS = {"search": "Search alone", "feedback": "With feedback"}
_FEW = 20


def agent_view(report: dict[str, Any]) -> View:
    """Lay out the report of an agent's two arms."""
    headlines = _headlines(report)
    arms = [(name, pick(report, "arms", name) or {}) for name in _ARMS]
    measured = [(name, _ARMS[name], "", arm.get("ndcg"), bounds(arm, "ci", "ndcg")) for name, arm in arms]
    chart = interval_chart("nDCG of the answers", "by the judgments", measured, number)
    entries = report.get("per_query") or []
    gains = [
        (str(entry.get("id")), str(entry.get("text") or entry.get("id")), gain)
        for entry in entries
        if (gain := _gain(entry)) is not None
    ]
    documents = hits.Documents(report.get("texts") or {})
    queries = [_question(entry, documents) for entry in entries]
    return View(
        title=f"Does feedback help an agent on {report.get('dataset') or DASH}?",
        eyebrow=f"Warmer {report.get('version') or ''} · evaluation with an agent",
        verdict=sentence(headlines),
        lead=f"The same agent ({report.get('agent') or DASH}) answered the same questions twice, once with search "
        f"alone and once with feedback, and could read {count(report.get('budget'))} hits a question in either arm.",
        cautions=_cautions(report),
        headlines=headlines,
        intervals=[chart] if chart else [],
        outcomes=_outcomes(report),
        differences=differences(
            "Where feedback helps, and where it does not", "nDCG with feedback minus search alone", gains
        ),
        hits=hits.bundle(queries, documents, ("Search alone", "With feedback"), SCALE),
        hits_title="A question, round by round",
        hits_note="What each arm retrieved, how the agent scored it, and the answer it gave, best first.",
        tables=[_table(arms)],
        facts=_facts(report),
        meanings=_meanings(report),
        notes=[str(note) for note in report.get("notes") or []],
    )


def _headlines(report: dict[str, Any]) -> list[Headline]:
    versus = report.get("comparison") or {}
    wins, losses, ties = (versus.get(f"ndcg_{side}") for side in ("wins", "losses", "ties"))
    without, with_ = (pick(report, "arms", name) or {} for name in _ARMS)
    queries = None if wins is None or losses is None else wins + losses + (ties or 0)
    lift, p = bounds(versus, "ci", "ndcg_lift"), versus.get("sign_test_p")
    return [
        Headline(
            "mean nDCG",
            "Lift in nDCG",
            change(versus.get("ndcg_lift")),
            interval(lift, change),
            f"{number(with_.get('ndcg'))} with feedback, {number(without.get('ndcg'))} with search alone",
            by_interval(lift, queries),
        ),
        Headline(
            "questions won",
            "Questions, wins : losses",
            f"{count(wins)} : {count(losses)}",
            f"{count(ties)} tied, {probability(p)}",
            "questions answered better, or worse, with feedback",
            by_sign_test(wins, losses, p, queries),
        ),
        Headline(
            "hits read",
            "Hits read a question",
            number(with_.get("hits_read"), 1),
            f"{number(without.get('hits_read'), 1)} with search alone",
            f"in {number(with_.get('calls'), 1)} and {number(without.get('calls'), 1)} tool calls",
            None,
        ),
        Headline(
            "cost",
            "Tokens in all",
            count(_tokens(with_)),
            f"{count(_tokens(without))} with search alone",
            f"cost {dollars(with_.get('cost'))} and {dollars(without.get('cost'))}",
            None,
        ),
    ]


def _cautions(report: dict[str, Any]) -> list[str]:
    asked = len(report.get("per_query") or [])
    cautions = [
        f"{_ARMS[name]}: {failed} {'question' if failed == 1 else 'questions'} failed."
        for name in _ARMS
        if (failed := pick(report, "arms", name, "failed"))
    ]
    if report.get("agent") == "scripted":
        cautions.append("Oracle: the agent's scores are the judgments that its answers are measured by.")
    if asked < _FEW:
        cautions.insert(0, f"Only {asked} {'question' if asked == 1 else 'questions'}: the intervals are rough.")
    return cautions


def _outcomes(report: dict[str, Any]) -> OutcomeChart | None:
    versus = report.get("comparison") or {}
    wins, ties, losses = (versus.get(f"ndcg_{side}") or 0 for side in ("wins", "ties", "losses"))
    total = wins + ties + losses
    if not total:
        return None
    shares = (wins / total, ties / total, losses / total)
    row = OutcomeRow("feedback", _ARMS["feedback"], *shares, probability(versus.get("sign_test_p")))
    return OutcomeChart("nDCG, question by question", "questions won, tied and lost against search alone", [row])


def _question(entry: dict[str, Any], documents: hits.Documents) -> dict[str, Any]:
    arms = {name: pick(entry, "arms", name) or {} for name in _ARMS}
    rounds = {name: arm.get("rounds") or [] for name, arm in arms.items()}
    sections = [
        {"title": f"Round {index + 1}", "columns": [_round(rounds[name], index, documents) for name in _ARMS]}
        for index in range(max(map(len, rounds.values())))
    ]
    answers = [
        hits.column(_answer_note(arm), 1, documents.numbered(_scored(arm.get("answer") or [], rounds[name])))
        for name, arm in arms.items()
    ]
    return hits.query(entry, _gain(entry), None, [*sections, {"title": "Answer", "columns": answers}])


def _round(rounds: list[Any], index: int, documents: hits.Documents) -> dict[str, Any]:
    shown = rounds[index] if index < len(rounds) else []
    first = sum(len(earlier) for earlier in rounds[:index]) + 1
    return hits.column("" if shown else "no such round", first, documents.numbered(shown))


def _scored(answer: list[str], rounds: list[Any]) -> list[hits.Hit]:
    scores = {str(document): score for shown in rounds for document, score in shown if score is not None}
    return [(str(document), scores.get(str(document))) for document in answer]


def _answer_note(arm: dict[str, Any]) -> str:
    if error := arm.get("error"):
        return f"failed: {error}"
    return f"nDCG {number(arm.get('ndcg'), 2)}, {count(arm.get('read'))} hits read, {count(arm.get('calls'))} calls"


def _gain(entry: dict[str, Any]) -> float | None:
    ours, theirs = (pick(entry, "arms", name, "ndcg") for name in ("feedback", "search"))
    return None if ours is None or theirs is None else round(float(ours - theirs), 4)


def _table(arms: list[tuple[str, dict[str, Any]]]) -> Table:
    columns = ["Arm", "nDCG", "Recall", "Precision", "Hits read", "Calls", "Tokens in", "Tokens out", "Cost", "Failed"]
    rows = [
        [
            _ARMS[name],
            with_interval(arm.get("ndcg"), bounds(arm, "ci", "ndcg"), number),
            number(arm.get("recall")),
            number(arm.get("precision")),
            number(arm.get("hits_read"), 1),
            number(arm.get("calls"), 1),
            count(arm.get("input_tokens")),
            count(arm.get("output_tokens")),
            dollars(arm.get("cost")),
            f"{count(arm.get('failed'))} of {count(arm.get('queries'))}",
        ]
        for name, arm in arms
    ]
    return Table("The two arms", columns, rows, "Hits read and calls are means a question, tokens and cost totals.")


def _facts(report: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        ("Dataset", str(report.get("dataset") or DASH)),
        ("Agent", str(report.get("agent") or DASH)),
        ("Hits to read a question", count(report.get("budget"))),
        ("Hits in an answer (n)", count(report.get("n"))),
        ("Questions", count(len(report.get("per_query") or []))),
    ]


def _meanings(report: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (
            "nDCG of the answers",
            f"The agent answers with a ranking of what it read. nDCG@{report.get('n') or DASH} is by the dataset's "
            "judgments; recall and precision are of the same ranking.",
        ),
        ("Lift", "How much higher the mean nDCG is with feedback than with search alone."),
        (
            "Wins and losses",
            "Questions whose answer is better, or worse, with feedback. The sign test says how likely so uneven a "
            "split is if neither arm were better.",
        ),
        ("The agent", _agent(report)),
        ("Hits read", "Both arms may read equally many hits: what feedback gains is not gained by reading more."),
        (
            "Intervals and verdicts",
            "95%, bootstrapped over questions. The lift is called a win or a loss only if zero is outside its "
            "interval, questions only if the sign test has p < 0.05.",
        ),
    ]


def _agent(report: dict[str, Any]) -> str:
    if report.get("agent") == "scripted":
        return "No model: it gives the judgments as its scores, and reads what the budget allows in a fixed way."
    return "It sees queries and passages, never the judgments."


def _tokens(arm: dict[str, Any]) -> float | None:
    counts = [arm.get("input_tokens"), arm.get("output_tokens")]
    return None if None in counts else sum(value for value in counts if value)
