"""Passages to a collection on a server: what is there keeps its vector, the rest is embedded."""

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
from warmer.publishing import Built, Progress, check_model, check_roots, is_given, is_kept, payload_of
from warmer.publishing.server.collection import FIELDS, Origin, ServerCollection
from warmer.publishing.server.points import in_batches, make_point
from warmer.publishing.server.upload import Upload, uploading
from warmer.publishing.spool import Payload, Spool

_CHUNK = 2048
_TOLD = ("source", "title", "line", "url", "page")  # with the id these tell a payload: the id tells the embedded text

Identified = tuple[str, Payload]


@dataclass(frozen=True, slots=True)
class Scope:
    """Which passages a run is about; see `index_passages`."""

    roots: Mapping[str, Path]
    unread: Collection[str]
    replace: bool

    def keeps(self, source: str) -> bool:
        """Tell whether a stored passage of this source stays though the run did not find it."""
        return not self.replace and is_kept({"source": source}, self.roots, self.unread)


async def publish_passages(
    collection: ServerCollection,
    passages: Iterable[Passage],
    embedder: Embedder,
    *,
    roots: Mapping[str, Path],
    unread: Collection[str] = (),
    replace: bool = False,
    progress: Progress = lambda _done, _total: None,
) -> Built:
    """Bring the passages of `roots` up to date in a collection of a server, which is made if it is not there.

    What is kept and what is refused is as in `warmer.publishing.embedded.publish`. But there are no generations here:
    searches see the passages as they come, new ones before old ones go. A run that breaks off loses nothing that
    arrived; the next one embeds what is missing. `replace` with another model deletes the collection first.

    Raises:
        IngestError: There would be nothing in the collection, or a root would take the place of another one of
            the same name; the collection is left as it was.
        ModelMismatchError: What is kept was embedded by another model.
        CollectionError: Warmer did not make this collection.
        EngineError: The server cannot be reached, refuses, or fails.
    """
    scope = Scope(roots, unread, replace)
    before = await collection.origin()
    if before and not replace:
        check_roots(roots, before.roots)
        check_model(embedder.name, before.model)
    with TemporaryDirectory() as folder, closing(Spool(Path(folder) / "points.jsonl")) as points:
        given: set[bytes] = set()
        for id_, passage in identify(passages, given):
            points.add(id_, payload_of(passage))
        if not points and not (before and (await _leftovers(collection, given, scope))[0]):
            as_it_was = ". The collection is as it was" if before else ""
            raise IngestError(f"there is nothing to index: no passage was found{as_it_was}")
        indexed = {label: str(path) for label, path in roots.items()}
        known = before.roots if before else {}
        claimed = await _claim(
            collection, before, Origin(embedder.name, embedder.dim, known | indexed, FIELDS | points.fields)
        )
        run = _Run(collection, embedder, len(points), progress)
        async with uploading(collection.upsert) as upload:
            await run.add(points, upload)
    kept, gone = await _leftovers(collection, given, scope)
    await collection.delete(gone)
    after = dataclasses.replace(claimed, roots=indexed, copying="") if replace else claimed
    changed = bool(run.embedded or run.moved or gone) or after != before
    if changed:
        await collection.note(after)
    return Built(kept, run.embedded, published=changed)


async def _claim(collection: ServerCollection, before: Origin | None, wanted: Origin) -> Origin:
    """Make the collection ready for points, and note their roots first, so that a run that breaks off is known."""
    if before and before.model != wanted.model:
        await collection.drop()
        before = None
    claimed = (
        dataclasses.replace(before, roots=wanted.roots, fields=before.fields | wanted.fields) if before else wanted
    )
    if before is None:
        await collection.create(claimed)
    elif claimed != before:
        await collection.note(claimed)
    await collection.index_fields()
    return claimed


async def _leftovers(collection: ServerCollection, given: set[bytes], scope: Scope) -> tuple[int, list[str]]:
    """Count the stored points that stay, and list those that go: neither found by this run nor to be kept."""
    kept, gone = 0, []
    async for id_, source in collection.sources():
        if is_given(id_, given) or scope.keeps(source):
            kept += 1
        else:
            gone.append(id_)
    return kept, gone


class _Run:
    """Adds points chunk by chunk and counts: points embedded, points whose payload changed."""

    def __init__(self, collection: ServerCollection, embedder: Embedder, total: int, progress: Progress) -> None:
        self.embedded = 0
        self.moved = 0
        self._collection = collection
        self._embedder = embedder
        self._total = total
        self._progress = progress

    async def add(self, points: Iterable[Identified], upload: Upload) -> None:
        """Embed and send what is not there; embedding goes on in a thread while batches are under way."""
        points = iter(points)
        while chunk := list(islice(points, _CHUNK)):
            there = await self._refresh(chunk)
            missing = [pair for pair in chunk if pair[0] not in there]
            batches = in_batches(_embed(missing, self._embedder))
            while batch := await anyio.to_thread.run_sync(next, batches, None, abandon_on_cancel=True):
                await upload.put(batch)
                self.embedded += len(batch)
                self._progress(len(batch), self._total)

    async def _refresh(self, chunk: Sequence[Identified]) -> Collection[str]:
        """Find out which passages are there, and update the payload of those that moved within their document."""
        told = await self._collection.payloads([id_ for id_, _ in chunk], *_TOLD)
        payloads = {id_: payload for id_, payload in chunk if id_ in told}
        moved = {id_: payload for id_, payload in payloads.items() if not _same(told[id_], payload)}
        if moved:
            await self._collection.set_payloads(moved)
            self.moved += len(moved)
        self._progress(len(told), self._total)
        return told


def _embed(points: Sequence[Identified], embedder: Embedder) -> Iterator[models.PointStruct]:
    texts = [embedded_text(payload["title"], payload["text"]) for _, payload in points]
    for position, vector in embedder.embed_passages(texts):
        id_, payload = points[position]
        yield make_point(id_, payload, vector)


def _same(told: Mapping[str, Any], payload: Mapping[str, Any]) -> bool:
    return all(told.get(key) == payload.get(key) for key in _TOLD)
