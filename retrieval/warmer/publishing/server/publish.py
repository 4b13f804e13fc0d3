"""Publishing of passages on a server; known passages keep their vectors, the others are embedded."""

import dataclasses
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import anyio.to_thread
from qdrant_client import models

from warmer.embedding import Embedder
from warmer.errors import IngestError
from warmer.index.remote.limits import in_chunks
from warmer.passage import PICTURE, Passage, identify
from warmer.publishing import IndexingResult, Progress, Scope, check_model, check_roots, payload_of
from warmer.publishing.moves import Comparison
from warmer.publishing.server.collection import FIELDS, Origin, ServerCollection
from warmer.publishing.server.points import in_batches, make_point
from warmer.publishing.server.upload import Upload, uploading
from warmer.publishing.spool import Payload, Spool
from warmer.publishing.vectors import PayloadEmbedder, embed_payloads, setting_of

_CHUNK = 2048
# The id depends on the embedded text, so equal ids and equal values of these fields mean equal payloads.
_COMPARED_FIELDS = ("source", "title", "line", "url", "page", "tags")

Identified = tuple[str, Payload]


async def publish_passages(
    collection: ServerCollection,
    passages: Iterable[Passage],
    embedder: Embedder | PayloadEmbedder,
    *,
    roots: Mapping[str, Path],
    unread: Collection[str] = (),
    missing: Collection[str] = (),
    replace: bool = False,
    progress: Progress = lambda _done, _total: None,
) -> IndexingResult:
    """Bring the passages of `roots` up to date in a collection on a server, and create it if needed.

    Arguments and rules are those of `warmer.publishing.embedded.publish.index_passages`. But there are no generations:
    searches see new passages as they arrive, and old ones are deleted last. After an interrupted run, the next one
    embeds only what has not arrived. `replace` with another model deletes the collection first. What is stored of a
    folder that is missing may be from another machine: it goes only where some of it is found elsewhere.

    Raises:
        IngestError: The collection would be empty, or a root would replace a different one with the same label; the
            collection is unchanged.
        ModelMismatchError: The passages that stay were embedded by another model.
        CollectionError: Warmer did not make the collection.
        EngineError: The server cannot be reached, refuses, or fails.
    """
    scope = Scope(roots, unread, missing, (), replace)
    before = await collection.origin()
    if before and not replace:
        check_roots(roots, {label: path for label, path in before.roots.items() if label not in missing})
        check_model(embedder.name, before.model, setting_of(embedder))
    with TemporaryDirectory() as folder, closing(Spool(Path(folder) / "points.jsonl")) as points:
        comparison = Comparison()
        for id_, passage in identify(passages, comparison.new):
            comparison.find(passage.source)
            points.add(id_, payload_of(passage))
        kept, left = await _compare(collection if before else None, points, comparison, scope)
        if not points and not kept:
            unchanged = ". The collection is as it was" if before else ""
            raise IngestError(f"there is nothing to index: no passage was found{unchanged}")
        indexed = {label: str(path) for label, path in roots.items()}
        known = {label: path for label, path in before.roots.items() if label not in left} if before else {}
        recorded = await _prepare(
            collection, before, Origin(embedder.name, embedder.dim, known | indexed, FIELDS | points.fields)
        )
        run = _Run(collection, embedder, len(points), progress)
        async with uploading(collection.upsert) as upload:
            await run.add(points, upload)
        count = len(points) + kept
    stale = [id_ for id_, _ in comparison.stale()] if not before or before.model == recorded.model else []
    await collection.delete(stale)
    after = dataclasses.replace(recorded, roots=indexed, copying="") if replace else recorded
    changed = bool(run.embedded or run.updated or stale) or after != before
    if changed:
        await collection.write_origin(after)
    changes = comparison.changes()
    return IndexingResult(count, run.embedded, published=changed, changes=changes, left=left)


async def _compare(
    collection: ServerCollection | None, points: Spool, comparison: Comparison, scope: Scope
) -> tuple[int, list[str]]:
    """Give the points that moved the ids that they are stored under.

    Returns the number of stored points that stay though the run did not find them, and the labels of missing folders
    that are left behind.
    """
    kept, stale = 0, list[str]()
    async for id_, source in collection.sources() if collection else _nothing():
        if comparison.was_found(id_, source):
            continue
        if scope.keeps(source):
            kept += 1
            comparison.find(source)
        else:
            stale.append(id_)
    waiting = []
    for chunk in in_chunks(stale, _CHUNK) if collection else ():
        payloads = await collection.payloads(chunk, "source", "title", "text", PICTURE)  # type: ignore[union-attr]
        for id_, payload in payloads.items():
            whole = {"title": "", "text": "", "source": ""} | payload
            comparison.add_stale(id_, whole)
            if scope.stays_after_all(whole["source"], ()):
                waiting.append((id_, whole))
    comparison.match(points)
    points.rename(comparison.renames)
    left = scope.left(comparison.emptied)
    for id_, payload in waiting:
        if scope.stays_after_all(payload["source"], left):
            comparison.drop_stale(id_, payload)
            comparison.find(payload["source"])
            kept += 1
    return kept, left


async def _nothing() -> AsyncIterator[tuple[str, str]]:
    for _ in ():
        yield "", ""


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


class _Run:
    """Adds points chunk by chunk.

    Attributes:
        embedded: Number of points embedded and sent.
        updated: Number of stored points whose payload was updated.
    """

    def __init__(
        self, collection: ServerCollection, embedder: Embedder | PayloadEmbedder, total: int, progress: Progress
    ) -> None:
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
        fields = (*_COMPARED_FIELDS, "text") if isinstance(self._embedder, PayloadEmbedder) else _COMPARED_FIELDS
        stored = await self._collection.payloads([id_ for id_, _ in chunk], *fields)
        if "text" in fields:  # another caption has other words, which are stored as a vector
            stored = {id_: stored[id_] for id_, payload in chunk if id_ in stored and _says(stored[id_], payload)}
        payloads = {id_: payload for id_, payload in chunk if id_ in stored}
        changed = {id_: payload for id_, payload in payloads.items() if not _is_unchanged(stored[id_], payload)}
        if changed:
            await self._collection.set_payloads(changed)
            self.updated += len(changed)
        self._progress(len(stored), self._total)
        return stored


def _embed(points: Sequence[Identified], embedder: Embedder | PayloadEmbedder) -> Iterator[models.PointStruct]:
    for position, vector in embed_payloads(embedder, [payload for _, payload in points]):
        id_, payload = points[position]
        yield make_point(id_, payload, vector)


def _says(stored: Mapping[str, Any], payload: Mapping[str, Any]) -> bool:
    return all(stored.get(key, "") == payload[key] for key in ("title", "text"))


def _is_unchanged(stored: Mapping[str, Any], payload: Mapping[str, Any]) -> bool:
    return all(stored.get(key) == payload.get(key) for key in _COMPARED_FIELDS)
