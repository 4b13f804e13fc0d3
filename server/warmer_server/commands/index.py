"""`warmer index`: files and folders to a collection."""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from warmer.errors import IngestError
from warmer.index.catalog import Catalog
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
    roots = root_labels(arguments.paths)
    files = [file for label, root in roots.items() for file in find_files(root, label)]
    left_out: list[str] = []
    passages = list(_read(files, left_out))
    built = build(settings, arguments.collection, passages, roots, replace=arguments.replace)
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    change = f"{built.embedded} embedded anew" if built.published else "nothing had changed"
    console.print(f"{arguments.collection}: {built.points} passages, {len(files) - len(left_out)} files read, {change}")
    for reason in left_out[:_SHOWN]:
        console.print(f"left out: {reason}", markup=False)
    if len(left_out) > _SHOWN:
        console.print(f"left out: {len(left_out) - _SHOWN} more files")


def build(
    settings: Settings,
    collection: str,
    passages: Sequence[Passage],
    roots: Mapping[str, Path],
    *,
    replace: bool,
) -> Built:
    """Embed and publish, with a progress bar on stderr."""
    generations = Catalog(settings.data_dir).generations(collection)
    embedder = load_embedder(settings.embedding_model)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("embedding", total=None)
        return index_passages(
            generations,
            passages,
            embedder,
            roots=roots,
            replace=replace,
            progress=lambda done, total: bar.update(task, advance=done, total=total),
        )


def _read(files: Sequence[SourceFile], left_out: list[str]) -> Iterator[Passage]:
    for file in files:
        try:
            yield from read_passages(file)
        except IngestError as error:
            left_out.append(str(error))
