"""`warmer params`: export and import trained parameters as JSON."""

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from warmer.errors import WarmerError
from warmer.journal.parameters import Trained
from warmer_server.engine import open_engine
from warmer_server.settings import Settings, read_settings


def run(arguments: argparse.Namespace) -> None:
    """Write all trained parameters to stdout, or restore those that an earlier call wrote."""
    settings = read_settings()
    if arguments.load:
        asyncio.run(_import(settings, _read_file(arguments.load)))
    else:
        trained = asyncio.run(_export(settings))
        sys.stdout.write(json.dumps([one.to_json() for one in trained], indent=1) + "\n")


async def _import(settings: Settings, trained: Sequence[Trained]) -> None:
    async with open_engine(settings) as engine:
        for one in trained:
            await engine.parameters.add(one)


async def _export(settings: Settings) -> list[Trained]:
    async with open_engine(settings) as engine:
        return await engine.parameters.all()


def _read_file(path: Path) -> list[Trained]:
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise WarmerError(f"cannot read parameters from {path}: {error}") from error
    return [Trained.from_json(one) for one in (raw if isinstance(raw, list) else [raw])]
