"""`warmer demo`: search the documentation of this Python, score and reword, with a real client and server.

Scores and rewordings are recorded; a language model gave them. Scores are keyed by passage, so that text that differs
in another Python counts as unscored. Collections and journal are in a data directory of the demo's own. A few modules
are enough to see how it works; `--all` indexes the rest too, into a collection of its own.
"""

import argparse
import asyncio
import hashlib
import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from statistics import fmean
from typing import Any

from mcp import Client, StdioServerParameters
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from warmer.errors import WarmerError
from warmer.index.edge.catalog import Catalog
from warmer.ingest.pydocs import python_passages
from warmer_server.commands.index import build
from warmer_server.models import load_embedder
from warmer_server.settings import Settings, read_settings
from warmer_tools.titles import shorten_title

COLLECTION = "python-docs-small"
WHOLE = "python-docs"
_MODULES = ["copy", "getpass", "hashlib", "keyword", "logging/__init__", "mailbox", "random", "secrets", "shlex"]
_MODULES += ["shutil", "tarfile", "token", "tokenize", "traceback", "warnings", "zipfile"]
SMALL = frozenset({"topics/compound", *(f"{module}.py" for module in _MODULES)})
_HITS = 5
_FIVE: dict[str, Any] = {"limit": _HITS, "detail": "full"}
_USEFUL = 7  # scores from here on are highlighted
_TITLE_WIDTH = 34
_UNSCORED = "-"
_BEST = 3  # of the ranking that are named

Hits = Sequence[Mapping[str, Any]]
Recorded = Mapping[str, float]


def run(arguments: argparse.Namespace) -> None:
    """Index the documentation unless that is done, then search it in rounds and print them."""
    settings = demo_settings()
    collection, sources = (WHOLE, None) if arguments.all else (COLLECTION, SMALL)
    if collection not in Catalog(settings.data_dir).names():
        how_much = "all of it, which takes minutes" if arguments.all else "a part of it, which takes seconds"
        Console(stderr=True).print(f"Indexing the documentation of this Python once: {how_much}.")
    embedder = load_embedder(settings.embedding_model)
    passages = python_passages(window=embedder.window, only=sources)
    build(settings, embedder, collection, passages, {}, replace=True)
    asyncio.run(demonstrate(settings, Console(highlight=False), collection))


def demo_settings() -> Settings:
    """Read the settings, but with the data directory of the demo: the folder `demo` in the user's."""
    settings = read_settings()
    return settings.model_copy(update={"data_dir": settings.data_dir / "demo"})


def demo_server(settings: Settings) -> StdioServerParameters:
    """Return how to start a server on the data directory of `settings`.

    Environment variables that could make it search other collections are left out.
    """
    excluded = ("QDRANT_", "WARMER_", "COLLECTION_NAME")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(excluded)}
    return StdioServerParameters(
        command=sys.executable,
        args=["-P", "-m", "warmer_server.cli", "serve"],
        env=environment | {"WARMER_DATA_DIR": str(settings.data_dir), "WARMER_REMEMBER": "off"},
    )


def recorded_scores() -> dict[str, Recorded]:
    """Read the scores, 0 to 10, by query and passage key."""
    return {
        query: {entry["passage"]: entry["score"] for entry in entries} for query, entries in _record()["scores"].items()
    }


def recorded_rewordings() -> dict[str, list[str]]:
    """Read what each query was reworded to."""
    rewordings: dict[str, list[str]] = _record()["rewordings"]
    return rewordings


def recorded_passages() -> dict[str, str]:
    """Read the hypothetical passage for each query: what could answer it."""
    passages: dict[str, str] = _record()["passages"]
    return passages


@cache
def _record() -> dict[str, Any]:
    raw: dict[str, Any] = json.loads(
        files("warmer_server.commands").joinpath("demo_scores.json").read_text(encoding="utf-8")
    )
    return raw


def passage_key(hit: Mapping[str, Any]) -> str:
    """Return a hash of the title and text of a passage, whole as `detail="full"` shows them."""
    return hashlib.sha256(f"{hit.get('title', '')}\n{hit['text']}".encode()).hexdigest()[:16]


async def demonstrate(settings: Settings, console: Console, collection: str = COLLECTION) -> None:
    """Start a server, search it in rounds as its client, and print hits and scores before and after feedback."""
    console.print(
        "A language model scored these passages and reworded the questions once; its answers are recorded, and none is "
        f"asked now. {_UNSCORED!r} is a passage without a recorded score.\n",
        soft_wrap=True,
    )
    async with Client(demo_server(settings)) as client:
        for query, recorded in recorded_scores().items():
            console.rule(f"[bold]{query}", align="left")
            rounds = await play(client, collection, query, recorded)
            _print(console, query, rounds, recorded)
    all_of_it = "" if collection == WHOLE else "`warmer demo --all` does the same on all documentation of this Python. "
    console.print(
        f"{all_of_it}The collection {collection!r} and these searches are in {settings.data_dir}, apart from your own: "
        f"delete the folder, or serve it with `WARMER_DATA_DIR={settings.data_dir} warmer serve`. To look at a thread: "
        f"`WARMER_DATA_DIR={settings.data_dir} warmer journal show --html threads.html`.\n"
        "Three questions show how it works. Whether it pays on your data, `warmer-evals` measures.",
        soft_wrap=True,
    )


