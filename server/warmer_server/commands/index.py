"""`warmer index`: make or update a collection from files and folders, embedded or on a server."""

import argparse
import asyncio
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import chain
from pathlib import Path

from warmer.embedding import Embedder
from warmer.errors import IngestError
from warmer.index.edge.catalog import Catalog
from warmer.index.edge.shards import readable
from warmer.ingest import Skipped, SourceFile, find_files, root_labels, split_sections
from warmer.ingest.bounded import Limits, read_files
from warmer.ingest.decode import check_encoding
from warmer.ingest.kinds import parse_overrides
from warmer.passage import Passage, Window
from warmer.publishing import IndexingResult
from warmer.publishing.embedded.publish import index_passages
from warmer.publishing.vectors import PayloadEmbedder
from warmer_server.destination import server_url
from warmer_server.models import load_embedder
from warmer_server.progress import progress_bar
from warmer_server.settings import Settings, read_settings
from warmer_server.terminal import echo


@dataclass(frozen=True, slots=True)
class FoundFiles:
    """Files below the paths and their passages.

    Attributes:
        roots: Paths by label.
        passages: Passages of the files, which are read during the iteration.
        files: Sources of the files to read.
        left_out: Files that were not read, and why; complete after the iteration.
        missing: Path, by label, of what was indexed before and is not there any more.
        what: What is made of them.
    """

    roots: dict[str, Path]
    passages: Iterator[Passage]
    files: frozenset[str]
    left_out: Skipped
    missing: Mapping[str, str] = field(default_factory=dict)
    what: str = "passages"

    @property
    def vanished(self) -> list[str]:
        """Labels of what is gone for certain, since the folder around it is there."""
        return [label for label, path in self.missing.items() if Path(path).parent.is_dir()]

    @property
    def read(self) -> int:
        """Number of files read."""
        return len(self.files - self.left_out.unread)


def run(arguments: argparse.Namespace) -> None:
    """Index the paths with a progress bar, and report on stderr what was left out and why."""
    settings = read_settings(arguments.url)
    name, replace = arguments.collection, arguments.replace
    url = server_url(arguments.url, settings)
    known = _known_roots(settings, url, name)
    missing = {label: path for label, path in known.items() if not os.path.lexists(path)}
    there = {} if replace else {label: path for label, path in known.items() if label not in missing}
    roots = root_labels(arguments.paths, there)
    new = () if replace else roots.keys() - there.keys()
    embedder, found = _open(settings, roots, arguments, new, missing)
    unread = found.left_out.unread
    try:
        if url:
            built = asyncio.run(_publish_to_server(settings, url, embedder, found, name, replace=replace))
        else:
            built = build(
                settings,
                embedder,
                name,
                found.passages,
                found.roots,
                unread=unread,
                missing=found.missing,
                vanished=found.vanished,
                replace=replace,
                what=found.what,
            )
    except IngestError:
        _report_left_out(found)
        raise
    _report(arguments, built, found)


def _open(
    settings: Settings,
    roots: dict[str, Path],
    arguments: argparse.Namespace,
    new: Collection[str],
    missing: Mapping[str, str],
) -> tuple[Embedder | PayloadEmbedder, FoundFiles]:
    """Load the model, and find what it is to embed: pictures, if a model of those is named, else texts."""
    if not arguments.image_model:
        texts = load_embedder(settings.embedding_model)
        return texts, _find(roots, arguments, texts.window, new, missing)
    from warmer_server.commands.index_pictures import Pictures  # noqa: PLC0415  imports Pillow

    patterns = {"include": arguments.include, "exclude": arguments.exclude}
    pictures = Pictures(roots, _limits(arguments), Skipped(), **patterns)
    read = partial(_read_root, pictures.read, roots, new)
    passages = chain.from_iterable(map(read, roots))
    found = FoundFiles(roots, passages, frozenset(pictures.sources), pictures.left_out, missing, "pictures")
    return pictures.embedder(arguments.image_model), found


def build(
    settings: Settings,
    embedder: Embedder | PayloadEmbedder,
    collection: str,
    passages: Iterable[Passage],
    roots: Mapping[str, Path],
    *,
    unread: Collection[str] = (),
    missing: Collection[str] = (),
    vanished: Collection[str] = (),
    replace: bool,
    what: str = "passages",
) -> IndexingResult:
    """Embed passages and publish them as an embedded collection, with a progress bar on stderr.

    Args:
        settings: Settings.
        embedder: Embeds the passages.
        collection: Name of the collection.
        passages: Passages.
        roots: Paths by label.
        unread: Sources that could not be read; their earlier passages are kept.
        missing: Labels of what was indexed before and is not there any more.
        vanished: Those of them whose passages go even if none of them is found elsewhere.
        replace: Whether to drop passages indexed from other paths.
        what: What they are, for the progress bar.

    Raises:
        IngestError: There is nothing to index.
    """
    generations = Catalog(settings.data_dir).generations(collection)
    with progress_bar(what) as progress:
        return index_passages(
            generations,
            passages,
            embedder,
            roots=roots,
            unread=unread,
            missing=missing,
            vanished=vanished,
            replace=replace,
            progress=progress,
        )


