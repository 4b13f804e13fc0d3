"""A query to a list: candidates of the engine, fused, regularised and cut."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from warmer.index import CANDIDATES, DenseQuery, Filter, Hit, Index
from warmer.steering.fusion import fuse
from warmer.steering.regularization import best, pool, regularize
from warmer.vectors import SparseVector


async def rank(
    index: Index,
    query: DenseQuery,
    limit: int,
    *,
    lexical: SparseVector | None = None,
    share: float = 0.0,
    neighbours: float = 0.0,
    where: Filter | None = None,
    without: Sequence[str] = (),
) -> list[Hit]:
    """Retrieve the best `limit` points, best first; equals by id.

    Args:
        index: The collection.
        query: The dense leg.
        limit: How many hits at most.
        lexical: The lexical leg, where the collection has one.
        share: Weight of the lexical leg, 0 to 1.
        neighbours: How much the scores of a candidate's neighbours count for it, beside 1 for its own.
        where: Qdrant's filter JSON.
        without: Ids of points that stay out.

    Raises:
        FilterError: The filter does not fit.
    """
    found = await index.candidates(query, lexical, max(CANDIDATES, limit), where=where, without=without)
    fused = fuse(found, share)
    scores = {found.ids[n]: fused[n] for n in best(fused, pool(limit, neighbours))}
    hits = await index.retrieve(list(scores))
    if not hits:
        return []
    vectors = np.stack([hit.vector for hit in hits])
    final = regularize([scores[hit.id] for hit in hits], vectors, neighbours)
    return await index.completed([replace(hits[n], score=float(final[n])) for n in best(final, limit)])
