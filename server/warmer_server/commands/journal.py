"""`warmer journal`: searches and scores to a file and back, and what is old deleted."""

import argparse
import asyncio
from contextlib import closing
from time import time

from warmer.database import Database
from warmer.errors import WarmerError
from warmer.transfer.sqlite import export_journal, import_journal
from warmer_server.engine import journal_path, open_engine
from warmer_server.say import say
from warmer_server.settings import Settings, read_settings

_DAY = 86400.0


def run(arguments: argparse.Namespace) -> None:
    """Export, import or prune, and say on stderr how much it was."""
    settings = read_settings()
    if arguments.action == "prune":
        before = None if arguments.older_than is None else time() - arguments.older_than * _DAY
        say(f"{asyncio.run(_prune(settings, before))} searches deleted")
    elif settings.journal == "qdrant":
        raise WarmerError(
            "WARMER_JOURNAL is qdrant, and only the journal of this machine can be exported and imported: back up the "
            "collection warmer-journal by a snapshot of Qdrant's, or unset WARMER_JOURNAL"
        )
    else:
        with closing(Database(journal_path(settings))) as database:
            if arguments.action == "export":
                say(f"exported {export_journal(database, arguments.file)}")
            else:
                say(f"imported {import_journal(database, arguments.file)}")


async def _prune(settings: Settings, before: float | None) -> int:
    async with open_engine(settings) as engine:
        return await engine.journal.prune(before)
