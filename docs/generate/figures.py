"""Tables of figures in README and docs, from the reports in evals/results."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean, median
from typing import Any

ARMS = {
    "search": "`search`, read on",
    "reword": "rewording",
    "feedback": "scores alone",
    "fused": "all words, fused by rank",
    "reword_skim": "rewording, skimmed lists",
    "thread": "**thread**",
}
COSTS = {
    "spawn to the first search result": "start to first result",
    "search, warm": "`search`",
    "search with two rewordings and a passage, warm": "the same with two rewordings and a passage",
    "give_feedback, 5 scores, warm": "`give_feedback`, five scores",
    "resident memory after the first search": "memory",
}
PEER = "mcp-server-qdrant"


def example(runs: Sequence[Mapping[str, Any]]) -> list[str]:
    """Write the first run of `docs/loop.json` as two lists side by side, and what all of them give by other ways."""
    run = runs[0]
    rows = [
        f"| {first['score']:g} | {first['title']} | {then['score']:g} | {then['title']} |"
        for first, then in zip(run["before"], run["after"], strict=True)
    ]
    said = " and ".join(f"*{text}*" for text in run["rewordings"])
    shown = mean(one["shown by new searches"] for one in runs)
    return [
        f"The question: *{run['query']}*. The agent scored the first five and added two wordings: {said}.",
        "",
        "| score | first list | score | next list |",
        "| --- | --- | --- | --- |",
        *rows,
        "",
        f"Mean score: {_score([run], 'before')}, then {_score([run], 'after')}. Over all three questions: "
        f"{_score(runs, 'before')}, then {_score(runs, 'after')}; reading on down the first list gives "
        f"{_score(runs, 'read on')}. Separate searches with the same wordings give {_score(runs, 'new searches')}, "
        f"but show {shown:.0f} passages for five new ones. Three questions prove nothing: see "
        "[what it gives](#what-it-gives).",
    ]


def _score(runs: Sequence[Mapping[str, Any]], name: str) -> str:
    return f"{mean(hit['score'] for run in runs for hit in run[name]):.1f}"


def fill(page: str, blocks: Mapping[str, Sequence[str]]) -> str:
    """Replace the text between each block's comments, `<!-- name -->` and `<!-- /name -->`.

    Raises:
        ValueError: A block's comments are not in the page exactly once.
    """
    for name, lines in blocks.items():
        start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
        pattern = re.compile(f"{start}.*?{end}", re.DOTALL)
        text = "\n".join([start, "", *lines, "", end])
        page, found = pattern.subn(lambda _, text=text: text, page)  # type: ignore[misc]
        if found != 1:
            raise ValueError(f"{start} and {end} are {found} times in the page, not once")
    return page


def threads(folder: Path) -> list[str]:
    """Return a table of recorded agents: what each arm shows at each budget, mean over collections."""
    figures = json.loads((folder / "recorded.json").read_text(encoding="utf-8"))
    runs = {run: sets for run, sets in figures.items() if run.endswith("a model's scores")}
    rows = [["", *(run.removesuffix(", a model's scores") for run in runs)], ["---"] * (len(runs) + 1)]
    for arm, name in ARMS.items():
        rows.append([name, *(_mean(sets, arm) for sets in runs.values())])
    return _table(rows)


def _mean(sets: Mapping[str, Any], arm: str) -> str:
    values = [found["arms"][arm]["ndcg"] for found in sets.values() if arm in found["arms"]]
    return f"{mean(values):.3f}" if values else ""


def costs(folder: Path) -> list[str]:
    """Return a table of the benchmark's medians, time and memory, compared with a peer."""
    measured = {row["what"]: row for row in json.loads((folder / "bench.json").read_text(encoding="utf-8"))["rows"]}
    rows = [["", "Warmer", PEER], ["---"] * 3]
    for what, name in COSTS.items():
        row = measured[what]
        values = [row["values"].get(server) for server in ("warmer", PEER)]
        rows.append([name, *(f"{median(value):.3g} {row['unit']}" if value else "has none" for value in values)])
    return _table(rows)


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in rows]
