"""`warmer journal`: export and import searches and scores, delete old ones, and what their use tells."""

import argparse
import asyncio
from collections.abc import Callable, Coroutine
from contextlib import closing
from pathlib import Path
from time import time
from typing import Any

from warmer.journal.sqlite.database import Database
from warmer.journal.transfer.records import Counts
from warmer.journal.transfer.sqlite import export_from_sqlite, import_into_sqlite
from warmer_server.engine import JOURNAL_COLLECTION, journal_path, open_engine
from warmer_server.settings import Settings, read_settings
from warmer_server.terminal import echo

_DAY = 86400.0  # seconds


def run(arguments: argparse.Namespace) -> None:
    """Export, import, prune or forget, and report the counts on stderr."""
    settings = read_settings()
    if arguments.action == "prune":
        before = None if arguments.older_than is None else time() - arguments.older_than * _DAY
        echo(f"{asyncio.run(_prune(settings, before))} searches deleted")
        return
    if arguments.action == "forget":
        echo(f"{asyncio.run(_forget(settings, arguments.owner))} searches of {arguments.owner!r} deleted")
        return
    if arguments.action in {"qrels", "report"}:
        from warmer_server.commands import journal_use  # noqa: PLC0415  it imports this module

        journal_use.run(arguments, settings)
        return
    if arguments.action == "show":
        from warmer_server.commands import journal_show  # noqa: PLC0415  it imports this module

        journal_show.run(arguments, settings)
        return
    transfer = transfer_of(settings)
    echo(f"{arguments.action}ed {asyncio.run(transfer(settings, arguments.action, arguments.file))}")


def transfer_of(settings: Settings) -> Callable[[Settings, str, Path], Coroutine[Any, Any, Counts]]:
    """Choose what exports and imports the journal that the settings name."""
    return _transfer_shared if settings.journal == "qdrant" else _transfer_local


async def _prune(settings: Settings, before: float | None) -> int:
    async with open_engine(settings) as engine:
        return await engine.journal.prune(before)


async def _forget(settings: Settings, owner: str) -> int:
    async with open_engine(settings) as engine:
        return await engine.journal.forget(owner)


async def _transfer_local(settings: Settings, action: str, file: Path) -> Counts:
    with closing(Database(journal_path(settings))) as database:
        return export_from_sqlite(database, file) if action == "export" else await import_into_sqlite(database, file)


async def _transfer_shared(settings: Settings, action: str, file: Path) -> Counts:
    from warmer.journal.qdrant.store import open_store  # noqa: PLC0415  qdrant-client takes a second
    from warmer.journal.transfer.qdrant import export_from_qdrant, import_into_qdrant  # noqa: PLC0415
    from warmer_server.connection import open_server  # noqa: PLC0415

    async with open_server(settings.qdrant_url, settings) as remote:
        store = await open_store(remote, JOURNAL_COLLECTION)
        return await (export_from_qdrant(store, file) if action == "export" else import_into_qdrant(store, file))
