"""`warmer demo`: search the documentation of this Python, score and reword, with a real client and server.

Scores and rewordings are recorded; a language model gave them. Scores are keyed by passage, so that text that differs
in another Python counts as unscored. Collection and journal are in a data directory of the demo's own.
"""

import argparse
import asyncio
import hashlib
import json
import os
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from statistics import fmean
from typing import Any

from mcp import Client, StdioServerParameters
from rich.console import Console
from rich.table import Table
from rich.text import Text

from warmer.errors import WarmerError
from warmer.index.edge.catalog import Catalog
from warmer.ingest.pydocs import python_passages
from warmer_server.app import load_embedder
from warmer_server.commands.index import build
from warmer_server.settings import Settings, read_settings
from warmer_tools.titles import shorten_title

COLLECTION = "python-docs"
_HITS = 5
_WHOLE: dict[str, Any] = {"limit": _HITS, "detail": "full"}
_USEFUL = 7  # scores from here on are highlighted
_TITLE_WIDTH = 34
_UNSCORED = "-"

Hits = Sequence[Mapping[str, Any]]
Recorded = Mapping[str, float]


def run(_: argparse.Namespace) -> None:
    """Index the documentation unless that is done, then search it in rounds and print them."""
    settings = demo_settings()
    if COLLECTION not in Catalog(settings.data_dir).names():
        Console(stderr=True).print("Indexing the documentation of this Python: once, a few minutes.")
    embedder = load_embedder(settings.embedding_model)
    build(settings, embedder, COLLECTION, python_passages(window=embedder.window), {}, replace=True)
    asyncio.run(demonstrate(settings, Console(highlight=False)))


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


@cache
def _record() -> dict[str, Any]:
    raw: dict[str, Any] = json.loads(
        files("warmer_server.commands").joinpath("demo_scores.json").read_text(encoding="utf-8")
    )
    return raw


def passage_key(hit: Mapping[str, Any]) -> str:
    """Return a hash of the title and text of a passage, whole as `detail="full"` shows them."""
    return hashlib.sha256(f"{hit.get('title', '')}\n{hit['text']}".encode()).hexdigest()[:16]


async def demonstrate(settings: Settings, console: Console) -> None:
    """Start a server, search it in rounds as its client, and print hits and scores before and after feedback."""
    console.print(
        "The scores are recorded: a language model read these passages once, and reworded the queries; none is asked "
        "now. "
        f"Where there is no recorded score, {_UNSCORED!r} stands.\n",
        soft_wrap=True,
    )
    async with Client(demo_server(settings)) as client:
        for query, recorded in recorded_scores().items():
            console.rule(f"[bold]{query}", align="left")
            await _run_rounds(client, console, query, recorded_rewordings()[query], recorded)
    console.print(
        f"The collection {COLLECTION!r} and these searches are in {settings.data_dir}, apart from your own: delete the "
        f"folder, or serve it by `WARMER_DATA_DIR={settings.data_dir} warmer serve`.\n"
        "Three queries show how it works. Whether it pays on your data is for measurements to say.",
        soft_wrap=True,
    )


async def _run_rounds(
    client: Client, console: Console, query: str, rewordings: Sequence[str], recorded: Recorded
) -> None:
    first = await _search(client, query)
    console.print("[bold]Before[/bold]: first hits, and the recorded score of each")
    console.print(_table(first["hits"], recorded))
    scores = _scores(first["hits"], recorded)
    if not scores:
        console.print("None of these passages was scored: the texts of this Python differ. No feedback, then.\n")
        return
    search_id = first["search_id"]
    second = await _feed(client, search_id, scores=scores, rewordings=rewordings)
    said = " and ".join(f"“{text}”" for text in rewordings)
    console.print(
        f"[bold]After[/bold]: those scores, and the query reworded to {said}, steered a second retrieval; its hits, "
        "and their recorded scores"
    )
    console.print(_table(second["hits"], recorded))
    more = _scores(second["hits"], recorded)
    final = await _feed(client, search_id, scores=more) if more else second
    console.print(f"[bold]Ranking[/bold]: the best {_HITS} of all that was scored")
    console.print(_ranking(final["ranking"], [*first["hits"], *second["hits"]]))
    further = await _call(client, "search", search_id=(await _search(client, query))["search_id"], **_WHOLE)
    by_scores = await _feed(client, (await _search(client, query))["search_id"], scores=scores)
    console.print(
        f"Mean score of the next {_HITS}: without feedback {_mean(further['hits'], recorded)}, "
        f"with scores {_mean(by_scores['hits'], recorded)}, "
        f"with scores and rewordings [bold]{_mean(second['hits'], recorded)}[/bold].\n"
    )


async def _search(client: Client, query: str) -> dict[str, Any]:
    """Begin a thread."""
    return await _call(client, "search", query=query, collection=COLLECTION, **_WHOLE)


async def _feed(client: Client, search_id: str, **given: Any) -> dict[str, Any]:  # noqa: ANN401  arguments of the tool
    """Go on with a thread."""
    return await _call(client, "give_feedback", search_id=search_id, **given, **_WHOLE)


async def _call(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401
    result = await client.call_tool(tool, arguments)
    if result.is_error or not isinstance(result.structured_content, dict):
        raise WarmerError(" ".join(getattr(block, "text", "") for block in result.content))
    return result.structured_content


def _scores(hits: Hits, recorded: Recorded) -> dict[str, float]:
    return {str(hit["hit"]): recorded[passage_key(hit)] for hit in hits if passage_key(hit) in recorded}


def _mean(hits: Hits, recorded: Recorded) -> str:
    scores = _scores(hits, recorded).values()
    if not scores:
        return "not scored"
    unscored = f" ({len(hits) - len(scores)} not scored)" if len(scores) < len(hits) else ""
    return f"{fmean(scores):.1f}{unscored}"


def _table(hits: Hits, recorded: Recorded) -> Table:
    table = _empty_table()
    for hit in hits:
        score = recorded.get(passage_key(hit))
        _add_row(table, hit, _UNSCORED if score is None else f"{score:g}", " ".join(hit["text"].split()))
    return table


def _ranking(ranking: Hits, shown: Hits) -> Table:
    texts = {hit["hit"]: " ".join(hit["text"].split()) for hit in shown}
    table = _empty_table()
    for ranked in ranking[:_HITS]:
        _add_row(table, ranked, f"{ranked['score']:g}", texts[ranked["hit"]])
    return table


def _empty_table() -> Table:
    table = Table(box=None, padding=(0, 1), expand=True)
    table.add_column("hit", justify="right", width=3)
    table.add_column("score", justify="right", width=5)
    table.add_column("passage", no_wrap=True, width=_TITLE_WIDTH)
    table.add_column("", no_wrap=True, style="dim", ratio=1)
    return table


def _add_row(table: Table, hit: Mapping[str, Any], score: str, text: str) -> None:
    style = "bold green" if score.isdecimal() and float(score) >= _USEFUL else ""
    table.add_row(
        str(hit["hit"]), Text(score, style), Text(shorten_title(hit.get("title", ""), _TITLE_WIDTH), style), Text(text)
    )
