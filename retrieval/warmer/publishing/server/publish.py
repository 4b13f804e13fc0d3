"""Publishing of passages on a server; known passages keep their vectors, the others are embedded."""

import dataclasses
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import anyio.to_thread
from qdrant_client import models

from warmer.embedding import Embedder
from warmer.errors import IngestError
from warmer.passage import Passage, embedded_text, identify
from warmer.publishing import IndexingResult, Progress, check_model, check_roots, is_kept, payload_of, was_found
from warmer.publishing.server.collection import FIELDS, Origin, ServerCollection
from warmer.publishing.server.points import in_batches, make_point
from warmer.publishing.server.upload import Upload, uploading
from warmer.publishing.spool import Payload, Spool

_CHUNK = 2048
# The id depends on the embedded text, so equal ids and equal values of these fields mean equal payloads.
_COMPARED_FIELDS = ("source", "title", "line", "url", "page", "tags")

Identified = tuple[str, Payload]


@dataclass(frozen=True, slots=True)
class Scope:
    """What a run covers; see `warmer.publishing.embedded.publish.index_passages`."""

    roots: Mapping[str, Path]
    unread: Collection[str]
    replace: bool

    def keeps(self, source: str) -> bool:
        """Tell whether stored passages of a source stay when the run does not find them."""
        return not self.replace and is_kept(source, self.roots, self.unread)


async def publish_passages(
    collection: ServerCollection,
    passages: Iterable[Passage],
    embedder: Embedder,
    *,
    roots: Mapping[str, Path],
    unread: Collection[str] = (),
    replace: bool = False,
    progress: Progress = lambda _done, _total: None,
) -> IndexingResult:
    """Bring the passages of `roots` up to date in a collection on a server, and create it if needed.

    Arguments and rules are those of `warmer.publishing.embedded.publish.index_passages`. But there are no generations:
    searches see new passages as they arrive, and old ones are deleted last. After an interrupted run, the next one
    embeds only what has not arrived. `replace` with another model deletes the collection first.

    Raises:
        IngestError: The collection would be empty, or a root would replace a different one with the same label; the
            collection is unchanged.
        ModelMismatchError: The passages that stay were embedded by another model.
        CollectionError: Warmer did not make the collection.
        EngineError: The server cannot be reached, refuses, or fails.
    """
    scope = Scope(roots, unread, replace)
    before = await collection.origin()
    if before and not replace:
        check_roots(roots, before.roots)
        check_model(embedder.name, before.model)
    with TemporaryDirectory() as folder, closing(Spool(Path(folder) / "points.jsonl")) as points:
        found: set[bytes] = set()
        for id_, passage in identify(passages, found):
            points.add(id_, payload_of(passage))
        if not points and not (before and (await _find_stale(collection, found, scope))[0]):
            unchanged = ". The collection is as it was" if before else ""
            raise IngestError(f"there is nothing to index: no passage was found{unchanged}")
        indexed = {label: str(path) for label, path in roots.items()}
        known = before.roots if before else {}
        recorded = await _prepare(
            collection, before, Origin(embedder.name, embedder.dim, known | indexed, FIELDS | points.fields)
        )
        run = _Run(collection, embedder, len(points), progress)
        async with uploading(collection.upsert) as upload:
            await run.add(points, upload)
    kept, stale = await _find_stale(collection, found, scope)
    await collection.delete(stale)
    after = dataclasses.replace(recorded, roots=indexed, copying="") if replace else recorded
    changed = bool(run.embedded or run.updated or stale) or after != before
    if changed:
        await collection.write_origin(after)
    return IndexingResult(kept, run.embedded, published=changed)


async def _prepare(collection: ServerCollection, before: Origin | None, wanted: Origin) -> Origin:
    """Create or update the collection and record the roots before any point is sent, in case the run is interrupted."""
    if before and before.model != wanted.model:
        await collection.drop()
        before = None
    if before is None:
        origin = wanted
        await collection.create(origin)
    else:
        origin = dataclasses.replace(before, roots=wanted.roots, fields=before.fields | wanted.fields)
        if origin != before:
            await collection.write_origin(origin)
    await collection.index_fields()
    return origin


async def _find_stale(collection: ServerCollection, found: set[bytes], scope: Scope) -> tuple[int, list[str]]:
    """Return the number of stored points that stay and the ids of those to delete."""
    kept, stale = 0, []
    async for id_, source in collection.sources():
        if was_found(id_, found) or scope.keeps(source):
            kept += 1
        else:
            stale.append(id_)
    return kept, stale


class _Run:
    """Adds points chunk by chunk.

    Attributes:
        embedded: Number of points embedded and sent.
        updated: Number of stored points whose payload was updated.
    """

    def __init__(self, collection: ServerCollection, embedder: Embedder, total: int, progress: Progress) -> None:
        self.embedded = 0
        self.updated = 0
        self._collection = collection
        self._embedder = embedder
        self._total = total
        self._progress = progress

    async def add(self, points: Iterable[Identified], upload: Upload) -> None:
        """Embed and send the missing points; a thread embeds while batches are being sent."""
        points = iter(points)
        while chunk := list(islice(points, _CHUNK)):
            stored = await self._update_payloads(chunk)
            missing = [point for point in chunk if point[0] not in stored]
            batches = in_batches(_embed(missing, self._embedder))
            while batch := await anyio.to_thread.run_sync(next, batches, None, abandon_on_cancel=True):
                await upload.put(batch)
                self.embedded += len(batch)
                self._progress(len(batch), self._total)

    async def _update_payloads(self, chunk: Sequence[Identified]) -> Collection[str]:
        """Update the payloads of stored points that differ. Returns the ids of all stored points in the chunk."""
        stored = await self._collection.payloads([id_ for id_, _ in chunk], *_COMPARED_FIELDS)
        payloads = {id_: payload for id_, payload in chunk if id_ in stored}
        changed = {id_: payload for id_, payload in payloads.items() if not _is_unchanged(stored[id_], payload)}
        if changed:
            await self._collection.set_payloads(changed)
            self.updated += len(changed)
        self._progress(len(stored), self._total)
        return stored


def _embed(points: Sequence[Identified], embedder: Embedder) -> Iterator[models.PointStruct]:
    texts = [embedded_text(payload["title"], payload["text"]) for _, payload in points]
    for position, vector in embedder.embed_passages(texts):
        id_, payload = points[position]
        yield make_point(id_, payload, vector)


def _is_unchanged(stored: Mapping[str, Any], payload: Mapping[str, Any]) -> bool:
    return all(stored.get(key) == payload.get(key) for key in _COMPARED_FIELDS)
