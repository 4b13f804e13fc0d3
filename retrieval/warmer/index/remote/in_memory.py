"""A collection in this process's memory, on qdrant-client's own engine."""

from collections.abc import Iterable
from typing import Any

from qdrant_client import AsyncQdrantClient, models

from warmer.index import DENSE, LEXICAL, CollectionInfo
from warmer.index.bm25 import document_words
from warmer.index.remote.client import Remote
from warmer.index.remote.engine import QdrantIndex
from warmer.passage import embedded_text, native_id
from warmer.vectors import Vector


class MemoryIndex(QdrantIndex):
    """A collection of a server that is only an object."""

    @classmethod
    async def create(cls, info: CollectionInfo, points: Iterable[tuple[str, Vector, dict[str, Any]]]) -> "MemoryIndex":
        """Store points (id, dense vector, payload) in a new collection that `info` describes."""
        client = AsyncQdrantClient(":memory:")
        await create_collection(client, info, points)
        return cls(Remote.local(client), info.name)


async def create_collection(
    client: AsyncQdrantClient, info: CollectionInfo, points: Iterable[tuple[str, Vector, dict[str, Any]]]
) -> None:
    """Make a collection as Warmer's own are, on any server."""
    words = {LEXICAL: models.SparseVectorParams(modifier=models.Modifier.IDF)}
    await client.create_collection(
        info.name,
        vectors_config={DENSE: models.VectorParams(size=info.dim, distance=models.Distance.COSINE)},
        sparse_vectors_config=words if info.lexical else None,
        metadata={"warmer": {"model": info.model, "generation": info.generation, "fields": info.fields}},
    )
    if batch := [_point(info.lexical, *point) for point in points]:
        await client.upsert(info.name, batch, wait=True)


def _point(lexical: bool, point_id: str, vector: Vector, payload: dict[str, Any]) -> models.PointStruct:
    vectors: dict[str, Any] = {DENSE: vector.tolist()}
    if lexical:
        sparse = document_words(embedded_text(payload.get("title") or "", payload["text"]))
        vectors[LEXICAL] = models.SparseVector(indices=sparse.indices, values=sparse.values)
    return models.PointStruct(id=native_id(point_id), vector=vectors, payload=payload)
