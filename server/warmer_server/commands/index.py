"""`warmer index`: files and folders to a collection, embedded or on a server."""

import argparse
import asyncio
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from warmer.errors import IngestError
from warmer.index.catalog import Catalog
from warmer.index.shards import readable
from warmer.indexing import Built, index_passages
from warmer.ingest import read_passages
from warmer.ingest.files import SourceFile, find_files, root_labels
from warmer.passage import Passage
from warmer_server.app import load_embedder
from warmer_server.bar import progress_bar
from warmer_server.place import server_url
from warmer_server.settings import Settings, read_settings

_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Material:
    """What was found below the paths.

    Attributes:
        roots: Label of each path, and the path.
        passages: What the files hold; they are read as it is gone through.
        found: Number of files and folders found.
        left_out: Source of each file and folder that could not be read, and why; fills as the files are read.
    """

    roots: dict[str, Path]
    passages: Iterator[Passage]
    found: int
    left_out: dict[str, str]


def run(arguments: argparse.Namespace) -> None:
    """Index the paths, show progress on stderr, and say what was left out and why."""
    settings = read_settings(arguments.url)
    name, replace = arguments.collection, arguments.replace
    url = server_url(arguments.url, settings)
    found = _gather(arguments.paths, {} if replace else _known_roots(settings, url, name))
    if url:
        built = asyncio.run(_publish(settings, url, name, found, replace=replace))
    else:
        built = build(settings, name, found.passages, found.roots, unread=found.left_out, replace=replace)
    _report(arguments, built, found)


def build(
    settings: Settings,
    collection: str,
    passages: Iterable[Passage],
    roots: Mapping[str, Path],
    *,
    unread: Collection[str] = (),
    replace: bool,
) -> Built:
    """Embed and publish, with a progress bar on stderr."""
    generations = Catalog(settings.data_dir).generations(collection)
    embedder = load_embedder(settings.embedding_model)
    with progress_bar("passages") as progress:
        return index_passages(
            generations, passages, embedder, roots=roots, unread=unread, replace=replace, progress=progress
        )


def _known_roots(settings: Settings, url: str, name: str) -> Mapping[str, str]:
    if url:
        return asyncio.run(_roots_there(settings, url, name))
    generations = Catalog(settings.data_dir).generations(name)
    with readable(generations.folder):
        published = generations.manifest()
    return published.roots if published else {}


# What these two import takes a second; the embedded engine does without it.


async def _roots_there(settings: Settings, url: str, name: str) -> Mapping[str, str]:
    from warmer.publishing.collection import ServerCollection  # noqa: PLC0415
    from warmer_server.server import server  # noqa: PLC0415

    async with server(url, settings) as remote:
        origin = await ServerCollection(remote, name).origin()
    return origin.roots if origin else {}


async def _publish(settings: Settings, url: str, name: str, found: Material, *, replace: bool) -> Built:
    from warmer.publishing.collection import ServerCollection  # noqa: PLC0415
    from warmer.publishing.passages import publish_passages  # noqa: PLC0415
    from warmer_server.server import server  # noqa: PLC0415

    embedder = load_embedder(settings.embedding_model)
    async with server(url, settings) as remote:
        with progress_bar("passages") as progress:
            return await publish_passages(
                ServerCollection(remote, name),
                found.passages,
                embedder,
                roots=found.roots,
                unread=found.left_out,
                replace=replace,
                progress=progress,
            )


def _gather(paths: Sequence[Path], known: Mapping[str, str]) -> Material:
    roots = root_labels(paths, known)
    unlisted: list[SourceFile] = []
    files = [file for label, root in roots.items() for file in find_files(root, label, unlisted)]
    left_out = {folder.source: f"{folder.path}: the folder cannot be listed" for folder in unlisted}
    return Material(roots, _read(files, left_out), len(files) + len(unlisted), left_out)


def _read(files: Sequence[SourceFile], left_out: dict[str, str]) -> Iterator[Passage]:
    for file in files:
        try:
            yield from read_passages(file)
        except IngestError as error:
            left_out[file.source] = str(error)


def _report(arguments: argparse.Namespace, built: Built, found: Material) -> None:
    change = f"{built.embedded} embedded anew" if built.published else "nothing had changed"
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    console.print(
        f"{arguments.collection}: {built.points} passages, {found.found - len(found.left_out)} files read, {change}"
    )
    for reason in list(found.left_out.values())[:_SHOWN]:
        console.print(f"left out: {reason}", markup=False)
    if len(found.left_out) > _SHOWN:
        console.print(f"left out: {len(found.left_out) - _SHOWN} more")
    if found.left_out and not arguments.replace:
        console.print("What was indexed of these before is kept.")
