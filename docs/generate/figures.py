"""Tables of figures in the README, from the reports in evals/results."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

COLLECTIONS = {
    "qdrant-docs-k5": "Qdrant's documentation, scored by a language model",
    "med": "MED: medicine",
    "cisi": "CISI: library science",
    "cranfield": "Cranfield: aerodynamics",
    "cacm": "CACM: computing",
    "scifact": "SciFact: claims, one relevant document each",
}
AGENTS = {"agent-qdrant-docs": "Qdrant's documentation", "agent-cranfield": "Cranfield"}
COSTS = {
    "spawn to the first search result": "start to first result",
    "search, warm": "`search`",
    "give_feedback, 5 scores, warm": "`give_feedback`, five scores",
    "resident memory after the first search": "memory",
}
PEER = "mcp-server-qdrant"


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


def results(folder: Path) -> list[str]:
    """Return a table of feedback's lifts, by collection."""
    rows = [["collection", "next ten hits", "after 15 passages"], ["---"] * 3]
    for name, what in COLLECTIONS.items():
        report = _read(folder / name)
        ours, budget = report["methods"]["feedback"], report["budget"]["feedback"]
        rows.append(
            [
                f"[{what}](evals/results/{name}/report.md)",
                _change(ours["vs_same_list"], ours["ci"]["vs_same_list"]),
                _change(budget["over_same_list"], budget["ci_over_same_list"]),
            ]
        )
    return _table(rows)


def agents(folder: Path) -> list[str]:
    """Return a table of agents' results over MCP with feedback and without."""
    rows = [["questions on", "`search` alone", "with `give_feedback`", "better : worse", "lift"], ["---"] * 5]
    for name, what in AGENTS.items():
        report = _read(folder / name)
        compared, arms = report["comparison"], report["arms"]
        rows.append(
            [
                f"[{what}](evals/results/{name}/report.md)",
                *(f"{arms[arm]['ndcg']:.3f}" for arm in ("search", "feedback")),
                f"{compared['ndcg_wins']} : {compared['ndcg_losses']}",
                _change(compared["ndcg_lift"], compared["ci"]["ndcg_lift"]),
            ]
        )
    return _table(rows)


def costs(folder: Path) -> list[str]:
    """Return a table of the benchmark's medians, time and memory, compared with a peer."""
    measured = {row["what"]: row for row in json.loads((folder / "bench.json").read_text(encoding="utf-8"))["rows"]}
    rows = [["", "Warmer", PEER], ["---"] * 3]
    for what, name in COSTS.items():
        row = measured[what]
        values = [row["values"].get(server) for server in ("warmer", PEER)]
        rows.append([name, *(f"{median(value):.3g} {row['unit']}" if value else "has none" for value in values)])
    return _table(rows)


def _read(folder: Path) -> Any:  # noqa: ANN401
    return json.loads((folder / "report.json").read_text(encoding="utf-8"))


def _change(value: float, interval: Sequence[float]) -> str:
    return f"{value:+.0%} ({interval[0]:+.0%} to {interval[1]:+.0%})"


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in rows]
