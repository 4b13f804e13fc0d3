"""Collections from the embedded engine to a server and back: points keep their ids and vectors."""

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
class Copied:
    """What a copy did: points in the copy, and points that lack a text or a vector and were left out."""

    points: int
    left_out: int = 0


async def copy_to_server(
    generations: Generations,
    collection: ServerCollection,
    *,
    overwrite: bool = False,
    progress: Progress = lambda _done, _total: None,
) -> Copied:
    """Copy an embedded collection; a copy that broke off goes on where it was.

    Raises:
        CollectionError: The embedded one is not there or damaged; there is one of that name on the server, and not
            `overwrite`, or Warmer did not make it.
        EngineError: The server cannot be reached, refuses, or fails.
    """
    stored = PublishedGeneration(generations)
    manifest = stored.manifest
    if manifest is None:
        raise CollectionError(f"there is no embedded collection {generations.folder.name!r}")
    copying = f"{generations.folder.name} {stored.generation}"
    wanted = Origin(manifest.model, manifest.dim, manifest.roots, manifest.fields, copying)
    there = await collection.origin()
    if there and there != wanted:
        if not overwrite:
            raise _exists(f"there is a collection {collection.name!r} on the server")
        await collection.drop()
        there = None
    if there is None:
        await collection.create(wanted)
    await collection.index_fields()
    async with uploading(collection.upsert) as upload:
        await _send(stored, collection, upload, lambda done: progress(done, manifest.points))
    await collection.note(replace(wanted, copying=""))
    return Copied(manifest.points)


async def _send(
    stored: PublishedGeneration, collection: ServerCollection, upload: Upload, progress: Callable[[int], None]
) -> None:
    payloads = stored.payloads()
    while chunk := dict(islice(payloads, _CHUNK)):
        there = await collection.payloads(list(chunk))
        progress(len(there))
        vectors = stored.vectors([id_ for id_ in chunk if id_ not in there])
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
) -> Copied:
    """Copy a collection of a server, whoever made it, into the next generation of an embedded one.

    Args:
        remote: The server.
        name: The collection there.
        generations: The embedded collection.
        options: Where vector, text, title and source are, as far as it cannot be found out; and which points.
        model: What the vectors are from, for a collection that does not say so.
        overwrite: Whether an embedded collection that is there may be overwritten.
        progress: Is called with the number of points done since the last call, and of all points.

    Raises:
        CollectionError: There is none on the server; it is not known what its vectors are from, or it cannot be
            embedded; there is an embedded one of that name, and not `overwrite`.
        ModelMismatchError: Its vectors are from another model than `model`.
        StorageError: The embedded one is being written by another process, or cannot be written.
        EngineError: The server cannot be reached, refuses, or fails.
    """
    if not overwrite and generations.current():
        raise _exists(f"there is an embedded collection {generations.folder.name!r}")
    source = await open_source(remote, name, options or Options(), model)
    with generations.writer(forget=overwrite) as ahead:
        received = await _receive(source, ahead, progress)
        await anyio.to_thread.run_sync(build_in_child, ahead, source.space.dim, abandon_on_cancel=True)
        publish(
            generations,
            ahead,
            model=source.space.model,
            dim=source.space.dim,
            points=received.points,
            fields=received.fields,
            roots=source.roots,
        )
    return Copied(received.points, received.left_out)


class _Received:
    """Points on their way into a generation: those that have a text and a vector are staged."""

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


async def _receive(source: ServerSource, ahead: Path, progress: Progress) -> _Received:
    total = await source.count()
    with closing(Stage(ahead)) as stage:
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


def _exists(what: str) -> CollectionError:
    return CollectionError(f"{what}: choose another name with --as, or overwrite it with --replace")