def _known_roots(settings: Settings, url: str, name: str) -> Mapping[str, str]:
    if url:
        return asyncio.run(_server_roots(settings, url, name))
    generations = Catalog(settings.data_dir).generations(name)
    with readable(generations.folder):
        published = generations.manifest()
    return published.roots if published else {}


# The next two import qdrant-client, which takes a second; the embedded engine does without it.


async def _server_roots(settings: Settings, url: str, name: str) -> Mapping[str, str]:
    from warmer.publishing.server.collection import ServerCollection  # noqa: PLC0415
    from warmer_server.connection import open_server  # noqa: PLC0415

    async with open_server(url, settings) as remote:
        origin = await ServerCollection(remote, name).origin()
    return origin.roots if origin else {}


async def _publish_to_server(
    settings: Settings,
    url: str,
    embedder: Embedder | PayloadEmbedder,
    found: FoundFiles,
    name: str,
    *,
    replace: bool,
) -> IndexingResult:
    from warmer.publishing.server.collection import ServerCollection  # noqa: PLC0415
    from warmer.publishing.server.publish import publish_passages  # noqa: PLC0415
    from warmer_server.connection import open_server  # noqa: PLC0415

    async with open_server(url, settings) as remote:
        with progress_bar(found.what) as progress:
            return await publish_passages(
                ServerCollection(remote, name),
                found.passages,
                embedder,
                roots=found.roots,
                unread=found.left_out.unread,
                missing=found.missing,
                replace=replace,
                progress=progress,
            )


def _find(
    roots: dict[str, Path],
    arguments: argparse.Namespace,
    window: Window | None,
    new: Collection[str],
    missing: Mapping[str, str],
) -> FoundFiles:
    left_out, kinds = Skipped(), parse_overrides(arguments.kinds)
    limits = _limits(arguments)
    patterns = {"include": arguments.include, "exclude": arguments.exclude}
    files = {label: list(find_files(root, label, left_out, kinds=kinds, **patterns)) for label, root in roots.items()}

    def read(label: str) -> Iterator[Passage]:
        return _read_files(files[label], left_out, window, limits)

    sources = frozenset(file.source for found in files.values() for file in found)
    passages = chain.from_iterable(map(partial(_read_root, read, roots, new), roots))
    return FoundFiles(roots, passages, sources, left_out, missing)


def _limits(arguments: argparse.Namespace) -> Limits:
    return Limits(arguments.max_size, encoding=check_encoding(arguments.encoding) if arguments.encoding else "")


def _read_root(
    read: Callable[[str], Iterator[Passage]], roots: Mapping[str, Path], new: Collection[str], label: str
) -> Iterator[Passage]:
    return _require_any(read(label), roots[label]) if label in new else read(label)


def _require_any(passages: Iterator[Passage], root: Path) -> Iterator[Passage]:
    """Refuse a new root without passages before anything is written; it would count as indexed from then on."""
    first = next(passages, None)
    if first is None:
        raise IngestError(f"there is nothing to index in {root}: no passage was found, and nothing was changed")
    yield first
    yield from passages


def _read_files(
    files: Sequence[SourceFile], left_out: Skipped, window: Window | None, limits: Limits
) -> Iterator[Passage]:
    """Read files, each completely or not at all."""
    for file, sections in read_files(files, limits):
        if isinstance(sections, IngestError):
            left_out.add_unread(sections.reason, str(sections), file.source)
            continue
        passages = list(split_sections(sections, file, window=window))
        if not passages:
            left_out.add("without text", file.source)
        yield from passages


def _report(arguments: argparse.Namespace, built: IndexingResult, found: FoundFiles) -> None:
    change = f"{built.embedded} embedded" if built.published else "nothing had changed"
    files = f"{found.read} file{'' if found.read == 1 else 's'} read"
    echo(f"{arguments.collection}: {built.points} {found.what}, {files}, {change}")
    counts = asdict(built.changes)
    if any(counts.values()):
        echo(f"files: {', '.join(f'{count} {what}' for what, count in counts.items() if count)}")
    for label, path in found.missing.items():
        if label in built.left:
            echo(f"{label}: {path} is no longer there; what was not found elsewhere is removed")
        elif not arguments.replace:
            echo(f"{label}: {path} is not there; what was indexed of it is kept. --replace drops it")
    _report_left_out(found)
    if found.left_out.unread and not arguments.replace:
        echo("What was indexed before of those that could not be read is kept.")


def _report_left_out(found: FoundFiles) -> None:
    echo(*(f"left out: {line}" for line in found.left_out.lines()))
