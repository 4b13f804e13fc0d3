"""A query to a list: candidates of the engine, fused, regularised and cut."""

from collections.abc import Sequence

import numpy as np

from warmer.index import CANDIDATES, Candidates, CollectionInfo, DenseQuery, Filter, Hit, Index
from warmer.steering.copies import Known, without_copies
from warmer.steering.fusion import fuse
from warmer.steering.params import Params
from warmer.steering.regularization import POOL, best, regularize
from warmer.steering.thread import Query

PROSE, CODE = 0.4, 0.1
_REFILLS = 3  # lists that are looked through for passages which are no copies of each other
_CODE = 0.1, 0.3  # marks of code a word: below the first a collection is prose, above the second code


async def nearest(
    index: Index, query: DenseQuery, limit: int, *, where: Filter | None = None, without: Sequence[str] = ()
) -> list[Hit]:
    """Retrieve by the dense leg alone, in the engine's order; equals by id.

    Raises:
        FilterError: The filter does not fit.
    """
    found = await index.candidates(query, depth=limit, where=where, without=without)
    scores = {found.ids[n]: float(found.dense[n]) for n in best(found.dense, limit)}
    hits = await index.retrieve(list(scores))
    return await index.completed([hit.scored(scores[hit.id]) for hit in hits])


async def rank(
    index: Index,
    query: Query,
    limit: int,
    *,
    where: Filter | None = None,
    without: Sequence[str] = (),
    known: Sequence[Known] = (),
) -> list[Hit]:
    """Retrieve the best `limit` points, best first; equals by id.

    Args:
        index: The collection.
        query: What is looked for.
        limit: How many hits at most.
        where: Qdrant's filter JSON.
        without: Ids of points that stay out.
        known: Passages that were shown before, besides the scored ones; near-copies of them stay out.

    Raises:
        FilterError: The filter does not fit.
    """
    shown = [*(Known(one.id, one.vector, one.text) for one in query.feedback.examples), *known]
    info = await index.info()
    kept = await _distinct(index, info, query, limit, where, without, shown)
    if (now := await index.info()).generation != info.generation:  # what was found may be gone
        kept = await _distinct(index, now, query, limit, where, without, shown)
    return await index.completed(kept)


async def _distinct(
    index: Index,
    info: CollectionInfo,
    query: Query,
    limit: int,
    where: Filter | None,
    without: Sequence[str],
    shown: Sequence[Known],
) -> list[Hit]:
    """Rank as many candidates as it takes to find `limit` that are no near-copies."""
    share = share_of_words(query.params, info.code)
    kept: list[Hit] = []
    out = list(without)
    for _ in range(_REFILLS if limit else 0):
        ranked = await _ranked(index, query, share, limit, where, out)
        kept = without_copies([*kept, *ranked], shown, limit) if info.texts else ranked[:limit]
        out += [hit.id for hit in ranked]
        if len(kept) == limit or len(ranked) < POOL:
            break
    return kept


async def _ranked(
    index: Index, query: Query, share: float, limit: int, where: Filter | None, without: Sequence[str]
) -> list[Hit]:
    """Rank the best candidates, up to POOL or `limit`."""
    found = await index.candidates(query.dense, query.lexical, max(CANDIDATES, limit), where=where, without=without)
    fused = fuse(found, share)
    scores = {found.ids[n]: fused[n] for n in best(fused, max(POOL, limit))}
    hits = await _retrieved(index, found, list(scores))
    if not hits:
        return []
    own = np.array([scores[hit.id] for hit in hits])
    final = regularize(own, np.stack([hit.vector for hit in hits]), query.params.neighbours)
    return [hits[n].scored(float(final[n])) for n in best(final, len(hits))]


async def _retrieved(index: Index, found: Candidates, ids: Sequence[str]) -> list[Hit]:
    """Retrieve those of the points that the engine did not fetch along with their scores; in the order given."""
    missing = [id_ for id_ in ids if id_ not in found.hits]
    there = {**found.hits, **{hit.id: hit for hit in (await index.retrieve(missing) if missing else [])}}
    return [there[id_] for id_ in ids if id_ in there]


def share_of_words(params: Params, code: float) -> float:
    """Give the weight of the lexical leg, 0 to 1: as trained, else PROSE, or CODE where a collection holds code.

    People ask about code in words that it does not have. `code` is as in `CollectionInfo`.
    """
    if params.share is not None:
        return params.share
    return float(np.interp(code, _CODE, (PROSE, CODE)))
