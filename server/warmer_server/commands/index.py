"""`warmer index`: files and folders to a collection."""

import argparse
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from warmer.errors import IngestError
from warmer.index.catalog import Catalog
from warmer.index.shards import readable
from warmer.indexing import Built, index_passages
from warmer.ingest import read_passages
from warmer.ingest.files import SourceFile, find_files, root_labels
from warmer.passage import Passage
from warmer_server.app import load_embedder
from warmer_server.settings import Settings, read_settings

_SHOWN = 20


def run(arguments: argparse.Namespace) -> None:
    """Index the paths, show progress on stderr, and say what was left out and why."""
    settings = read_settings()
    generations = Catalog(settings.data_dir).generations(arguments.collection)
    with readable(generations.folder):
        published = None if arguments.replace else generations.manifest()
    roots = root_labels(arguments.paths, published.roots if published else {})
    unlisted: list[SourceFile] = []
    files = [file for label, root in roots.items() for file in find_files(root, label, unlisted)]
    left_out = {folder.source: f"{folder.path}: the folder cannot be listed" for folder in unlisted}
    passages = list(_read(files, left_out))
    built = build(settings, arguments.collection, passages, roots, unread=left_out, replace=arguments.replace)
    read = len(files) + len(unlisted) - len(left_out)
    change = f"{built.embedded} embedded anew" if built.published else "nothing had changed"
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    console.print(f"{arguments.collection}: {built.points} passages, {read} files read, {change}")
    for reason in list(left_out.values())[:_SHOWN]:
        console.print(f"left out: {reason}", markup=False)
    if len(left_out) > _SHOWN:
        console.print(f"left out: {len(left_out) - _SHOWN} more")
    if left_out and not arguments.replace:
        console.print("What was indexed of these before is kept.")


def build(
    settings: Settings,
    collection: str,
    passages: Sequence[Passage],
    roots: Mapping[str, Path],
    *,
    unread: Collection[str] = (),
    replace: bool,
) -> Built:
    """Embed and publish, with a progress bar on stderr."""
    generations = Catalog(settings.data_dir).generations(collection)
    embedder = load_embedder(settings.embedding_model)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("passages", total=None, visible=False)
        return index_passages(
            generations,
            passages,
            embedder,
            roots=roots,
            unread=unread,
            replace=replace,
            progress=lambda done, total: bar.update(task, advance=done, total=total, visible=True),
        )


def _read(files: Sequence[SourceFile], left_out: dict[str, str]) -> Iterator[Passage]:
    for file in files:
        try:
            yield from read_passages(file)
        except IngestError as error:
            left_out[file.source] = str(error)
