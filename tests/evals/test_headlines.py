"""The figures that a report begins with: fair ones, and none that are empty."""

import re
from pathlib import Path

import pytest
from evals.reports import agent_report, recorded_report, run_report

from warmer_evals.report import write
from warmer_evals.report.figures import change


@pytest.mark.parametrize("qrels", [True, False])
def test_feedback_is_compared_with_the_same_list(tmp_path: Path, qrels: bool) -> None:
    report = run_report(qrels=qrels)
    feedback, budget = report["methods"]["feedback"], report["budget"].get("feedback", {})
    feedback["same_list"]["relevance_gain"], feedback["relevance_gain"] = 0.17, 1.54
    write(report, tmp_path)
    head = (tmp_path / "report.md").read_text("utf-8").split("\n## ")[0]
    cards = [line for line in head.splitlines() if line.startswith("- **")]
    judged = [("nDCG at 15 scores", budget.get("over_same_list")), ("Residual nDCG", feedback["vs_same_list"])]
    expected = [*judged * qrels, ("Relevance gain", 0.17)]
    told = [re.split(r" \(|, ", line)[0] for line in cards[:-1]]
    assert told == [f"- **{title}**: {change(lift)}" for title, lift in expected]
    assert cards[-1].startswith("- **DCG, wins : losses**: ")
    assert "+154%" not in head


def test_a_thread_is_compared_with_free_rewording(tmp_path: Path) -> None:
    write(recorded_report(), tmp_path)
    head = (tmp_path / "report.md").read_text("utf-8").split("\n## ")[0]
    assert "- **Lift over free rewording**: +11% (+4.7% to +17%), wins; " in head


def test_nothing_is_said_of_tokens_that_nobody_spent(tmp_path: Path) -> None:
    report = agent_report()
    for arm in report["arms"].values():
        arm |= {"input_tokens": 0, "output_tokens": 0, "cost": 0.0}
    write(report, tmp_path)
    assert not re.search(r"Tokens|Cost|\$", (tmp_path / "report.md").read_text("utf-8"))
