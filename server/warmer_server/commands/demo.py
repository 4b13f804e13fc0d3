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
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
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
        "A language model once scored these passages, 0 to 10, and reworded the questions. Its answers are recorded; "
        f"no model is asked now. {_UNSCORED!r} marks a passage that has no recorded score.\n",
        soft_wrap=True,
    )
    async with Client(demo_server(settings)) as client:
        for query, recorded in recorded_scores().items():
            console.rule(f"[bold]{query}", align="left")
            rounds = await play(client, collection, query, recorded)
            _print(console, query, rounds, recorded)
    console.print(_farewell(settings, collection), soft_wrap=True, markup=False)


@dataclass(frozen=True, slots=True)
class Rounds:
    """What one question gave.

    Attributes:
        first: Five hits for the question alone.
        next: The next five, after scores and rewordings.
        ranking: All that was scored, best first.
        read_on: The next five of the first list without feedback.
        reworded: Five new hits of separate searches with the rewordings.
        reworded_shown: How many hits of these searches had to be shown for that, repeats included.
        ahead: Five hits where rewordings and a hypothetical passage come with the question.
    """

    first: Hits
    next: Hits = ()
    ranking: Hits = ()
    read_on: Hits = ()
    reworded: Hits = ()
    reworded_shown: int = 0
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
    unseen, shown = _unseen(others, first)
    words = {"rewordings": said, "hypothetical_passage": recorded_passages()[query]}
    ahead = (await _call(client, "search", query=query, **words, **ask))["hits"]
    return Rounds(first, fed["hits"], last["ranking"], read_on["hits"], unseen, shown, ahead)


def _unseen(lists: Sequence[Hits], first: Hits) -> tuple[Hits, int]:
    """Read lists in turn until five hits are new, and say how many were read."""
    seen, shown = {passage_key(hit) for hit in first}, 0
    found: list[Mapping[str, Any]] = []
    for hit in (hit for place in zip(*lists, strict=False) for hit in place):
        if len(found) == _HITS:
            break
        shown += 1
        if passage_key(hit) not in seen:
            seen.add(passage_key(hit))
            found.append(hit)
    return found, shown


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
    console.print(_means(query, rounds, recorded))


def _means(query: str, rounds: Rounds, recorded: Recorded) -> Table:
    table = Table("mean score", "of", box=None, padding=(0, 2, 0, 0))
    table.columns[0].justify = "right"
    shown = f"five new ones of separate searches with the same words, among {rounds.reworded_shown} that these showed"
    passage = (
        f"the first five, had the words come with the question and a made-up passage: “{recorded_passages()[query]}”"
    )
    for hits, what in (
        (rounds.first, "the first five"),
        (rounds.next, "[bold]the next five, after scores and rewordings"),
        (rounds.read_on, "the next five of the first list, without feedback"),
        (rounds.reworded, shown),
        (rounds.ahead, passage),
    ):
        table.add_row(_mean(hits, recorded), what)
    table.add_row("", "")
    return table


def _farewell(settings: Settings, collection: str) -> str:
    """Say what to do next, one command a line, and where the demo's data is."""
    here = f"WARMER_DATA_DIR={shlex.quote(str(settings.data_dir))} {_command()}"
    lines = [
        "Three questions show how it works, not whether it pays: `warmer-evals` measures that on your data.",
        "Look at these threads in a browser:",
        f"  {here} journal show --html threads.html",
        "Ask a question of your own:",
        f'  {here} search --collection {collection} "a question"',
    ]
    if collection != WHOLE:
        lines += ["Do the same on all of Python's documentation, which takes minutes:", f"  {_command()} demo --all"]
    return "\n".join([*lines, f"All of it is in {settings.data_dir}, apart from your own data: delete that folder."])


def _command() -> str:
    """Return how this process was started, since an environment that is not active has no `warmer` on the path."""
    return shlex.quote(sys.argv[0]) if Path(sys.argv[0]).name == "warmer" else "warmer"


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
