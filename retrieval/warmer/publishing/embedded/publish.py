"""Publishing of passages as a generation; known passages keep their vectors, the others are embedded."""

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
from warmer.passage import Passage, identify
from warmer.publishing import IndexingResult, Progress, Scope, check_model, check_roots, payload_of
from warmer.publishing.embedded.build import Stage, build_in_child
from warmer.publishing.embedded.checkpoint import EmbeddingCheckpoint
from warmer.publishing.embedded.published import PublishedGeneration
from warmer.publishing.moves import Comparison
from warmer.publishing.spool import Payload
from warmer.publishing.vectors import PayloadEmbedder, embed_payloads, setting_of

_CHUNK = 2048


def index_passages(
    generations: Generations,
    passages: Iterable[Passage],
    embedder: Embedder | PayloadEmbedder,
    *,
    roots: Mapping[str, Path],
    unread: Collection[str] = (),
    missing: Collection[str] = (),
    vanished: Collection[str] = (),
    replace: bool = False,
    progress: Progress = lambda _done, _total: None,
) -> IndexingResult:
    """Publish the passages of `roots` as the next generation of a collection.

    Passages of other roots stay in the collection, unless `replace`. Vectors are reused from the published generation
    and from an interrupted run; a passage that moved to another document keeps its id. Passages are read once and
    spooled to disk, so memory grows only with their ids.

    Args:
        generations: The collection.
        passages: All passages of `roots`.
        embedder: The embedding model, of texts or of pictures.
        roots: Label -> path of the folders and files that were read.
        unread: See `warmer.publishing.Scope`, as for the next two.
        missing: Labels of indexed folders that are not there any more.
        vanished: Those of them whose passages go in any case.
        replace: Whether to drop everything that `passages` does not contain.
        progress: Called with the number of points done since the last call, and of all points.

    Raises:
        IngestError: The collection would be empty, or a root would replace a different one with the same label; the
            collection is unchanged.
        ModelMismatchError: The passages that stay were embedded by another model.
        StorageError: Another process is writing the collection, or it cannot be written.
    """
    scope = Scope(roots, unread, missing, vanished, replace)
    with generations.writer(forget=replace) as folder, closing(Stage(folder)) as stage:
        known = PublishedGeneration(generations, forget=replace)
        before = {label: path for label, path in known.roots.items() if label not in missing}
        if not replace:
            check_roots(roots, before)
            check_model(embedder.name, known.model, setting_of(embedder))
        comparison = Comparison()
        digest = _Digest()
        for id_, passage in identify(passages, comparison.new):
            payload = payload_of(passage)
            comparison.find(passage.source)
            stage.points.add(id_, payload)
            digest.add(id_, payload)
        left = _compare(known, stage, digest, comparison, scope)
        points = len(stage.points)
        if not points:
            unchanged = ". The collection is as it was; `warmer delete NAME` deletes one" if known.generation else ""
            raise IngestError(f"there is nothing to index: no passage was found{unchanged}")
        stay = {} if replace else {label: path for label, path in known.roots.items() if label not in left}
        indexed = stay | {label: str(path) for label, path in roots.items()}
        if (known.digest, known.model, known.roots) == (digest.hex(), embedder.name, indexed):
            progress(points, points)
            return IndexingResult(points, 0, published=False)
        with EmbeddingCheckpoint(generations.folder, embedder.name, embedder.dim) as checkpoint:
            embedded = _embed(stage, known, checkpoint, embedder, progress)
            stage.close()
            build_in_child(folder, embedder.dim)
            publish(
                generations,
                folder,
                model=embedder.name,
                dim=embedder.dim,
                points=points,
                fields=stage.points.fields,
                digest=digest.hex(),
                roots=indexed,
            )
            checkpoint.forget()
        return IndexingResult(points, embedded, published=True, changes=comparison.changes(), left=left)


def _compare(
    known: PublishedGeneration, stage: Stage, digest: "_Digest", comparison: Comparison, scope: Scope
) -> list[str]:
    """Add the stored points that stay, and give those that moved the ids that they are stored under.

    Returns the labels of missing folders that are left behind.
    """

    def keep(id_: str, payload: Payload) -> None:
        comparison.find(payload["source"])
        stage.points.add(id_, payload)
        digest.add(id_, payload)

    waiting = []  # what is stored of missing folders, which stays unless some of it moved
    for id_, payload in known.payloads():
        source = payload["source"]
        if comparison.was_found(id_, source):
            continue
        if scope.keeps(source):
            keep(id_, payload)
            continue
        comparison.add_stale(id_, payload)
        if scope.stays_after_all(source, scope.vanished):
            waiting.append((id_, payload))
    comparison.match(stage.points)
    for id_, payload in stage.points if comparison.renames else ():
        if new := comparison.renames.get(id_):
            digest.remove(id_, payload)
            digest.add(new, payload)
    stage.points.rename(comparison.renames)
    left = scope.left(comparison.emptied)
    for id_, payload in waiting:
        if scope.stays_after_all(payload["source"], left):
            comparison.drop_stale(id_, payload)
            keep(id_, payload)
    return left


def publish(
    generations: Generations,
    folder: Path,
    *,
    model: str,
    dim: int,
    points: int,
    fields: dict[str, str],
    roots: dict[str, str],
    digest: str = "",
) -> None:
    """Publish the generation built in `folder`; the other arguments are those of `Manifest`."""
    created = datetime.now(UTC).isoformat(timespec="seconds")
    files = shard_files(folder)
    sums = checksums(folder / "shard", files)
    Manifest(model, dim, points, fields, digest, created, files, roots, sums).write(folder)
    generations.publish(folder)


def _embed(
    stage: Stage,
    known: PublishedGeneration,
    checkpoint: EmbeddingCheckpoint,
    embedder: Embedder | PayloadEmbedder,
    progress: Progress,
) -> int:
    """Stage the vectors of all points. Returns how many had to be embedded."""
    embedded = 0
    points = iter(stage.points)
    while chunk := dict(islice(points, _CHUNK)):
        vectors = known.vectors(list(chunk)) if known.model == embedder.name else {}
        vectors |= checkpoint.vectors(chunk.keys() - vectors.keys())
        progress(len(vectors), len(stage.points))
        missing = [id_ for id_ in chunk if id_ not in vectors]
        for position, vector in embed_payloads(embedder, [chunk[id_] for id_ in missing]):
            vectors[missing[position]] = vector
            checkpoint.add(missing[position], vector)
            progress(1, len(stage.points))
        embedded += len(missing)
        for id_ in chunk:
            stage.add_vector(vectors[id_])
    return embedded


class _Digest:
    """A hash of a set of points, independent of their order: the sum of their SHA-256 modulo 2**256."""

    def __init__(self) -> None:
        self._sum = 0

    def add(self, id_: str, payload: Payload) -> None:
        self._sum += _hash(id_, payload)

    def remove(self, id_: str, payload: Payload) -> None:
        self._sum -= _hash(id_, payload)

    def hex(self) -> str:
        return f"{self._sum % 2**256:064x}"


def _hash(id_: str, payload: Payload) -> int:
    point = json.dumps([id_, payload], sort_keys=True).encode()
    return int.from_bytes(hashlib.sha256(point).digest(), "big")
