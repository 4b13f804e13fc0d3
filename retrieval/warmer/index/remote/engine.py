"""A collection on a Qdrant server."""

import logging
import re
import time
from collections.abc import Awaitable, Callable, Collection, Sequence, Set
from http import HTTPStatus
from itertools import chain
from typing import Any, TypeVar

from qdrant_client import AsyncQdrantClient, models

from warmer.errors import FilterError
from warmer.index import CANDIDATES, Candidates, CollectionInfo, DenseQuery, Filter, Hit, joined, surroundings
from warmer.index.bm25 import READ
from warmer.index.filters import AnyField
from warmer.index.paths import filter_key
from warmer.index.remote.allowed import all_of, filter_of, given_filter
from warmer.index.remote.client import Remote
from warmer.index.remote.conditions import shown_fields
from warmer.index.remote.description import Description, describe, no_text
from warmer.index.remote.equivalent import ASCENDING
from warmer.index.remote.faults import ServerError
from warmer.index.remote.limits import conditions, in_chunks, named_by_id
from warmer.index.remote.names import no_collection
from warmer.index.remote.neighbours import Payloads, ids_around
from warmer.index.remote.notes import ASIDE
from warmer.index.remote.options import Options
from warmer.index.remote.queries import dense_query, words_query
from warmer.index.remote.stored import Stored, read_stored
from warmer.index.remote.words import Fetched, Page, SampledWords, Words, find
from warmer.index.sampling import SAMPLE
from warmer.index.ties import MARGIN, cut
from warmer.index.together import together
from warmer.recent import Recent
from warmer.vectors import SparseVector

_T = TypeVar("_T")
_log = logging.getLogger(__name__)

