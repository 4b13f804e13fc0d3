"""Points on their way to a server, in batches that a request can hold."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from qdrant_client import models

from warmer.index import DENSE, LEXICAL
from warmer.index.bm25 import document_words
from warmer.passage import embedded_text, native_id
from warmer.vectors import Vector

Batch = list[models.PointStruct]

COUNT = 256
BYTES = 4 * 2**20  # a server takes 32 MiB a request unless it is told otherwise
_NUMBER = 22  # bytes of a number in JSON


def make_point(id_: str, payload: dict[str, Any], vector: Vector) -> models.PointStruct:
    """Make a point with both vectors; the one of words is made from title and text."""
    words = document_words(embedded_text(payload["title"], payload["text"]))
    sparse = models.SparseVector(indices=words.indices, values=words.values)
    return models.PointStruct(id=native_id(id_), vector={DENSE: vector.tolist(), LEXICAL: sparse}, payload=payload)


def in_batches(points: Iterable[models.PointStruct], count: int = COUNT, size: int = BYTES) -> Iterator[Batch]:
    """Cut points into batches of `count` and about `size` bytes at most; a larger point is alone in its own."""
    batch: Batch = []
    filled = 0
    for point in points:
        weight = _weight(point)
        if batch and (len(batch) == count or filled + weight > size):
            yield batch
            batch, filled = [], 0
        batch.append(point)
        filled += weight
    if batch:
        yield batch


def _weight(point: models.PointStruct) -> int:
    vectors: Any = point.vector
    return _NUMBER * (len(vectors[DENSE]) + 2 * len(vectors[LEXICAL].indices)) + len(json.dumps(point.payload))
