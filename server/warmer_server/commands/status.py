"""`warmer status`: what there is, and where."""

import argparse
import asyncio
from contextlib import closing

from rich.console import Console

from warmer.database import Database
from warmer.errors import WarmerError
from warmer.index.catalog import Catalog
from warmer.journal import SqliteJournal
from warmer.parameters import SqliteParameters, Trained
from warmer.steering import SCALE, Params
from warmer_server.app import journal_path
from warmer_server.settings import Settings, read_settings


def run(_: argparse.Namespace) -> None:
    """Print collections, model, parameters, journal and data directory; a broken part is named in its line."""
    settings = read_settings()
    console = Console(highlight=False, soft_wrap=True)
    for line in asyncio.run(_lines(settings)):
        console.print(line, markup=False)


async def _lines(settings: Settings) -> list[str]:
    trained: list[Trained] = []
    try:
        searches, scores, trained = await _journal(settings)
        journal = f"{searches} searches, {scores} scores"
    except WarmerError as error:
        journal = str(error)
    return [
        f"data directory  {settings.data_dir}",
        f"model           {settings.embedding_model}",
        f"parameters      {_numbers(Params())} (default)",
        *(f"parameters      {_numbers(one.params)} ({_trained(one)})" for one in trained),
        f"journal         {journal}",
        *await _collections(settings),
    ]


def _numbers(params: Params) -> str:
    return f"a={params.a:g} b={params.b:g} c={params.c:g} neutral={params.neutral * SCALE:g}"


def _trained(one: Trained) -> str:
    return f"{one.key.collection}, scores of {one.key.judge}, {one.queries} queries, {one.key.model}, {one.created}"


async def _journal(settings: Settings) -> tuple[int, int, list[Trained]]:
    path = journal_path(settings)
    if not path.exists():
        return 0, 0, []
    with closing(Database(path)) as database:
        searches, scores = await SqliteJournal(database, lifetime=0).counts()
        return searches, scores, await SqliteParameters(database).all()


async def _collections(settings: Settings) -> list[str]:
    catalog = Catalog(settings.data_dir)
    names = catalog.names()
    if not names:
        return ["collections     none: make one with `warmer index PATH --collection NAME`"]
    lines = []
    for name in names:
        try:
            info = await catalog.open(name).info()
        except WarmerError as error:
            lines.append(f"collection      {name}: {error}")
        else:
            lines.append(
                f"collection      {name}: {info.points} passages, {info.model}, {info.dim} dimensions, "
                f"generation {info.generation}"
            )
            if manifest := catalog.generations(name).manifest():
                lines += [f"                  {label} from {path}" for label, path in manifest.roots.items()]
    return lines
