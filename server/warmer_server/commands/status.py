"""`warmer status`: show collections, model, parameters and where the data is."""

import argparse
import asyncio
from contextlib import closing

from warmer.embedding.retrievers import same_model
from warmer.errors import WarmerError
from warmer.index.edge.catalog import Catalog
from warmer.journal.parameters import Trained
from warmer.journal.sqlite.database import Database
from warmer.steering.params import Params
from warmer.steering.scores import SCALE
from warmer_server.compatibility import mismatch, model_of
from warmer_server.engine import LazyServer, journal_path, open_engine
from warmer_server.fit import compare
from warmer_server.settings import Settings, read_settings
from warmer_server.terminal import echo


def run(arguments: argparse.Namespace) -> None:
    """Print collections, model, parameters, journal and data directory. The line of a broken part tells the reason."""
    settings = read_settings()
    echo(*asyncio.run(_lines(settings, arguments.verify)), stderr=False)


async def _lines(settings: Settings, verify: bool) -> list[str]:
    trained: list[Trained] = []
    try:
        journal, trained = await _journal(settings, verify)
    except WarmerError as error:
        journal = str(error)
    return [
        f"data directory  {settings.data_dir}",
        f"model           {settings.embedding_model}",
        *(f"model           {model}, for {name}" for name, model in settings.retrievers.items()),
        f"steering        {_format_params(Params())} (default)",
        *(f"steering        {_format_params(one.params)} ({_format_source(one)})" for one in trained),
        f"journal         {journal}",
        *await (_server(settings) if settings.qdrant_url else _collections(settings, verify)),
    ]


_WEIGHTS = ("passage", "rewording", "earlier")


def _format_params(params: Params) -> str:
    share = "" if params.share is None else f" share={params.share:g}"
    other = (name for name in _WEIGHTS if getattr(params, name) != getattr(Params(), name))
    weights = "".join(f" {name}={getattr(params, name):g}" for name in other)
    return f"step c={params.c:g}, neutral score {params.neutral * SCALE:g}{share}{weights}"


def _format_source(one: Trained) -> str:
    return f"{one.key.collection}, scores of {one.key.judge}, {one.queries} queries, {one.key.model}, {one.created}"


async def _journal(settings: Settings, verify: bool) -> tuple[str, list[Trained]]:
    if settings.journal == "sqlite" and not journal_path(settings).exists():
        return "0 searches, 0 scores", []
    if verify and settings.journal == "sqlite":
        with closing(Database(journal_path(settings))) as database:
            database.verify()
    async with open_engine(settings) as engine:
        searches, scores = await engine.journal.counts()
        where = "" if settings.journal == "sqlite" else f", in {engine.journal_location}"
        return f"{searches} searches, {scores} scores{where}", await engine.parameters.all()


async def _server(settings: Settings) -> list[str]:
    server = LazyServer(settings)
    try:
        version = await server.version()
        lines = [f"server          {server.url}, Qdrant {version}"]
        names = await server.names()
        lines += [line for name in names for line in await _describe(server, name, settings)]
    except WarmerError as error:
        return [f"server          {error}"]
    else:
        return lines if names else [*lines, "collections     none that may be searched"]
    finally:
        await server.close()


async def _describe(server: LazyServer, name: str, settings: Settings) -> list[str]:
    try:
        index = await server.find(name)
        info = await index.info()
    except WarmerError as error:
        return [f"collection      {name}: {error}"]
    model = info.model if info.declared else "made by an unknown model"
    legs = ", words too" if info.lexical else ""
    line = f"collection      {name}: {info.points} passages, {model}, {info.dim} dimensions{legs}"
    problem = mismatch(info, settings)
    try:
        found = None if problem else await compare(index, settings)
    except WarmerError as error:
        problem, found = str(error), None
    notes = [*info.notes, problem, found.said.removeprefix(f"{name}: ") if found else ""]
    return [line, *(f"                  {note}" for note in notes if note)]


async def _collections(settings: Settings, verify: bool) -> list[str]:
    from warmer.index.edge import shards  # noqa: PLC0415  loads the engine

    catalog = Catalog(settings.data_dir)
    names = catalog.names()
    if not names:
        return ["collections     none: make one with `warmer index PATH --collection NAME`"]
    lines = []
    for name in names:
        try:
            generations = catalog.generations(name)
            verified = [f"                  {shards.verify(generations)}"] if verify else []
            info = await catalog.open(name).info()
        except WarmerError as error:
            lines.append(f"collection      {name}: {error}")
        else:
            lines.append(
                f"collection      {name}: {info.points} passages, {info.model}, {info.dim} dimensions, "
                f"generation {info.generation}"
            )
            lines += verified
            # Equal names need no check, which would load the model.
            if problem := "" if same_model(model_of(info, settings), info.model) else mismatch(info, settings):
                lines.append(f"                  {problem}")
            if manifest := generations.manifest():
                lines += [f"                  {label} from {path}" for label, path in manifest.roots.items()]
    return lines