@dataclass(frozen=True, slots=True)
class Rounds:
    """What one question gave.

    Attributes:
        first: Five hits for the question alone.
        next: The next five, after scores and rewordings.
        ranking: All that was scored, best first.
        read_on: The next five of the first list without feedback.
        reworded: Five new hits of separate searches with the rewordings.
        ahead: Five hits where rewordings and a hypothetical passage come with the question.
    """

    first: Hits
    next: Hits = ()
    ranking: Hits = ()
    read_on: Hits = ()
    reworded: Hits = ()
    ahead: Hits = ()


async def play(client: Client, collection: str, query: str, recorded: Recorded) -> Rounds:
    """Ask a question, score its hits as recorded, and go on: in the thread, by reading on, and by new searches."""
    ask = {"collection": collection, **_FIVE}
    found = await _call(client, "search", query=query, **ask)
    first, thread = found["hits"], found["search_id"]
    scores = _scores(first, recorded)
    if not scores:
        return Rounds(first)
    said = recorded_rewordings()[query]
    fed = await _call(client, "give_feedback", search_id=thread, scores=scores, rewordings=said, **_FIVE)
    more = _scores(fed["hits"], recorded)
    last = await _call(client, "give_feedback", search_id=thread, scores=more, **_FIVE) if more else fed
    again = (await _call(client, "search", query=query, **ask))["search_id"]
    read_on = await _call(client, "search", search_id=again, **_FIVE)
    enough = ask | {"limit": 2 * _HITS}
    others = [(await _call(client, "search", query=text, **enough))["hits"] for text in said]
    unseen = _unseen(others, first)
    words = {"rewordings": said, "hypothetical_passage": recorded_passages()[query]}
    ahead = (await _call(client, "search", query=query, **words, **ask))["hits"]
    return Rounds(first, fed["hits"], last["ranking"], read_on["hits"], unseen, ahead)


def _unseen(lists: Sequence[Hits], first: Hits) -> Hits:
    """Take five hits of new searches in turn, each passage once, and none of the first list."""
    seen, found = {passage_key(hit) for hit in first}, []
    for hit in (hit for place in zip(*lists, strict=False) for hit in place):
        if passage_key(hit) not in seen:
            seen.add(passage_key(hit))
            found.append(hit)
    return found[:_HITS]


def _print(console: Console, query: str, rounds: Rounds, recorded: Recorded) -> None:
    if not rounds.next:
        console.print(_table(rounds.first, recorded))
        console.print("None of these passages was scored: the texts of this Python differ. No feedback, then.\n")
        return
    said = " and ".join(f"“{text}”" for text in recorded_rewordings()[query])
    console.print(f"The agent scores the five on the left and rewords: {said}. On the right is what came next.")
    sides = Table.grid(padding=(0, 2), expand=True)
    sides.add_column(ratio=1)
    sides.add_column(ratio=1)
    sides.add_row("[bold]First list", "[bold]Next list")
    sides.add_row(_table(rounds.first, recorded), _table(rounds.next, recorded))
    console.print(sides)
    titles = {hit["hit"]: hit.get("title", "") for hit in (*rounds.first, *rounds.next)}
    best = [f"{one['score']:g} {titles.get(one['hit'], '')}" for one in rounds.ranking[:_BEST]]
    console.print(Text(f"Best of all that was scored: {'; '.join(best)}", overflow="fold"))
    console.print(
        f"Mean score: first five {_mean(rounds.first, recorded)}, next five "
        f"[bold]{_mean(rounds.next, recorded)}[/bold]. Without feedback the next five are: reading on "
        f"{_mean(rounds.read_on, recorded)}, new searches with the same words {_mean(rounds.reworded, recorded)}."
    )
    console.print(
        f"With those words and a hypothetical passage, “{recorded_passages()[query]}”, in the first call: first five "
        f"{_mean(rounds.ahead, recorded)}.\n"
    )


async def _call(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401
    result = await client.call_tool(tool, arguments)
    if result.is_error or not isinstance(result.structured_content, dict):
        raise WarmerError(" ".join(getattr(block, "text", "") for block in result.content))
    return result.structured_content


def _scores(hits: Hits, recorded: Recorded) -> dict[str, float]:
    return {str(hit["hit"]): recorded[passage_key(hit)] for hit in hits if passage_key(hit) in recorded}


def _mean(hits: Hits, recorded: Recorded) -> str:
    scores = [recorded[passage_key(hit)] for hit in hits if passage_key(hit) in recorded]
    if not scores:
        return "not scored"
    unscored = f" ({len(hits) - len(scores)} not scored)" if len(scores) < len(hits) else ""
    return f"{fmean(scores):.1f}{unscored}"


def _table(hits: Hits, recorded: Recorded) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), expand=True)
    table.add_column("hit", justify="right", width=3)
    table.add_column("score", justify="right", width=5)
    table.add_column("passage", ratio=1)
    for hit in hits:
        score = recorded.get(passage_key(hit))
        style = "bold green" if score is not None and score >= _USEFUL else ""
        passage = Text(shorten_title(hit.get("title", ""), _TITLE_WIDTH), style, no_wrap=True, overflow="ellipsis")
        text = Text(" ".join(hit["text"].split()), "dim", no_wrap=True, overflow="ellipsis")
        shown = Text(_UNSCORED if score is None else f"{score:g}", style)
        table.add_row(str(hit["hit"]), shown, Group(passage, text))
    return table
