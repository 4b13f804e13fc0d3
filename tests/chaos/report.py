"""Write the report of a run in Markdown."""

import os
from collections.abc import Sequence
from pathlib import Path

from chaos import Skipped, Trial

_SHOWN = 5


def write(file: Path, trials: Sequence[Trial | Skipped], took: str) -> None:
    """Write the number of faults, their outcomes, and what did not hold.

    Args:
        file: The report.
        trials: Kinds of faults.
        took: Duration of a run of all kinds, in words; empty if kinds were run separately.
    """
    done = [trial for trial in trials if isinstance(trial, Trial)]
    tried, survived = sum(trial.tried for trial in done), sum(trial.survived for trial in done)
    lines = [
        "# Faults",
        "",
        "Written by `make chaos`: faults that are done to real processes, files, disks and connections. A fault is",
        "survived if all of it held: what was published answers or is refused by name, what was acknowledged is there,",
        "and the next run does what it should.",
        "",
        f"{took or 'Put together from runs of single kinds'}, with {os.cpu_count()} cores.",
        "",
        f"{tried} faults, {survived} survived, {tried - survived} not.",
        "",
        "| fault | tried | survived | what came of it |",
        "| --- | ---: | ---: | --- |",
        *(_row(trial) for trial in done),
    ]
    if skipped := [trial for trial in trials if isinstance(trial, Skipped)]:
        lines += ["", "Not tried on this machine:", "", *(f"- {trial.name}: {trial.why}" for trial in skipped)]
    for trial in done:
        if trial.broken:
            lines += [
                "",
                f"## Not survived: {trial.name}",
                "",
                *([f"Left so: {trial.known}.", ""] if trial.known else []),
                *(f"- {_line(wrong)}" for wrong in trial.broken[:_SHOWN]),
            ]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _row(trial: Trial) -> str:
    came = "; ".join(f"{count} {_line(outcome)}" for outcome, count in sorted(trial.outcomes.items()))
    note = f" ({trial.note})" if trial.note else ""
    return f"| {trial.name}{note} | {trial.tried} | {trial.survived} | {came} |"


def _line(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")[:300]
