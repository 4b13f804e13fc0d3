"""Copies of collections between the embedded engine and a server; points keep their ids and vectors."""

from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import anyio.to_thread

from warmer.errors import CollectionError
from warmer.index.edge.generations import Generations
from warmer.index.remote.client import Remote
from warmer.index.remote.options import Options
from warmer.publishing import Progress
from warmer.publishing.embedded.build import Stage, build_in_child
from warmer.publishing.embedded.publish import publish
from warmer.publishing.embedded.published import PublishedGeneration
from warmer.publishing.server.collection import Origin, ServerCollection
from warmer.publishing.server.points import in_batches, make_point
from warmer.publishing.server.reading import Point, ServerSource, open_source
from warmer.publishing.server.upload import Upload, uploading

_CHUNK = 1024


@dataclass(frozen=True, slots=True)
class CopyResult:
    """Outcome of a copy.

    Attributes:
        points: Number of points in the copy.
        left_out: Number of points left out because they lack a text or a vector.
    """

    points: int
    left_out: int = 0


async def copy_to_server(
    generations: Generations,
    collection: ServerCollection,
    *,
    overwrite: bool = False,
    progress: Progress = lambda _done, _total: None,
) -> CopyResult:
    """Copy an embedded collection to a server and resume an interrupted copy.

    Args:
        generations: The embedded collection.
        collection: The collection on the server.
        overwrite: Whether to replace a collection that exists on the server.
        progress: Called with the number of points done since the last call, and of all points.

    Raises:
        CollectionError: The embedded collection is missing or damaged; or the server has one of that name, and
            Warmer did not make it or `overwrite` is not set.
        EngineError: The server cannot be reached, refuses, or fails.
    """
    stored = PublishedGeneration(generations)
    manifest = stored.manifest
    if manifest is None:
        raise CollectionError(f"there is no embedded collection {generations.folder.name!r}")
    copying = f"{generations.folder.name} {stored.generation}"
    wanted = Origin(manifest.model, manifest.dim, manifest.roots, manifest.fields, copying)
    existing = await collection.origin()
    if existing and existing != wanted:
        if not overwrite:
            raise _already_exists(f"there is a collection {collection.name!r} on the server")
        await collection.drop()
        existing = None
    if existing is None:
        await collection.create(wanted)
    await collection.index_fields()
    async with uploading(collection.upsert) as upload:
        await _send_missing(stored, collection, upload, lambda done: progress(done, manifest.points))
    await collection.write_origin(replace(wanted, copying=""))
    return CopyResult(manifest.points)


async def _send_missing(
    stored: PublishedGeneration, collection: ServerCollection, upload: Upload, progress: Callable[[int], None]
) -> None:
    payloads = stored.payloads()
    while chunk := dict(islice(payloads, _CHUNK)):
        arrived = await collection.payloads(list(chunk))
        progress(len(arrived))
        vectors = stored.vectors([id_ for id_ in chunk if id_ not in arrived])
        for batch in in_batches(make_point(id_, chunk[id_], vector) for id_, vector in vectors.items()):
            await upload.put(batch)
            progress(len(batch))


async def copy_to_embedded(
    remote: Remote,
    name: str,
    generations: Generations,
    *,
    options: Options | None = None,
    model: str = "",
    overwrite: bool = False,
    progress: Progress = lambda _done, _total: None,
) -> CopyResult:
    """Copy any collection of a server into the next generation of an embedded one.

    Args:
        remote: The server.
        name: Name of the collection on the server.
        generations: The embedded collection.
        options: Names of vector and payload fields where they cannot be detected, and a filter for the points.
        model: Name of the embedding model, for a collection that does not record it.
        overwrite: Whether to replace an embedded collection that exists.
        progress: Called with the number of points done since the last call, and of all points.

    Raises:
        CollectionError: The server has no such collection, its embedding model is unknown, or it has no points that
            can be copied; or the embedded collection exists and `overwrite` is not set.
        ModelMismatchError: The collection was embedded by another model than `model`.
        StorageError: Another process is writing the embedded collection, or it cannot be written.
        EngineError: The server cannot be reached, refuses, or fails.
    """
    if not overwrite and generations.current():
        raise _already_exists(f"there is an embedded collection {generations.folder.name!r}")
    source = await open_source(remote, name, options or Options(), model)
    with generations.writer(forget=overwrite) as folder:
        received = await _receive(source, folder, progress)
        await anyio.to_thread.run_sync(build_in_child, folder, source.space.dim, abandon_on_cancel=True)
        publish(
            generations,
            folder,
            model=source.space.model,
            dim=source.space.dim,
            points=received.points,
            fields=received.fields,
            roots=source.roots,
        )
    return CopyResult(received.points, received.left_out)


class _Received:
    """Stages the received points that have a text and a vector, and counts the others."""

    def __init__(self, stage: Stage) -> None:
        self.points = 0
        self.left_out = 0
        self._stage = stage

    @property
    def fields(self) -> dict[str, str]:
        return self._stage.points.fields

    def add(self, points: Iterable[Point]) -> None:
        for id_, payload, vector in points:
            if vector is None or not payload["text"]:
                self.left_out += 1
                continue
            self._stage.add(id_, payload, vector)
            self.points += 1


async def _receive(source: ServerSource, folder: Path, progress: Progress) -> _Received:
    total = await source.count()
    with closing(Stage(folder)) as stage:
        received = _Received(stage)
        async for page in source.pages():
            if page:
                received.add(page)
                progress(len(page), total)
    if not received.points:
        raise CollectionError(
            f"collection {source.name!r} has no point with both a text and a vector: nothing is copied"
        )
    return received


def _already_exists(problem: str) -> CollectionError:
    return CollectionError(f"{problem}: choose another name with --as, or overwrite it with --replace")
