"""What is on this machine: versions, models, the data directory, embedded collections."""

import os
import platform
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import closing
from importlib.metadata import version
from pathlib import Path
from time import perf_counter

from warmer import __version__
from warmer.embedding import DEFAULT_MODEL
from warmer.embedding.retrievers import load_retriever
from warmer.errors import WarmerError
from warmer.index.edge.catalog import Catalog
from warmer.journal.sqlite.database import Database
from warmer_server.app import load_embedder
from warmer_server.compatibility import mismatch, missing_from_cache
from warmer_server.doctor import Finding
from warmer_server.engine import journal_path
from warmer_server.settings import Settings

_ROOM = 200 * 2**20  # bytes that an index of some ten thousand passages takes, and the journal


async def versions(_: Settings) -> AsyncIterator[Finding]:
    """Say what runs here, and that the engine can be loaded."""
    yield Finding("warmer", "ok", f"{__version__} on Python {platform.python_version()}, {platform.platform()}")
    import qdrant_edge  # noqa: F401, PLC0415  it is loaded to see whether it can be

    yield Finding("engine", "ok", f"Qdrant Edge {version('qdrant-edge-py')} is loaded")


async def models(settings: Settings) -> AsyncIterator[Finding]:
    """Load each embedding model that is set and is here, and embed a query."""
    for model in dict.fromkeys([settings.embedding_model, *settings.retrievers.values()]):
        try:
            yield _model(model)
        except WarmerError as error:
            yield Finding("model", "fails", str(error))


def _model(model: str) -> Finding:
    if model != DEFAULT_MODEL and not Path(model).is_dir() and (folder := missing_from_cache(model)):
        return Finding("model", "note", f"{model} is not tried: it is fetched when first used, into {folder}")
    retriever = load_retriever(model, load_embedder)
    if not retriever.dim:
        return Finding("model", "note", f"{model} is not tried: Qdrant Cloud runs it")
    began = perf_counter()
    retriever.embed_query("What does a doctor ask?")
    took = f"a query is embedded in {(perf_counter() - began) * 1000:.0f} ms"
    checked = "its files are those that were released, " if model == DEFAULT_MODEL else ""
    return Finding("model", "ok", f"{model}: {checked}{retriever.dim} dimensions, {took}")


async def data(settings: Settings) -> AsyncIterator[Finding]:
    """Look at the data directory, and write a file there."""
    folder = settings.data_dir
    yield _folder(folder)
    if journal_path(settings).exists():
        with closing(Database(journal_path(settings))) as database:
            database.verify()
        yield Finding("journal", "ok", f"{journal_path(settings)} is whole")


def _folder(folder: Path) -> Finding:
    there = next(path for path in (folder, *folder.parents) if path.exists())
    if not there.is_dir():
        said = f"{there} is a file, where a folder should be: set WARMER_DATA_DIR to another, or move the file away"
        return Finding("data", "fails", said)
    try:
        if there == folder:
            with tempfile.TemporaryFile(dir=folder):
                pass
        elif not os.access(there, os.W_OK):
            raise PermissionError(None, "no permission")
    except OSError as error:
        reason = error.strerror or error
        return Finding("data", "fails", f"{there} cannot be written ({reason}): set WARMER_DATA_DIR to another folder")
    free = shutil.disk_usage(there).free
    room = f"{free / 2**30:.1f} GB free"
    if free < _ROOM:
        return Finding("data", "fails", f"{folder}: the disk is nearly full ({room}): make room")
    made = "can be written" if there == folder else "is not there yet, and is made when it is needed"
    return Finding("data", "ok", f"{folder} {made}, {room}")


async def collections(settings: Settings) -> AsyncIterator[Finding]:
    """Open the embedded collections, which compares sizes and, of small ones, contents."""
    catalog = Catalog(settings.data_dir)
    names = catalog.names()
    if not names and not settings.qdrant_url:
        yield Finding("collections", "note", "there are none: make one with `warmer index PATH --collection NAME`")
    for name in names:
        try:
            info = await catalog.open(name).info()
            served = not settings.qdrant_url
            wrong = mismatch(info, settings.retrievers.get(name, settings.embedding_model)) if served else ""
        except WarmerError as error:
            wrong = str(error)
        said = wrong or f"{name}: {info.points} passages, embedded by {info.model}"
        yield Finding("collection", "fails" if wrong else "ok", said)
    wanted = settings.collection_name
    if wanted and wanted not in names and not settings.qdrant_url:
        yield Finding("collections", "fails", f"COLLECTION_NAME is {wanted!r}, and there is no such collection")
