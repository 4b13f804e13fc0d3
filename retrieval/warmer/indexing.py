"""Passages to a published generation: what is known keeps its vector, the rest is embedded."""

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from warmer.embedding import Embedder
from warmer.errors import IngestError, ModelMismatchError
from warmer.index.build import Stage, build_in_child
from warmer.index.generations import Generations, Manifest
from warmer.index.shards import shard_files
from warmer.index.stored import Stored
from warmer.passage import Passage, embedded_text, identify

_CHUNK = 2048
_JSON_TYPES = {str: "string", int: "integer", float: "number", bool: "boolean", list: "array", dict: "object"}

Payload = dict[str, Any]
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Built:
    """What an indexing run did: points in all, points embedded anew, and whether it published anything."""

    points: int
    embedded: int
    published: bool


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
    are there but could not be read this time; unless `replace`. A passage that the published generation holds
    already keeps its vector. `progress` is called with the number of points done since the last call, and of all
    points.

    Raises:
        IngestError: There would be nothing in the collection, or a root would take the place of another
            one of the same name; the collection is left as it was.
        ModelMismatchError: What is kept was embedded by another model.
        StorageError: The collection is being written by another process, or cannot be written.
    """
    with generations.writer(forget=replace) as ahead:
        known = Stored(generations, forget=replace)
        if not replace:
            check_roots(roots, known.roots)
            check_model(embedder.name, known.model)
        payloads = {id_: payload_of(passage) for id_, passage in identify(passages)}
        if not replace:
            payloads |= {id_: payload for id_, payload in known.payloads() if is_kept(payload, roots, unread)}
        if not payloads:
            raise IngestError(
                "there is nothing to index: no passage was found. The collection is as it was; "
                "`warmer delete NAME` deletes one"
            )
        digest = _digest(payloads)
        indexed = ({} if replace else known.roots) | {label: str(path) for label, path in roots.items()}
        if (known.digest, known.model, known.roots) == (digest, embedder.name, indexed):
            progress(len(payloads), len(payloads))
            return Built(len(payloads), 0, published=False)
        embedded = _stage(ahead, payloads, known, embedder, progress)
        build_in_child(ahead, embedder.dim)
        publish(
            generations,
            ahead,
            model=embedder.name,
            dim=embedder.dim,
            points=len(payloads),
            fields=fields_of(payloads.values()),
            digest=digest,
            roots=indexed,
        )
        return Built(len(payloads), embedded, published=True)


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
    Manifest(model, dim, points, fields, digest, created, shard_files(ahead), roots).write(ahead)
    generations.publish(ahead)


def _stage(ahead: Path, payloads: Mapping[str, Payload], known: Stored, embedder: Embedder, progress: Progress) -> int:
    stage = Stage(ahead)
    embedded = 0
    ids = iter(payloads)
    while chunk := list(islice(ids, _CHUNK)):
        vectors = known.vectors(chunk) if known.model == embedder.name else {}
        progress(len(vectors), len(payloads))
        missing = [id_ for id_ in chunk if id_ not in vectors]
        texts = [embedded_text(payloads[id_]["title"], payloads[id_]["text"]) for id_ in missing]
        for position, vector in embedder.embed_passages(texts):
            vectors[missing[position]] = vector
            progress(1, len(payloads))
        embedded += len(missing)
        for id_ in chunk:
            stage.add(id_, payloads[id_], vectors[id_])
    stage.close()
    return embedded


def check_roots(roots: Mapping[str, Path], known: Mapping[str, str]) -> None:
    """Refuse a root that would take the place of another one of the same label.

    Raises:
        IngestError: One would.
    """
    for label, path in roots.items():
        if known.get(label, str(path)) != str(path):
            raise IngestError(
                f"{label!r} is in the collection already, from {known[label]}, and {path} would take its place: "
                "choose another collection, or fill this one anew with --replace and all its paths"
            )


def check_model(model: str, known: str) -> None:
    """Refuse to embed by another model than what is `known`; empty: nothing is.

    Raises:
        ModelMismatchError: They differ.
    """
    if known not in {"", model}:
        raise ModelMismatchError(
            f"the collection was embedded by {known!r}, and EMBEDDING_MODEL is {model!r} now: set it to the former, or "
            "embed all anew with --replace"
        )


def payload_of(passage: Passage) -> Payload:
    """Give what is stored with a passage's point."""
    known = {"url": passage.url, "page": passage.page}
    always = {"text": passage.text, "title": passage.title, "source": passage.source, "line": passage.line}
    return always | {key: value for key, value in known.items() if value}


def is_kept(payload: Payload, roots: Iterable[str], unread: Iterable[str]) -> bool:
    """Tell whether a stored passage stays though this run did not find it."""
    return not _of(payload, roots) or _of(payload, unread)


def fields_of(payloads: Iterable[Payload]) -> dict[str, str]:
    """Give the fields of payloads and the JSON type of their values."""
    return {key: _JSON_TYPES.get(type(value), "null") for payload in payloads for key, value in payload.items()}


def _of(payload: Payload, roots: Iterable[str]) -> bool:
    source = payload["source"]
    return any(source == label or source.startswith(label + "/") for label in roots)


def _digest(payloads: Mapping[str, Payload]) -> str:
    digest = hashlib.sha256()
    for id_ in sorted(payloads):
        digest.update(json.dumps([id_, payloads[id_]], sort_keys=True).encode())
    return digest.hexdigest()
