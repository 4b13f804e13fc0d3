"""A collection on a Qdrant server."""

import re
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from http import HTTPStatus
from itertools import chain
from typing import Any, TypeVar

from qdrant_client import AsyncQdrantClient, models

from warmer.errors import FilterError
from warmer.index import CANDIDATES, Candidates, CollectionInfo, DenseQuery, Filter, Hit, joined, surroundings
from warmer.index.filters import AnyField, check_filter, text_matches
from warmer.index.remote.client import Remote
from warmer.index.remote.description import Description, describe, no_text
from warmer.index.remote.equivalent import ASCENDING
from warmer.index.remote.faults import ServerError
from warmer.index.remote.limits import conditions, in_chunks, named_by_id
from warmer.index.remote.names import no_collection
from warmer.index.remote.options import Options
from warmer.index.remote.queries import dense_query, words_query
from warmer.index.sampling import SAMPLE
from warmer.index.ties import MARGIN, cut
from warmer.index.together import together
from warmer.vectors import SparseVector

_T = TypeVar("_T")

_FRESH = 5.0  # seconds that a description is used without another look at the collection
_PREFIX_SINCE = (1, 19)
_REMEMBERED, _READ = 2000, 12_000  # passages that were shown, and characters of one
_OF_THE_FILTER = re.compile(r"filter|condition|index required|format error", re.IGNORECASE)
_OF_THE_VECTORS = re.compile(r"vector", re.IGNORECASE)


# What a server says that wants an index for the filter, or that cannot look through all points in time.
_UNORDERED = {HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN, HTTPStatus.REQUEST_TIMEOUT}


