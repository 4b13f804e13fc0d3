"""A collection on a Qdrant server."""

import logging
import re
import time
from collections.abc import Awaitable, Callable, Collection, Sequence, Set
from dataclasses import asdict
from http import HTTPStatus
from typing import Any, TypeVar

import numpy as np
from qdrant_client import AsyncQdrantClient, models

from warmer.errors import CollectionError, EngineError, FilterError, ModelMismatchError
from warmer.index import CANDIDATES, Candidates, CollectionInfo, DenseQuery, Filter, Hit, joined, surroundings
from warmer.index.filters import AnyField, check_filter
from warmer.index.formula import one_pair
from warmer.index.paths import filter_key
from warmer.index.remote.client import Remote
from warmer.index.remote.conditions import NO_NAMES, shown_fields, translated
from warmer.index.remote.description import Description, describe, no_feedback, no_text
from warmer.index.remote.equivalent import LINEAR, equivalent
from warmer.index.remote.faults import ServerError
from warmer.index.remote.names import no_collection
from warmer.index.remote.neighbours import Payloads, ids_around
from warmer.index.remote.notes import ASIDE
from warmer.index.remote.options import Options
from warmer.index.remote.stored import Stored, read_stored
from warmer.index.remote.words import Page, SampledWords, find
from warmer.index.sampling import SAMPLE
from warmer.passage import native_id
from warmer.vectors import QueryVector, SparseVector, TextQuery, own_vector

_T = TypeVar("_T")
_log = logging.getLogger(__name__)

