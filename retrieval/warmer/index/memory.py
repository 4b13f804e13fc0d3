"""A collection in this process's memory, on qdrant-client's own engine."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import qdrant_edge
from qdrant_client import AsyncQdrantClient, models

from warmer.index import CANDIDATES, DENSE, LEXICAL, Coefficients, CollectionInfo, FeedbackItem, Filter, Hit, Vector
from warmer.index.filters import check_filter
from warmer.passage import embedded_text


class MemoryIndex:
    """The protocol `Index` in memory."""

    def __init__(self, client: AsyncQdrantClient, info: CollectionInfo) -> None:
        self._client = client
        self._info = info
        self._bm25 = qdrant_edge.Bm25()

    @classmethod
    async def create(cls, info: CollectionInfo, points: Iterable[tuple[str, Vector, dict[str, Any]]]) -> "MemoryIndex":
        """Store points (id, dense vector, payload) in a new collection that `info` describes."""
        index = cls(AsyncQdrantClient(":memory:"), info)
        await index._client.create_collection(
            info.name,
            vectors_config={DENSE: models.VectorParams(size=info.dim, distance=models.Distance.COSINE)},
            sparse_vectors_config={LEXICAL: models.SparseVectorParams(modifier=models.Modifier.IDF)}
            if info.lexical
            else None,
        )
        if batch := [index._point(*point) for point in points]:
            await index._client.upsert(info.name, batch)
        return index

    def _point(self, point_id: str, vector: Vector, payload: dict[str, Any]) -> models.PointStruct:
        vectors: dict[str, Any] = {DENSE: vector.tolist()}
        if self._info.lexical:
            text = embedded_text(payload.get("title") or "", payload["text"])
            vectors[LEXICAL] = _sparse(self._bm25.embed_document(text))
        return models.PointStruct(id=_native(point_id), vector=vectors, payload=payload)

    async def info(self) -> CollectionInfo:
        """Describe the collection."""
        return self._info

    async def search(
        self,
        vector: Vector,
        limit: int,
        *,
        text: str = "",
        where: Filter | None = None,
        without: Sequence[str] = (),
    ) -> list[Hit]:
        """Retrieve the nearest points, leaving out those named in `without`."""
        query = models.NearestQuery(nearest=vector.tolist())
        return await self._query(query, limit, text, self._keep(where, without))

    async def retrieve(self, ids: Sequence[str]) -> list[Hit]:
        """Fetch points by id in the order given; ids that are gone are left out, scores are 0."""
        records = await self._client.retrieve(
            self._info.name, [_native(i) for i in ids], with_payload=True, with_vectors=[DENSE]
        )
        found = {str(record.id): _hit(record, 0.0) for record in records}
        return [found[i] for i in ids if i in found]

    async def feedback(
        self,
        vector: Vector,
        items: Sequence[FeedbackItem],
        coefficients: Coefficients,
        limit: int,
        *,
        text: str = "",
        where: Filter | None = None,
        without: Sequence[str] = (),
    ) -> list[Hit]:
        """Retrieve once more by Qdrant's naive feedback query.

        Examples that are to stay out go by id, since Qdrant itself leaves those out; all others as vectors.
        """
        examples = [_native(i.id) if i.id and i.id in without else i.vector.tolist() for i in items]
        query = models.RelevanceFeedbackQuery(
            relevance_feedback=models.RelevanceFeedbackInput(
                target=vector.tolist(),
                feedback=[
                    models.FeedbackItem(example=example, score=item.score)
                    for example, item in zip(examples, items, strict=True)
                ],
                strategy=models.NaiveFeedbackStrategy(naive=models.NaiveFeedbackStrategyParams(**asdict(coefficients))),
            )
        )
        return await self._query(query, limit, text, self._keep(where, without))

    def _keep(self, where: Filter | None, without: Sequence[str]) -> models.Filter | None:
        """Build the filter for what may be retrieved."""
        must: list[models.Condition] = []
        if where:
            check_filter(where, self._info.fields)
            must.append(models.Filter.model_validate(where))
        if without:
            gone = models.HasIdCondition(has_id=[_native(i) for i in without])
            must.append(models.Filter(must_not=[gone]))
        return models.Filter(must=must) if must else None

    async def _query(self, query: models.Query, limit: int, text: str, keep: models.Filter | None) -> list[Hit]:
        words = _sparse(self._bm25.embed_query(text)) if self._info.lexical else None
        legs = None
        if words and words.indices:
            deep = max(CANDIDATES, limit)
            legs = [
                models.Prefetch(query=query, using=DENSE, filter=keep, limit=deep),
                models.Prefetch(query=words, using=LEXICAL, filter=keep, limit=deep),
            ]
        response = await self._client.query_points(
            self._info.name,
            prefetch=legs,
            query=models.FusionQuery(fusion=models.Fusion.DBSF) if legs else query,
            using=None if legs else DENSE,
            query_filter=keep,
            limit=limit,
            with_payload=True,
            with_vectors=[DENSE],
        )
        return [_hit(point, point.score) for point in response.points]


def _native(point_id: str) -> int | str:
    return int(point_id) if point_id.isdecimal() else point_id


def _sparse(vector: qdrant_edge.SparseVector) -> models.SparseVector:
    return models.SparseVector(indices=vector.indices, values=vector.values)


def _hit(point: models.ScoredPoint | models.Record, score: float) -> Hit:
    vectors = point.vector
    assert isinstance(vectors, dict) and point.payload is not None
    return Hit(str(point.id), score, point.payload, np.asarray(vectors[DENSE], dtype=np.float32))