class QdrantIndex:
    """The protocol `Index` on a collection of a server, whoever made it; nothing is ever written.

    Every method raises CollectionError where there is no such collection any more, or none that can be searched, and
    ServerError where the server fails.
    """

    def __init__(
        self,
        remote: Remote,
        name: str,
        options: Options | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take a collection by name.

        Raises:
            FilterError: The filter that is always to be added is none.
        """
        self._remote = remote
        self._name = name
        self._options = options or Options()
        self._clock = clock
        self._tenant = _filter(self._options.where, AnyField())
        self._known: Description | None = None
        self._known_until = 0.0
        self._passages: dict[str, str] = {}

    async def info(self) -> CollectionInfo:
        """Describe the collection; cheap to repeat."""
        return (await self._described()).info

    async def sample(self, *, where: Filter | None = None) -> list[dict[str, Any]]:
        """Fetch the payloads of some points, under the names that a filter takes."""
        known = await self._readable()
        records = await self._page(_all_of(self._kept(known, where)), known.limits.page(SAMPLE), False)
        return [record.payload or {} for record in records]

    async def retrieve(self, ids: Sequence[str]) -> list[Hit]:
        """Fetch points by id in the order given; ids that are gone or not to be seen are left out, scores are 0."""
        known = await self._readable()
        hits = await self._fetch(known, ids)
        if hits and not known.layout.keep and not any(hit.payload["text"] for hit in hits):
            self._known_until = 0.0  # an alias may lead to another layout now
            if (now := await self._readable()) is not known:
                hits = await self._fetch(now, ids)
        found = {hit.id: hit for hit in hits}
        return [found[id_] for id_ in ids if id_ in found]

    async def around(self, id_: str, reach: int, *, where: Filter | None = None) -> list[Hit]:
        """Fetch a point between those before and after it in its document, if the server lets them be looked for."""
        known = await self._readable()
        own = await self.retrieve([id_])
        source = own[0].payload["source"] if own else ""
        if not source or surroundings.place(own[0].payload) is None:
            return own
        those = _filter({"must": [surroundings.of_source(known.layout.source, source)]}, AnyField())
        keep = [*([those] if those else []), *self._kept(known, where)]
        try:
            records, more = await self._ask(
                lambda client: client.scroll(
                    self._name,
                    scroll_filter=_all_of(keep),
                    limit=known.limits.page(surroundings.MOST),
                    with_payload=surroundings.FIELDS,
                    with_vectors=False,
                ),
                "fetching a document of",
            )
        except ServerError as error:
            if error.status in _UNORDERED:
                return own
            raise
        payloads = ((str(record.id), record.payload or {}) for record in records)
        return own if more else await self.retrieve(surroundings.surrounding(id_, payloads, reach))

    async def candidates(
        self,
        query: DenseQuery,
        lexical: SparseVector | None = None,
        depth: int = CANDIDATES,
        *,
        where: Filter | None = None,
        without: Sequence[str] = (),
    ) -> Candidates:
        """Find the best points of each leg, scored by both, in two requests or one.

        Feedback is Qdrant's own query, or its equivalent where a server has none. While each leg scores what only the
        other found, all of them are fetched, where they are small: which of them a list is made of is not known before.
        """
        known = await self._readable()
        asked = query, lexical, depth, where, without
        try:
            return await self._candidates(known, *asked)
        except ServerError as error:
            if error.status != HTTPStatus.BAD_REQUEST:
                raise
            if where and _OF_THE_FILTER.search(error.said):
                raise FilterError(f"the server refuses the query with this filter: {error.said}") from error
            if not _OF_THE_VECTORS.search(error.said) or (now := await self._readable()) is known:
                raise
        return await self._candidates(now, *asked)  # an alias leads to another layout now

    async def completed(self, hits: list[Hit]) -> list[Hit]:
        """Give the hits as they are: what the payload holds is all that there is."""
        self._passages |= {hit.id: hit.passage[:_READ] for hit in hits}
        for id_ in list(self._passages)[:-_REMEMBERED]:
            del self._passages[id_]
        return hits

    def remembered(self, ids: Sequence[str]) -> dict[str, str]:
        """Give the passages of points that were shown lately, for as many as are remembered."""
        return {id_: self._passages[id_] for id_ in ids if id_ in self._passages}

    async def _candidates(
        self,
        known: Description,
        query: DenseQuery,
        lexical: SparseVector | None,
        depth: int,
        where: Filter | None,
        without: Sequence[str],
    ) -> Candidates:
        kept = self._kept(known, where)
        hidden = known.limits.excluding(without, conditions(_all_of(kept)))
        allowed = _all_of([*kept, *([models.Filter(must_not=[*hidden])] if hidden else [])])
        asked = known.limits.page(depth + MARGIN)
        dense = self._dense(known, query)
        legs = [_limited(dense, allowed, asked)]
        if known.space.lexical and lexical and lexical.indices:
            sparse = models.QueryRequest(query=words_query(lexical), using=known.space.lexical)
            legs.append(_limited(sparse, allowed, asked))
        seen = frozenset(without)
        found = [
            cut({id_: score for id_, score in scores.items() if id_ not in seen}, depth, asked)
            for scores in await self._scores(known, legs)
        ]
        if len(legs) == 1:
            return joined(found[0])
        near, alike = found
        small = [] if known.heavy else sorted(near.keys() | alike.keys())
        (more_near, more_alike), hits = await together(
            self._rescored(known, (dense, alike.keys() - near.keys()), (sparse, near.keys() - alike.keys())),
            self._fetch(known, small),
        )
        return joined(near | more_near, alike | more_alike, hits)

    async def _rescored(
        self, known: Description, *wanted: tuple[models.QueryRequest, Collection[str]]
    ) -> list[dict[str, float]]:
        """Score points by each leg; those that it knows nothing of are left out."""
        must = [self._tenant] if self._tenant else []
        size = known.limits.named(max(map(len, (ids for _, ids in wanted))) or 1)
        legs = [
            [_limited(leg, _all_of([*must, named_by_id(chunk)]), len(chunk)) for chunk in in_chunks(sorted(ids), size)]
            for leg, ids in wanted
        ]
        scores = iter(await self._scores(known, list(chain(*legs))))
        return [dict(chain.from_iterable(next(scores).items() for _ in own)) for own in legs]

    async def _scores(self, known: Description, legs: Sequence[models.QueryRequest]) -> list[dict[str, float]]:
        """Give the scores of each leg, more being better."""
        scores = []
        for batch in known.limits.batches(legs):
            answers = await self._query(batch)
            for leg, answer in zip(batch, answers, strict=True):
                ascending = isinstance(leg.query, models.NearestQuery) and known.space.distance in ASCENDING
                sign = -1.0 if ascending else 1.0
                scores.append({str(point.id): sign * point.score for point in answer.points})
        return scores

    async def _fetch(self, known: Description, ids: Sequence[str]) -> list[Hit]:
        """Fetch points with payloads and vectors, in no order."""
        records: list[models.Record] = []
        must = [self._tenant] if self._tenant else []
        for chunk in in_chunks(ids, known.limits.named(len(ids) or 1)):
            keep = _all_of([*must, named_by_id(chunk)])
            records += await self._page(keep, len(chunk), known.with_vectors)
        return known.hits(records)

    async def _query(self, batch: Sequence[models.QueryRequest]) -> list[models.QueryResponse]:
        return await self._ask(lambda client: client.query_batch_points(self._name, batch), "searching")

    async def _page(self, keep: models.Filter | None, limit: int, vectors: bool | list[str]) -> list[models.Record]:
        records, _ = await self._ask(
            lambda client: client.scroll(
                self._name, scroll_filter=keep, limit=limit, with_payload=True, with_vectors=vectors
            ),
            "fetching points of",
        )
        return records

    def _dense(self, known: Description, query: DenseQuery) -> models.QueryRequest:
        return models.QueryRequest(
            query=dense_query(known, query, embeds=self._remote.embeds),
            using=known.space.vector or None,
            params=None if self._remote.exact else known.walk.params,
        )

    def _kept(self, known: Description, where: Filter | None) -> list[models.Condition]:
        """Give the filters for what may be retrieved."""
        fields = known.info.fields
        _check_matches(known.version, where)
        given = _filter(where, fields if known.space.fields is not None else AnyField(fields))
        return [part for part in (self._tenant, given) if part]

    async def _readable(self) -> Description:
        known = await self._described()
        if not known.readable:
            raise no_text(known, self._options.text_field)
        return known

    async def _described(self) -> Description:
        now = self._clock()
        if self._known is None or now >= self._known_until:
            version = await self._remote.version()
            self._known = await describe(self._ask, version, self._name, self._options, self._tenant, self._known)
            self._known_until = now + _FRESH
        return self._known

    async def _ask(self, ask: Callable[[AsyncQdrantClient], Awaitable[_T]], what: str) -> _T:
        try:
            return await self._remote.call(ask, what=f"{what} {self._name!r}")
        except ServerError as error:
            self._known_until = 0.0
            if error.status == HTTPStatus.NOT_FOUND:
                self._known = None
                raise await no_collection(self._remote, self._options, self._name) from error
            raise


def _check_matches(version: tuple[int, int], where: Filter | None) -> None:
    new = {kind for _, kind in text_matches(where)} & {"prefix", "substring"}
    if new and version < _PREFIX_SINCE:
        raise FilterError(
            f"server {version[0]}.{version[1]} has no match by {min(new)}: match by text, which looks for words, or "
            f"upgrade Qdrant to {_PREFIX_SINCE[0]}.{_PREFIX_SINCE[1]}"
        )


def _filter(where: Filter | None, fields: dict[str, str]) -> models.Filter | None:
    if not where:
        return None
    check_filter(where, fields)
    return models.Filter.model_validate(where)


def _all_of(must: Sequence[models.Condition]) -> models.Filter | None:
    return models.Filter(must=list(must)) if must else None


def _limited(leg: models.QueryRequest, where: models.Filter | None, limit: int) -> models.QueryRequest:
    return leg.model_copy(update={"filter": where, "limit": max(limit, 1)})
