"""Check this machine: versions, models, data directory, embedded collections."""

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
from warmer.embedding.pair import CLIP
from warmer.embedding.retrievers import load_retriever
from warmer.errors import WarmerError
from warmer.index.edge.catalog import Catalog
from warmer.journal.sqlite.database import Database
from warmer_server.compatibility import download_folder, mismatch
from warmer_server.doctor import Finding
from warmer_server.engine import journal_path
from warmer_server.models import load_queries
from warmer_server.settings import Settings

_MIN_FREE = 200 * 2**20  # bytes; enough to index about ten thousand passages and for the journal


async def versions(_: Settings) -> AsyncIterator[Finding]:
    """Report versions, and load the engine."""
    yield Finding("warmer", "ok", f"{__version__} on Python {platform.python_version()}, {platform.platform()}")
    import qdrant_edge  # noqa: F401, PLC0415  the import is the check

    yield Finding("engine", "ok", f"Qdrant Edge {version('qdrant-edge-py')} is loaded")


async def models(settings: Settings) -> AsyncIterator[Finding]:
    """Load each embedding model of the settings that is downloaded, and embed a query."""
    pictures = [settings.image_model] if settings.image_model != CLIP else []
    for model in dict.fromkeys([settings.embedding_model, *pictures, *settings.retrievers.values()]):
        try:
            yield _check_model(model)
        except WarmerError as error:
            yield Finding("model", "fails", str(error))


def _check_model(model: str) -> Finding:
    if model != DEFAULT_MODEL and not Path(model).is_dir() and (folder := download_folder(model)):
        return Finding("model", "note", f"{model} was not tried: it is fetched when first used, into {folder}")
    retriever = load_retriever(model, load_queries)
    if not retriever.dim:
        return Finding("model", "note", f"{model} was not tried: Qdrant Cloud runs it")
    began = perf_counter()
    retriever.embed_query("What does a doctor ask?")
    took = f"a query is embedded in {(perf_counter() - began) * 1000:.0f} ms"
    checked = "its files are those that were released, " if model == DEFAULT_MODEL else ""
    return Finding("model", "ok", f"{model}: {checked}{retriever.dim} dimensions, {took}")


async def data(settings: Settings) -> AsyncIterator[Finding]:
    """Write a temporary file to the data directory, and verify the journal."""
    folder = settings.data_dir
    yield _check_folder(folder)
    if journal_path(settings).exists():
        with closing(Database(journal_path(settings))) as database:
            database.verify()
        yield Finding("journal", "ok", f"{journal_path(settings)} is undamaged")


def _check_folder(folder: Path) -> Finding:
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    if not existing.is_dir():
        said = f"{existing} is a file, where a folder should be: set WARMER_DATA_DIR to another, or move the file away"
        return Finding("data", "fails", said)
    try:
        if existing == folder:
            with tempfile.TemporaryFile(dir=folder):
                pass
        elif not os.access(existing, os.W_OK):
            raise PermissionError(None, "no permission")
    except OSError as error:
        reason = error.strerror or error
        return Finding(
            "data", "fails", f"{existing} cannot be written ({reason}): set WARMER_DATA_DIR to another folder"
        )
    free = shutil.disk_usage(existing).free
    room = f"{free / 2**30:.1f} GB free"
    if free < _MIN_FREE:
        return Finding("data", "fails", f"{folder}: the disk is nearly full ({room}): make room")
    state = "can be written" if existing == folder else "does not exist yet, and is made when needed"
    return Finding("data", "ok", f"{folder} {state}, {room}")


def _missing(catalog: Catalog, name: str) -> str:
    """Say which paths that a collection was indexed from are not there any more."""
    manifest = catalog.generations(name).manifest()
    gone = [path for path in manifest.roots.values() if not os.path.lexists(path)] if manifest else []
    return f"; {', '.join(gone)}: no longer there; index it where it is now" if gone else ""


async def contents(settings: Settings) -> AsyncIterator[Finding]:
    """Read the embedded collections as a whole, however large they are."""
    from warmer.index.edge import shards  # noqa: PLC0415  loads the engine

    catalog = Catalog(settings.data_dir)
    for name in catalog.names():
        try:
            finding = Finding("contents", "ok", f"{name}: {shards.verify(catalog.generations(name))}")
        except WarmerError as error:
            finding = Finding("contents", "fails", str(error))
        yield finding


async def collections(settings: Settings) -> AsyncIterator[Finding]:
    """Open the embedded collections, which compares the sizes of their files and the contents of small ones."""
    catalog = Catalog(settings.data_dir)
    names = catalog.names()
    if not names and not settings.qdrant_url:
        yield Finding("collections", "note", "there are none: make one with `warmer index PATH --collection NAME`")
    for name in names:
        try:
            info = await catalog.open(name).info()
            served = not settings.qdrant_url
            problem = mismatch(info, settings) if served else ""
        except WarmerError as error:
            problem = str(error)
        said = problem or f"{name}: {info.points} passages, embedded by {info.model}{_missing(catalog, name)}"
        yield Finding("collection", "fails" if problem else "ok", said)
    wanted = settings.collection_name
    if wanted and wanted not in names and not settings.qdrant_url:
        yield Finding("collections", "fails", f"COLLECTION_NAME is {wanted!r}, and there is no such collection")
