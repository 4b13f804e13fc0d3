"""Passages to a published generation: what is known keeps its vector, the rest is embedded."""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from contextlib import closing
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from warmer.embedding import Embedder
from warmer.errors import IngestError
from warmer.index.edge.checksums import checksums
from warmer.index.edge.generations import Generations, Manifest
from warmer.index.edge.shards import shard_files
from warmer.passage import Passage, embedded_text, identify
from warmer.publishing import Built, Progress, check_model, check_roots, is_given, is_kept, payload_of
from warmer.publishing.embedded.build import Stage, build_in_child
from warmer.publishing.embedded.checkpoint import EmbeddingCheckpoint
from warmer.publishing.embedded.published import PublishedGeneration
from warmer.publishing.spool import Payload

_CHUNK = 2048


def index_passages(
    generations: Generations,
    passages: Iterable[Passage],
    embedder: Embedder,
    *,
    roots: Mapping[str, Path],
    unread: Collection[str] = (),
    replace: bool = False,
    progress: Progress = lambda _done, _total: None,
) -> Built:
    """Publish the passages of `roots` as the next generation of a collection.

    What an earlier run indexed from other roots is kept, and so are the passages of the sources `unread`, which
    are there but could not be read this time (it is looked at when `passages` has been read); unless `replace`. A
    passage that the published generation holds already keeps its vector, and so does one that was embedded by a run
    that broke off. Passages are read once and spooled to the disk: memory grows by their ids alone. `progress` is
    called with the number of points done since the last call, and of all points.

    Raises:
        IngestError: There would be nothing in the collection, or a root would take the place of another
            one of the same name; the collection is left as it was.
        ModelMismatchError: What is kept was embedded by another model.
        StorageError: The collection is being written by another process, or cannot be written.
    """
    with generations.writer(forget=replace) as ahead, closing(Stage(ahead)) as stage:
        known = PublishedGeneration(generations, forget=replace)
        if not replace:
            check_roots(roots, known.roots)
            check_model(embedder.name, known.model)
        given: set[bytes] = set()
        digest = _Digest()
        for id_, passage in identify(passages, given):
            payload = payload_of(passage)
            stage.points.add(id_, payload)
            digest.add(id_, payload)
        for id_, payload in () if replace else known.payloads():
            if is_kept(payload, roots, unread) and not is_given(id_, given):
                stage.points.add(id_, payload)
                digest.add(id_, payload)
        points = len(stage.points)
        if not points:
            as_it_was = ". The collection is as it was; `warmer delete NAME` deletes one" if known.generation else ""
            raise IngestError(f"there is nothing to index: no passage was found{as_it_was}")
        indexed = ({} if replace else known.roots) | {label: str(path) for label, path in roots.items()}
        if (known.digest, known.model, known.roots) == (digest.hex(), embedder.name, indexed):
            progress(points, points)
            return Built(points, 0, published=False)
        with EmbeddingCheckpoint(generations.folder, embedder.name, embedder.dim) as unpublished:
            embedded = _embed(stage, known, unpublished, embedder, progress)
            stage.close()
            build_in_child(ahead, embedder.dim)
            publish(
                generations,
                ahead,
                model=embedder.name,
                dim=embedder.dim,
                points=points,
                fields=stage.points.fields,
                digest=digest.hex(),
                roots=indexed,
            )
            unpublished.forget()
        return Built(points, embedded, published=True)


def publish(
    generations: Generations,
    ahead: Path,
    *,
    model: str,
    dim: int,
    points: int,
    fields: dict[str, str],
    roots: dict[str, str],
    digest: str = "",
) -> None:
    """Make a shard that was built the published generation; see `Manifest` for what is said of it."""
    created = datetime.now(UTC).isoformat(timespec="seconds")
    files = shard_files(ahead)
    sums = checksums(ahead / "shard", files)
    Manifest(model, dim, points, fields, digest, created, files, roots, sums).write(ahead)
    generations.publish(ahead)


def _embed(
    stage: Stage, known: PublishedGeneration, unpublished: EmbeddingCheckpoint, embedder: Embedder, progress: Progress
) -> int:
    """Add the vectors of all points, chunk by chunk; gives how many had to be embedded."""
    embedded = 0
    points = iter(stage.points)
    while chunk := dict(islice(points, _CHUNK)):
        vectors = known.vectors(list(chunk)) if known.model == embedder.name else {}
        vectors |= unpublished.vectors(chunk.keys() - vectors.keys())
        progress(len(vectors), len(stage.points))
        missing = [id_ for id_ in chunk if id_ not in vectors]
        texts = [embedded_text(chunk[id_]["title"], chunk[id_]["text"]) for id_ in missing]
        for position, vector in embedder.embed_passages(texts):
            vectors[missing[position]] = vector
            unpublished.add(missing[position], vector)
            progress(1, len(stage.points))
        embedded += len(missing)
        for id_ in chunk:
            stage.add_vector(vectors[id_])
    return embedded


class _Digest:
    """A hash over points in any order: the sum of theirs."""

    def __init__(self) -> None:
        self._sum = 0

    def add(self, id_: str, payload: Payload) -> None:
        point = json.dumps([id_, payload], sort_keys=True).encode()
        self._sum += int.from_bytes(hashlib.sha256(point).digest(), "big")

    def hex(self) -> str:
        return f"{self._sum % 2**256:064x}"
