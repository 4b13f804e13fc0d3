"""Points in the form and in batches of the size that a server accepts."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from qdrant_client import models

from warmer.index import DENSE, LEXICAL
from warmer.index.bm25 import document_words
from warmer.passage import embedded_text, native_id
from warmer.vectors import Vector

Batch = list[models.PointStruct]

MAX_BATCH_POINTS = 256
MAX_BATCH_BYTES = 4 * 2**20  # by default, a server accepts requests of up to 32 MiB
_BYTES_PER_NUMBER = 22  # in JSON


def make_point(id_: str, payload: dict[str, Any], vector: Vector) -> models.PointStruct:
    """Make a point with its dense vector, shape (dim,), and the BM25 vector of its title and text."""
    words = document_words(embedded_text(payload["title"], payload["text"]))
    sparse = models.SparseVector(indices=words.indices, values=words.values)
    return models.PointStruct(id=native_id(id_), vector={DENSE: vector.tolist(), LEXICAL: sparse}, payload=payload)


def in_batches(
    points: Iterable[models.PointStruct], count: int = MAX_BATCH_POINTS, size: int = MAX_BATCH_BYTES
) -> Iterator[Batch]:
    """Split points into batches of at most `count` points and about `size` bytes; a larger point gets its own."""
    batch: Batch = []
    filled = 0
    for point in points:
        point_size = _json_size(point)
        if batch and (len(batch) == count or filled + point_size > size):
            yield batch
            batch, filled = [], 0
        batch.append(point)
        filled += point_size
    if batch:
        yield batch


def _json_size(point: models.PointStruct) -> int:
    vectors: Any = point.vector
    numbers = len(vectors[DENSE]) + 2 * len(vectors[LEXICAL].indices)
    return _BYTES_PER_NUMBER * numbers + len(json.dumps(point.payload))