_FRESH = 5.0  # seconds that a description is used without another look at the collection
# Scored points lie around the query and stay out: without ACORN they are a hole in the graph, where the walk may end.
_ACORN = models.SearchParams(acorn=models.AcornSearchParams(enable=True, max_selectivity=1.0))
_LOOKED = 30  # points that are compared with a model's vectors
_MOST_EXAMPLES = 16  # that go as they are: the time of a feedback query grows with their square
_POINT_GONE = re.compile(r"no point with id|^point \S+ is not found", re.IGNORECASE)


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
        self._tenant = _filter(self._options.where, AnyField())
        self._known: Description | None = None
        self._known_until = 0.0

    async def info(self) -> CollectionInfo:
        """Describe the collection; cheap to repeat."""
        return (await self._described()).info

    async def stored(self) -> list[Stored]:
        """Fetch some points as they are stored, with all their dense vectors."""
        known = await self._readable()
        records, _ = await self._ask(
            lambda client: client.scroll(
                self._name, scroll_filter=self._tenant, limit=_LOOKED, with_payload=True, with_vectors=True
            ),
            "reading points of",
        )
        return [read_stored(record, known.layouts, known.space.vector) for record in records]

    async def sample(self, *, where: Filter | None = None) -> list[dict[str, Any]]:
        """Fetch the payloads of some points, under the names that a filter takes."""
        known = await self._readable()
        records, _ = await self._ask(
            lambda client: client.scroll(
                self._name, scroll_filter=self._keep(known, where, ()), limit=SAMPLE, with_payload=True
            ),
            "reading payloads of",
        )
        payloads = [record.payload or {} for record in records]
        return payloads if known.names is None else [shown_fields(payload, known.layouts) for payload in payloads]

    async def retrieve(self, ids: Sequence[str]) -> list[Hit]:
        """Fetch points by id in the order given; ids that are gone or not to be seen are left out, scores are 0."""
        known = await self._readable()
        if not ids:
            return []
        wanted = models.HasIdCondition(has_id=[native_id(id_) for id_ in ids])
        keep = models.Filter(must=[self._tenant, wanted] if self._tenant else [wanted])
        records, _ = await self._ask(
            lambda client: client.scroll(
                self._name, scroll_filter=keep, limit=len(ids), with_payload=True, with_vectors=known.with_vectors
            ),
            "fetching points of",
        )
        found = {hit.id: hit for hit in known.hits(records)}
        return [found[id_] for id_ in ids if id_ in found]

    async def around(self, id_: str, reach: int, *, where: Filter | None = None) -> list[Hit]:
        """Fetch a point between those before and after it in its document, if the server lets them be looked for."""
        known = await self._readable()
        keep = self._keep(known, where, ())

        async def fetch(ids: Sequence[str]) -> Payloads:
            return await self._payloads(len(ids), _narrowed(ids, keep), True) or []

        async def find(document: Filter) -> Payloads:
            those = _filter({"must": [document]}, AnyField())
            must = models.Filter(must=[part for part in (those, keep) if part])
            names = [filter_key([payload], name) for name in surroundings.fields(payload)]
            try:
                return await self._payloads(surroundings.MOST, must, names) or []
            except ServerError as error:
                if error.status in _UNORDERED:
                    return []
                raise

        if not (own := await fetch([id_])):
            return []
        payload = own[0][1]
        return await self.retrieve(await ids_around(id_, payload, known.layouts, reach, find, fetch))

    async def _payloads(self, most: int, keep: models.Filter, names: list[str] | bool) -> Payloads | None:
        """Fetch ids and payloads of points as they are stored; None where there are more."""
        records, more = await self._ask(
            lambda client: client.scroll(self._name, keep, limit=most, with_payload=names, with_vectors=False),
            "fetching a document of",
        )
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
        """Find the best points of each leg, scored by both.

        Feedback is Qdrant's own query, or its equivalent where a server has none. Examples that are to stay out go by
        id, since Qdrant itself leaves those out; all others as vectors.
        """
        known = await self._readable()
        keep = self._keep(known, where, without)
        words = lexical if lexical and lexical.indices and (known.space.lexical or known.words_here) else None
        try:
            return await self._candidates(known, self._dense(known, query, without), words, depth, keep)
        except ServerError as error:
            if where and error.status == HTTPStatus.BAD_REQUEST:
                raise FilterError(f"the server refuses the query with this filter: {error.said}") from error
            if not _POINT_GONE.search(error.said):
                raise
        # A scored point was deleted meanwhile; what was thought of it still holds.
        return await self._candidates(known, self._dense(known, query, ()), words, depth, keep)

    async def completed(self, hits: list[Hit]) -> list[Hit]:
        """Give the hits as they are: what the payload holds is all that there is."""
        return hits

    async def _candidates(
        self,
        known: Description,
        query: models.Query,
        lexical: SparseVector | None,
        depth: int,
        keep: models.Filter | None,
    ) -> Candidates:
        dense = models.QueryRequest(
            query=query,
            using=known.space.vector or None,
            filter=keep,
            limit=depth,
            params=_ACORN if known.acorn and not self._remote.exact else None,
        )
        # A nearest query by a distance gives the least first, Qdrant's feedback the greatest.
        sign = -1.0 if isinstance(query, models.NearestQuery) and known.space.distance not in LINEAR else 1.0
        if lexical is None:
            (scores,) = await self._scores([dense])
            return joined({id_: sign * score for id_, score in scores.items()})
        if not known.space.lexical:
            return await self._with_words(known, dense, sign, lexical, keep)
        sparse = models.QueryRequest(query=_sparse(lexical), using=known.space.lexical, filter=keep, limit=depth)
        legs = [dense, sparse]
        near, alike = await self._scores(legs)
        for leg, ids in zip(legs, (alike.keys() - near.keys(), near.keys() - alike.keys()), strict=True):
            _narrow(leg, ids, keep)
        more_near, more_alike = await self._scores(legs)
        return joined({id_: sign * score for id_, score in (near | more_near).items()}, alike | more_alike)

    async def _with_words(
        self,
        known: Description,
        dense: models.QueryRequest,
        sign: float,
        lexical: SparseVector,
        keep: models.Filter | None,
    ) -> Candidates:
        """Find candidates by words that are looked for here."""
        try:
            words = await self._words.ready(known.info.points or 0)
        except ServerError:  # a search is answered without further words
            words = self._words.now

        async def by_vector(depth: int, ids: Set[str] | None) -> dict[str, float]:
            leg = dense.model_copy(update={"limit": depth})
            if ids:
                _narrow(leg, ids, keep)
            return {id_: sign * score for id_, score in (await self._scores([leg]))[0].items()}

        return await find(words, lexical, dense.limit or CANDIDATES, by_vector, self._passages)

    async def _passages(self, ids: list[str]) -> dict[str, str]:
        known = await self._readable()
        wanted = [native_id(id_) for id_ in ids]
        records = await self._ask(
            lambda client: client.retrieve(self._name, wanted, with_payload=True, with_vectors=False),
            "reading texts of",
        )
        return {str(record.id): known.layouts.passage(record.payload or {}) for record in records}

    async def _read_page(self, offset: Any, size: int) -> Page:  # noqa: ANN401  as the server gave it
        known = await self._readable()
        records, after = await self._ask(
            lambda client: client.scroll(
                self._name, self._tenant, size, offset=offset, with_payload=True, with_vectors=False
            ),
            "reading texts of",
        )
        return [(str(record.id), known.layouts.passage(record.payload or {})) for record in records], after

    async def _scores(self, legs: Sequence[models.QueryRequest]) -> list[dict[str, float]]:
        answers = await self._ask(lambda client: client.query_batch_points(self._name, list(legs)), "searching")
        return [{str(point.id): point.score for point in answer.points} for answer in answers]

    def _dense(self, known: Description, query: DenseQuery, by_id: Collection[str]) -> models.Query:
        target = self._input(known, query.vector)
        if not query.items:
            return models.NearestQuery(nearest=target)
        if not known.feedback:
            return self._equivalent(known, query)
        own = all(isinstance(item.vector, np.ndarray) for item in query.items)
        if len(query.items) > _MOST_EXAMPLES and own and known.space.distance in LINEAR:
            query = one_pair(query, cosine=known.space.distance == models.Distance.COSINE)
        examples = [
            models.FeedbackItem(
                example=native_id(item.id) if item.id and item.id in by_id else self._input(known, item.vector),
                score=item.score,
            )
            for item in query.items
        ]
        naive = models.NaiveFeedbackStrategyParams(**asdict(query.coefficients))
        return models.RelevanceFeedbackQuery(
            relevance_feedback=models.RelevanceFeedbackInput(
                target=target, feedback=examples, strategy=models.NaiveFeedbackStrategy(naive=naive)
            )
        )

    def _equivalent(self, known: Description, query: DenseQuery) -> models.NearestQuery:
        if known.space.distance not in LINEAR:
            why = no_feedback(known.version, known.space.distance)
            raise CollectionError(f"scores cannot steer in collection {self._name!r}: {why}")
        moved = equivalent(known.space.distance, own_vector(query.vector), query.items, query.coefficients)
        return models.NearestQuery(nearest=moved.tolist())

    def _input(self, known: Description, vector: QueryVector) -> models.VectorInput:
        if isinstance(vector, TextQuery) and self._remote.embeds:
            if not known.feedback:
                major, minor = known.version
                raise EngineError(
                    f"server {major}.{minor} has no feedback query, which queries embedded by {vector.model!r} on the "
                    "server need: upgrade Qdrant to 1.17, or choose a model for this collection that runs here"
                )
            return models.Document(text=vector.text, model=vector.model)
        own = own_vector(vector)
        if own.size != known.space.dim:
            vectors = f"vectors {known.space.vector!r}" if known.space.vector else "vectors"
            raise ModelMismatchError(
                f"a query of {own.size} numbers does not fit collection {self._name!r}, whose {vectors} have "
                f"{known.space.dim}: embed queries with the model that made them"
            )
        numbers: list[float] = own.tolist()
        return numbers

    def _keep(self, known: Description, where: Filter | None, without: Sequence[str]) -> models.Filter | None:
        """Build the filter for what may be retrieved."""
        fields = known.info.fields if known.own else AnyField(known.info.fields)
        kept = [self._tenant, _filter(translated(where or {}, known.names or NO_NAMES), fields)]
        if without:
            gone = models.HasIdCondition(has_id=[native_id(id_) for id_ in without])
            kept.append(models.Filter(must_not=[gone]))
        must: list[models.Condition] = [part for part in kept if part]
        return models.Filter(must=must) if must else None

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
            self._known_until = now + _FRESH
        return self._known

    async def _ask(self, ask: Callable[[AsyncQdrantClient], Awaitable[_T]], what: str) -> _T:
        try:
            return await self._remote.call(ask, what=f"{what} {self._name!r}")
        except ServerError as error:
            self._known_until = 0.0
            if error.status == HTTPStatus.NOT_FOUND and not _POINT_GONE.search(error.said):
                self._known = None
                raise await no_collection(self._remote, self._options, self._name) from error
            raise


def _narrow(leg: models.QueryRequest, ids: Collection[str], keep: models.Filter | None) -> None:
    """Let a leg score some points alone."""
    leg.filter = _narrowed(sorted(ids), keep)
    leg.limit = max(len(ids), 1)


def _narrowed(ids: Collection[str], keep: models.Filter | None) -> models.Filter:
    these = models.HasIdCondition(has_id=[native_id(id_) for id_ in ids])
    return models.Filter(must=[keep, these] if keep else [these])


def _filter(where: Filter | None, fields: dict[str, str]) -> models.Filter | None:
    if not where:
        return None
    check_filter(where, fields)
    return models.Filter.model_validate(where)


def _sparse(words: SparseVector) -> models.SparseVector:
    return models.SparseVector(indices=words.indices, values=words.values)
