"""The view of `warmer-evals agent` with a living agent: alone, with feedback, and in threads."""

from typing import Any

from warmer_evals.report import arms
from warmer_evals.report.charts import interval_chart
from warmer_evals.report.figures import DASH, bounds, count, dollars, number, pick, with_interval
from warmer_evals.report.verdicts import Headline, sentence
from warmer_evals.report.view import Table, View

_ARMS = {"search": "Search alone", "feedback": "With feedback", "thread": "In threads"}
_PAIR = arms.Pair("search", "search alone", ("Search alone", "In threads"))


def agent_view(report: dict[str, Any]) -> View:
    """Lay out the report of an agent's arms."""
    headlines = _headlines(report)
    measured = [
        (arms.shade(name), label, "", arms.arm(report, name).get("ndcg"), bounds(arms.arm(report, name), "ci", "ndcg"))
        for name, label in _ARMS.items()
    ]
    chart = interval_chart("nDCG of the answers", "by the judgments", measured, number)
    return View(
        title=f"Do threads help an agent on {report.get('dataset') or DASH}?",
        eyebrow=f"Warmer {report.get('version') or ''} · evaluation with an agent",
        verdict=sentence(headlines[:2], "threads", "search alone"),
        lead=f"The same agent ({report.get('agent') or DASH}) answered the same questions with search alone, with "
        f"feedback, and in threads of lists to skim. It could read {_budget(report)} a question in each arm.",
        cautions=_cautions(report),
        headlines=headlines,
        intervals=[chart] if chart else [],
        outcomes=arms.outcomes(report, _ARMS),
        differences=arms.gains(report, _PAIR),
        hits=arms.rounds(report, _PAIR),
        hits_title="A question, list by list",
        hits_note="What each arm retrieved, how the agent scored it, and the answer it gave, best first.",
        tables=[_table(report), arms.against(report, _ARMS)],
        facts=_facts(report),
        meanings=_meanings(report),
        notes=[str(note) for note in report.get("notes") or []],
    )


def _headlines(report: dict[str, Any]) -> list[Headline]:
    without, with_ = (arms.arm(report, name) for name in ("search", "thread"))
    cards = [
        arms.lift(report, "search", _alone(report), "mean nDCG", "Lift over search alone"),
        arms.won(report, "search", "search alone"),
        arms.lift(report, "feedback", "feedback alone", "mean nDCG against feedback alone", "Lift over feedback"),
        Headline(
            "characters read",
            "Characters read a question",
            count(with_.get("characters")),
            f"{count(without.get('characters'))} with search alone",
            f"in {number(with_.get('calls'), 1)} and {number(without.get('calls'), 1)} tool calls",
            None,
        ),
    ]
    if _tokens(with_):
        read = f"{count(_tokens(without))} with search alone"
        paid = f"cost {dollars(with_.get('cost'))} and {dollars(without.get('cost'))}" if with_.get("cost") else ""
        cards.append(Headline("cost", "Tokens in all", count(_tokens(with_)), read, paid, None))
    return [card for card in cards if card.value != DASH]


def _alone(report: dict[str, Any]) -> str:
    return "search alone" if report.get("agent") == "scripted" else "search alone and free rewording"


def _cautions(report: dict[str, Any]) -> list[str]:
    cautions = arms.few(report)
    for name, label in _ARMS.items():
        if failed := pick(report, "arms", name, "failed"):
            cautions.append(f"{label}: {failed} {'question' if failed == 1 else 'questions'} failed.")
    if report.get("agent") == "scripted":
        cautions.append("Oracle: the agent's scores are the judgments that its answers are measured by.")
        cautions.append("It has no other words: its thread is feedback on lists to skim.")
    return cautions


def _table(report: dict[str, Any]) -> Table:
    columns = ["Arm", "nDCG", "Characters", "Recall", "Precision", "Hits read", "Calls"]
    columns += ["Failed", "Tokens in", "Tokens out", "Cost"]
    note = "nDCG of the answer, beside the characters shown for it. All but failures are means."
    if any(_tokens(arms.arm(report, name)) for name in _ARMS):
        note = note.replace("failures", "failures, tokens and cost")
    else:
        columns = columns[:-3]
    rows = [row[: len(columns)] for row in arms.tabulated(report, _ARMS, _cells)]
    return Table("The arms", columns, rows, note)


def _cells(arm: dict[str, Any]) -> list[str]:
    return [
        with_interval(arm.get("ndcg"), bounds(arm, "ci", "ndcg"), number),
        with_interval(arm.get("characters"), bounds(arm, "ci", "characters"), count),
        number(arm.get("recall")),
        number(arm.get("precision")),
        number(arm.get("hits_read"), 1),
        number(arm.get("calls"), 1),
        f"{count(arm.get('failed'))} of {count(arm.get('queries'))}",
        count(arm.get("input_tokens")),
        count(arm.get("output_tokens")),
        dollars(arm.get("cost")),
    ]


def _facts(report: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        ("Dataset", str(report.get("dataset") or DASH)),
        ("Agent", str(report.get("agent") or DASH)),
        ("To read a question", _budget(report)),
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
        (
            "The arms",
            "With search alone the agent may reword as often as it likes, each time in a search of its own; with "
            "feedback it may score what it reads too. Both show whole passages. In threads, wordings and scores steer "
            "together, and a list shows of each passage what answers best; whole it is shown where the agent asks.",
        ),
        ("Lift", "How much higher the mean nDCG is in threads than in the other arm."),
        (
            "Wins and losses",
            "Questions whose answer is better, or worse, in a thread. The sign test says how likely so uneven a "
            "split is if neither arm were better.",
        ),
        ("The agent", _agent(report)),
        ("What may be read", "As much in each arm: what is gained is not gained by reading more."),
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


def _budget(report: dict[str, Any]) -> str:
    return f"{count(report.get('budget'))} {report.get('unit') or 'passages'}"


def _tokens(arm: dict[str, Any]) -> float | None:
    counts = [arm.get("input_tokens"), arm.get("output_tokens")]
    return None if None in counts else sum(value for value in counts if value)
