"""`warmer journal qrels` and `warmer journal report`."""

import argparse
import asyncio
import json
from dataclasses import asdict
from pathlib import Path
from time import time

from rich import box
from rich.console import Console
from rich.table import Table

from warmer.errors import StorageError
from warmer.journal.use import Selection, Thread
from warmer.sanitize import one_line, sanitize_json
from warmer_server.commands.journal import transfer_of
from warmer_server.settings import Settings
from warmer_server.terminal import echo
from warmer_server.use.missing import Group, missing
from warmer_server.use.page import page
from warmer_server.use.qrels import Counts, check_folder, questions, write
from warmer_server.use.reading import nothing_scored, opened, present, read_threads, stored_name

_DAY = 86400.0  # seconds
_SHOWN = 3  # wordings of a group in the terminal


def run(arguments: argparse.Namespace, settings: Settings) -> None:
    """Write a test set, or report what is missing."""
    if arguments.action == "qrels":
        check_folder(arguments.out, force=arguments.force)
        echo(f"wrote {arguments.out}: {asyncio.run(_qrels(settings, arguments))}")
        return
    name, threads = asyncio.run(_read(settings, arguments))
    groups = missing(threads, arguments.below)
    if arguments.html:
        _write(arguments.html, page(name, groups, arguments.below))
        echo(f"wrote {arguments.html}")
    if arguments.json:
        told = {"collection": name, "threads": len(threads), "below": arguments.below}
        missing_ = [asdict(group) | {"wordings": list(group.wordings)} for group in groups]
        text = json.dumps(sanitize_json(told | {"missing": missing_}), ensure_ascii=False)
        Console(soft_wrap=True, highlight=False, markup=False, emoji=False).print(text)
    elif not arguments.html:
        _show(name, groups, len(threads), arguments.below)


async def _read(settings: Settings, arguments: argparse.Namespace) -> tuple[str, list[Thread]]:
    async with opened(settings, arguments.collection) as index:
        name = (await index.info()).name
    threads = await read_threads(settings, transfer_of(settings), _selection(settings, arguments, name))
    if not threads:
        raise nothing_scored(name)
    return name, threads


async def _qrels(settings: Settings, arguments: argparse.Namespace) -> Counts:
    name, threads = await _read(settings, arguments)
    async with opened(settings, name) as index:
        there, gone, changed = await present(index, [seen for thread in threads for seen in thread.seen])
    found = questions(threads, there)
    asked = [one for one in found if len(one.judgments) >= arguments.min_scores]
    if not asked:
        raise nothing_scored(name)
    judgments = sum(len(one.judgments) for one in asked)
    counts = Counts(len(asked), len(there), judgments, len(found) - len(asked), gone, changed)
    write(arguments.out, asked, there, counts, wordings=arguments.wordings)
    return counts


def _selection(settings: Settings, arguments: argparse.Namespace, name: str) -> Selection:
    since = 0.0 if arguments.days is None else time() - arguments.days * _DAY
    return Selection(stored_name(settings, name), arguments.owner, since, arguments.judge)


def _show(name: str, groups: list[Group], threads: int, below: float) -> None:
    if not groups:
        echo(f"{name}: no reworded question of {threads} scored threads stayed below {below:g}", stderr=False)
        return
    table = Table("threads", "best", "question, and other wordings", "best passage", box=box.SIMPLE, show_edge=False)
    for group in groups:
        more = len(group.wordings) - _SHOWN
        wordings = [*group.wordings[:_SHOWN], *([f"and {more} more"] if more > 0 else [])]
        lines = "\n".join(map(one_line, (group.question, *(f"  {wording}" for wording in wordings))))
        table.add_row(
            str(group.threads), f"{group.best:.1f}", lines, one_line(group.title or group.source or group.point)
        )
    console = Console(highlight=False, markup=False, emoji=False)
    console.print(table)


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8", errors="replace")
    except OSError as error:
        raise StorageError(f"cannot write {file}: {error}") from error