_FRESH = 5.0  # seconds that a description is used without another look at the collection
_LOOKED = 30  # points that are compared with a model's vectors
_REMEMBERED = 2000  # passages that were shown
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
        self._options = (options or Options()).of(name)
        self._clock = clock
        self._words = SampledWords(self._read_page, self._options.words, clock)
        self._tenant = filter_of(self._options.where, AnyField())
        self._known: Description | None = None
        self._known_until = 0.0
        self._passages = Recent[str, str](_REMEMBERED)

    async def info(self) -> CollectionInfo:
        """Describe the collection; cheap to repeat."""
        return (await self._described()).info

    async def stored(self) -> list[Stored]:
        """Fetch some points as they are stored, with all their dense vectors."""
        known = await self._readable()
        records, _ = await self._scroll(self._tenant, known.limits.page(_LOOKED), vectors=True)
        return [read_stored(record, known.layouts, known.space.vector) for record in records]

    async def sample(self, *, where: Filter | None = None) -> list[dict[str, Any]]:
        """Fetch the payloads of some points, under the names that a filter takes."""
        known = await self._readable()
        records, _ = await self._scroll(all_of(self._kept(known, where)), known.limits.page(SAMPLE))
        payloads = [record.payload or {} for record in records]
        return payloads if known.names is None else [shown_fields(payload, known.layouts) for payload in payloads]

    async def retrieve(self, ids: Sequence[str]) -> list[Hit]:
        """Fetch points by id in the order given; ids that are gone or not to be seen are left out, scores are 0."""
        known = await self._readable()
        hits = await self._fetch(known, ids)
        if ids and not known.layouts.keep and not any(hit.payload["text"] for hit in hits):
            self._known_until = 0.0  # an alias may lead to another layout now
            if (now := await self._readable()) is not known:
                hits = await self._fetch(now, ids)
        found = {hit.id: hit for hit in hits}
        return [found[id_] for id_ in ids if id_ in found]

    async def around(self, id_: str, reach: int, *, where: Filter | None = None) -> list[Hit]:
        """Fetch a point between those before and after it in its document, if the server lets them be looked for."""
        known = await self._readable()
        kept = self._kept(known, where)

        async def fetch(ids: Sequence[str]) -> Payloads:
            return await self._payloads(len(ids), [*kept, named_by_id(ids)]) or []

        async def find_document(document: Filter) -> Payloads:
            those = filter_of({"must": [document]}, AnyField())
            names = [filter_key([payload], name) for name in surroundings.fields(payload)]
            must = [*kept, *([those] if those else [])]
            try:
                return await self._payloads(known.limits.page(surroundings.MOST), must, names) or []
            except ServerError as error:
                if error.status in _UNORDERED:
                    return []
                raise

        if not (own := await fetch([id_])):
            return []
        payload = own[0][1]
        return await self.retrieve(await ids_around(id_, payload, known.layouts, reach, find_document, fetch))

    async def _payloads(
        self, most: int, must: Sequence[models.Condition], names: list[str] | bool = True
    ) -> Payloads | None:
        """Fetch ids and payloads of points as they are stored; None where there are more."""
        records, more = await self._scroll(all_of(must), most, fields=names)
        return None if more else [(str(record.id), record.payload or {}) for record in records]

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
        self._passages.keep({hit.id: hit.passage[:READ] for hit in hits})
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
        hidden = known.limits.excluding(without, conditions(all_of(kept)))
        allowed = all_of([*kept, *([models.Filter(must_not=[*hidden])] if hidden else [])])
        seen = frozenset(without)
        dense, words = self._dense(known, query), lexical if lexical and lexical.indices else None
        if words and known.words_here:
            return await self._with_words(known, dense, words, depth, kept, allowed, seen)
        asked = known.limits.page(depth + MARGIN)
        legs = [_limited(dense, allowed, asked)]
        if words and known.space.lexical:
            sparse = models.QueryRequest(query=words_query(words), using=known.space.lexical)
            legs.append(_limited(sparse, allowed, asked))
        found = [cut(_unseen(scores, seen), depth, asked) for scores in await self._scores(known, legs)]
        if len(legs) == 1:
            return joined(found[0])
        near, alike = found
        small = [] if known.heavy else sorted(near.keys() | alike.keys())
        (more_near, more_alike), hits = await together(
            self._rescored(known, (dense, alike.keys() - near.keys()), (sparse, near.keys() - alike.keys())),
            self._fetch(known, small),
        )
        return joined(near | more_near, alike | more_alike, hits)

    async def _with_words(
        self,
        known: Description,
        dense: models.QueryRequest,
        lexical: SparseVector,
        depth: int,
        kept: Sequence[models.Condition],
        allowed: models.Filter | None,
        seen: Set[str],
    ) -> Candidates:
        """Find candidates by words that are looked for here, in two requests too."""

        async def search(depth: int, ids: Sequence[str]) -> dict[str, float]:
            asked = known.limits.page(depth + MARGIN)
            chunks = list(in_chunks(ids, known.limits.named(len(ids) or 1)))
            if not known.limits.fits(conditions(all_of(kept)) + 1):
                chunks = []
            named = [_limited(dense, all_of([*kept, named_by_id(chunk)]), len(chunk)) for chunk in chunks]
            best, *more = await self._scores(known, [_limited(dense, allowed, asked), *named])
            return cut(_unseen(best, seen), depth, asked) | dict(chain.from_iterable(one.items() for one in more))

        async def fetch(ids: Sequence[str], unread: Sequence[str]) -> Fetched:
            if not known.heavy:
                hits = await self._fetch(known, ids)
                return hits, {hit.id: hit.passage for hit in hits}
            records = await self._named(known, unread)
            return [], {str(record.id): known.layouts.passage(record.payload or {}) for record in records}

        return await find(await self._words_of(known), lexical, depth, search, fetch, seen)

    async def _words_of(self, known: Description) -> Words:
        """Read on in the texts for a while, or one page of them where the server limits what is read in a minute."""
        try:
            return await self._words.ready(known.info.points or 0, sparingly=known.limits.reads is not None)
        except ServerError:  # a search is answered without further words
            return self._words.now

    async def _read_page(self, offset: Any, size: int) -> Page:  # noqa: ANN401  as the server gave it
        known = await self._readable()
        records, after = await self._scroll(self._tenant, known.limits.page(size), offset=offset)
        return [(str(record.id), known.layouts.passage(record.payload or {})) for record in records], after

    async def _rescored(
        self, known: Description, *wanted: tuple[models.QueryRequest, Collection[str]]
    ) -> list[dict[str, float]]:
        """Score points by each leg; those that it knows nothing of are left out."""
        must = [self._tenant] if self._tenant else []
        size = known.limits.named(max(map(len, (ids for _, ids in wanted))) or 1)
        legs = [
            [_limited(leg, all_of([*must, named_by_id(chunk)]), len(chunk)) for chunk in in_chunks(sorted(ids), size)]
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
        return known.hits(await self._named(known, ids, vectors=known.with_vectors))

    async def _named(
        self, known: Description, ids: Sequence[str], *, vectors: bool | list[str] = False
    ) -> list[models.Record]:
        records: list[models.Record] = []
        must = [self._tenant] if self._tenant else []
        for chunk in in_chunks(ids, known.limits.named(len(ids) or 1)):
            found, _ = await self._scroll(all_of([*must, named_by_id(chunk)]), len(chunk), vectors=vectors)
            records += found
        return records

    async def _query(self, batch: Sequence[models.QueryRequest]) -> list[models.QueryResponse]:
        return await self._ask(lambda client: client.query_batch_points(self._name, batch), "searching")

    async def _scroll(
        self,
        keep: models.Filter | None,
        limit: int,
        *,
        fields: bool | list[str] = True,
        vectors: bool | list[str] = False,
        offset: Any = None,  # noqa: ANN401  as the server gave it
    ) -> tuple[list[models.Record], Any]:
        """Fetch points page by page; gives where the next page begins, too."""
        return await self._ask(
            lambda client: client.scroll(
                self._name, keep, limit=limit, offset=offset, with_payload=fields, with_vectors=vectors
            ),
            "fetching points of",
        )

    def _dense(self, known: Description, query: DenseQuery) -> models.QueryRequest:
        return models.QueryRequest(
            query=dense_query(known, query, embeds=self._remote.embeds),
            using=known.space.vector or None,
            params=None if self._remote.exact else known.walk.params,
        )

    def _kept(self, known: Description, where: Filter | None) -> list[models.Condition]:
        """Give the filters for what may be retrieved."""
        return [part for part in (self._tenant, given_filter(known, where)) if part]

    async def _readable(self) -> Description:
        known = await self._described()
        if not known.readable:
            raise no_text(known, self._options.text_field)
        return known

    async def _described(self) -> Description:
        now = self._clock()
        if self._known is None or now >= self._known_until:
            version, old = await self._remote.version(), self._known
            self._known = await describe(self._ask, version, self._name, self._options, self._tenant, old)
            for note in [] if old else self._known.info.notes:
                _log.log(logging.WARNING if ASIDE in note else logging.INFO, "collection %r: %s", self._name, note)
            if old and old.config != self._known.config:  # an alias leads to another collection
                self._words = SampledWords(self._read_page, self._options.words, self._clock)
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


def _unseen(scores: dict[str, float], seen: Set[str]) -> dict[str, float]:
    return {id_: score for id_, score in scores.items() if id_ not in seen}


def _limited(leg: models.QueryRequest, where: models.Filter | None, limit: int) -> models.QueryRequest:
    return leg.model_copy(update={"filter": where, "limit": max(limit, 1)})
