"""`warmer params`: trained parameters out and in, as JSON."""

import argparse
import asyncio
import json
import sys
from contextlib import closing
from pathlib import Path

from warmer.database import Database
from warmer.errors import WarmerError
from warmer.parameters import SqliteParameters, Trained
from warmer_server.app import journal_path
from warmer_server.settings import read_settings


def run(arguments: argparse.Namespace) -> None:
    """Write all trained parameters to stdout, or put back what an earlier call wrote."""
    with closing(Database(journal_path(read_settings()))) as database:
        parameters = SqliteParameters(database)
        if arguments.load:
            for one in _read(arguments.load):
                asyncio.run(parameters.add(one))
        else:
            trained = asyncio.run(parameters.all())
            sys.stdout.write(json.dumps([one.to_json() for one in trained], indent=1) + "\n")


def _read(path: Path) -> list[Trained]:
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise WarmerError(f"cannot read parameters from {path}: {error}") from error
    return [Trained.from_json(one) for one in (raw if isinstance(raw, list) else [raw])]
