"""Searches in Qdrant: one document holds a search, its hits and their scores."""

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from qdrant_client import models

from warmer.errors import EngineError
from warmer.index import Hit
from warmer.journal import (
    AGENT,
    MAX_OF_A_QUERY,
    MAX_TRAINING_SEARCHES,
    Scored,
    Search,
    Shown,
    invalid_handle,
    is_owned_by,
    kept_vector,
    recalled,
)
from warmer.journal.clock import exact, time
from warmer.journal.jobs import ENDED
from warmer.journal.qdrant.store import (
    Change,
    Document,
    Store,
    change,
    document_id,
    equals,
    greater_than,
    less_than,
    put,
)
from warmer.journal.tenancy import owner_namespace
from warmer.steering.wording import Wording
from warmer.vectors import Vector

_SEARCH_KIND, JOB_KIND = "search", "job"
_ATTEMPTS = 50
_DELETED = 500  # documents at once


class QdrantJournal:
    """A journal shared by several processes.

    A search can be scored for `lifetime` seconds. Scored searches outlive that; `prune` deletes the others. The
    vectors of the hits are stored, too, since a point may be deleted or embedded again before it is scored.

    The fields of a document: `shown` are the hits in the order of their numbers, `count` is how many, which is what a
    writer of further ones must know; `vectors` (by point id), `scores` (by hit and judge) and `wordings` (by time) are
    maps, to which writers add without reading; `kept` says that it must outlive its expiry.
    """

    def __init__(self, store: Store, lifetime: float) -> None:
        self._store = store
        self._lifetime = lifetime

    async def begin(self, search: Search, hits: Sequence[Hit]) -> list[int]:
        """Store a new search with its first hits."""
        now = time()
        document = make_document(search, hits, now, exact(now + self._lifetime))
        # No retry: a delayed first attempt could arrive after it and wipe out scores given meanwhile.
        await self._store.write(put(search_document_id(search.id), document), retry=False)
        numbers = {entry["id"]: number for number, entry in enumerate(document["shown"], start=1)}
        return [numbers[hit.id] for hit in hits]

    async def reword(self, search_id: str, more: Sequence[Wording], where: Mapping[str, Any] | None = None) -> None:
        """Keep what a further turn says, and its filter, if it has one."""
        id_ = search_document_id(search_id)
        changes = [change(id_, _said(more, time()), at="wordings")] if more else []
        if where:
            changes.append(change(id_, {"where": json.dumps(where)}))
        if changes:
            await self._store.write(*changes)

    async def show(self, search_id: str, hits: Sequence[Hit]) -> list[int]:
        """Store the hits of a further round, numbered after those of any faster writer."""
        id_ = search_document_id(search_id)
        for _ in range(_ATTEMPTS):
            shown = (await self._read(search_id, ["shown"]))["shown"]
            numbers = {entry["id"]: number for number, entry in enumerate(shown, start=1)}
            new = {hit.id: hit for hit in hits if hit.id not in numbers}
            if not new:
                return [numbers[hit.id] for hit in hits]
            extended = [*shown, *map(_hit_entry, new.values())]
            await self._store.write(
                change(id_, {hit.id: _encode_vector(hit.vector) for hit in new.values()}, at="vectors"),
                change(id_, {"shown": extended, "count": len(extended)}, must=[equals("count", len(shown))]),
            )
        raise EngineError(f"too many feedback rounds of {search_id[:60]!r} at once: try again")

    async def find(self, search_id: str, judge: str = AGENT) -> Search:
        """Load a search with a judge's scores."""
        document = await self._read(search_id)
        if document["expires"] < time():
            raise invalid_handle(search_id, "expired")
        return _recall(document, judge)

    async def scored(self, collection: str, model: str, judge: str, rubric: str, fewest: int = 1) -> list[Search]:
        """Load the searches that a judge scored, some of each query."""
        where = _search_filter(collection, equals("model", model), equals("kept", True))
        found = await self._store.find(where, ["created", "query", "scores"])
        counts = {id_: len(_scores_by(document, judge, rubric)) for id_, document in found.items()}
        enough = (id_ for id_ in found if counts[id_] >= fewest)
        of_query: dict[str, list[str]] = {}
        for id_ in sorted(enough, key=lambda id_: (-counts[id_], -found[id_]["created"])):
            of_query.setdefault(found[id_]["query"], []).append(id_)
        chosen = {id_: found[id_] for ids in of_query.values() for id_ in ids[:MAX_OF_A_QUERY]}
        ids = _oldest_first(chosen)[-MAX_TRAINING_SEARCHES:]
        documents = await self._store.get(ids)
        return [_recall(documents[id_], judge) for id_ in ids if id_ in documents]

    async def scored_after(
        self, collection: str, model: str, judge: str, rubric: str, after: float
    ) -> tuple[list[Scored], float]:
        """Give searches that a judge scored after a time, and until when it was read.

        Those of versions that did not keep the time of the last score are left out.
        """
        where = _search_filter(collection, equals("model", model), equals("kept", True), greater_than("scored", after))
        found = await self._store.first(where, ["id", "vector", "shown", "scores", "scored"], by="scored")
        read = [one for document in found if (one := _in_brief(document, judge, rubric))]
        return read, found[-1]["scored"] if found else after

    async def recall(self, search_id: str, judge: str) -> Search | None:
        """Load a search with a judge's scores, whether or not it has expired."""
        id_ = search_document_id(search_id)
        document = (await self._store.get([id_])).get(id_)
        return _recall(document, judge) if document else None

    async def known(self, collection: str, query: str, judge: str, rubric: str) -> dict[str, float]:
        """Load every score that a judge gave for a query."""
        where = _search_filter(collection, equals("query", query), equals("kept", True))
        found = await self._store.find(where, ["shown", "scores"])
        given = [
            (score["created"], document["shown"][score["hit"] - 1]["id"], score["score"])
            for document in found.values()
            for score in _scores_by(document, judge, rubric)
        ]
        return {point: score for _, point, score in sorted(given)}

    async def queries(self, collection: str) -> list[str]:
        """List the distinct queries of a collection."""
        found = await self._store.find(_search_filter(collection), ["created", "query"])
        return list(dict.fromkeys(found[id_]["query"] for id_ in _oldest_first(found)))

    async def score(self, search_id: str, scores: Mapping[int, float], judge: str, rubric: str) -> None:
        """Store scores."""
        if not scores:
            return
        now, id_ = time(), search_document_id(search_id)
        given = {
            f"{hit} {judge}": {"hit": hit, "judge": judge, "rubric": rubric, "score": float(score), "created": now}
            for hit, score in scores.items()
        }
        await self._store.write(mark_kept(search_id), change(id_, given, at="scores"), change(id_, {"scored": now}))

    async def prune(self, before: float | None = None) -> int:
        """Delete expired searches without scores, or all searches made before a time."""
        if before is None:
            where = models.Filter(
                must=[equals("kind", _SEARCH_KIND), less_than("expires", time()), equals("kept", False)]
            )
        else:
            ended = models.FieldCondition(key="status", match=models.MatchAny(any=list(ENDED)))
            job = equals("kind", JOB_KIND)
            await self._store.delete(models.Filter(must=[job, less_than("created", before), ended]))
            running = await self._store.find(models.Filter(must=[job], must_not=[ended]), ["searches"])
            needed = [search_document_id(id_) for document in running.values() for id_ in document["searches"].values()]
            old = [equals("kind", _SEARCH_KIND), less_than("created", before)]
            where = models.Filter(must=old, must_not=[models.HasIdCondition(has_id=needed)])
        count = await self._store.count(where)
        await self._store.delete(where)
        return count

    async def forget(self, owner: str) -> int:
        """Delete the searches of an owner, their scores, and the owner's trainings."""
        kinds = models.MatchAny(any=[_SEARCH_KIND, JOB_KIND])
        where = models.Filter(must=[models.FieldCondition(key="kind", match=kinds)])
        found = await self._store.find(where, ["kind", "id", "collection"])
        searches = [id_ for id_, one in found.items() if one["kind"] == _SEARCH_KIND and is_owned_by(one["id"], owner)]
        suffix = owner_namespace(owner).suffix
        jobs = [id_ for id_, one in found.items() if one["kind"] == JOB_KIND and suffix in one["collection"]]
        for start in range(0, len(jobs + searches), _DELETED):
            ids = (jobs + searches)[start : start + _DELETED]
            await self._store.delete(models.Filter(must=[models.HasIdCondition(has_id=ids)]))
        return len(searches)

    async def counts(self) -> tuple[int, int]:
        """Count the searches and the scores."""
        searches = models.Filter(must=[equals("kind", _SEARCH_KIND)])
        kept = models.Filter(must=[equals("kind", _SEARCH_KIND), equals("kept", True)])
        found = (await self._store.find(kept, ["scores"])).values()
        return await self._store.count(searches), sum(len(document["scores"]) for document in found)

    async def _read(self, search_id: str, fields: Sequence[str] = ()) -> Document:
        id_ = search_document_id(search_id)
        document = (await self._store.get([id_], fields)).get(id_)
        if document is None:
            raise invalid_handle(search_id, "unknown")
        return document


def make_document(search: Search, hits: Sequence[Hit], created: float, expires: float) -> Document:
    """Make the document of a new search; times are in seconds since 1970."""
    new = {hit.id: hit for hit in hits}
    return {
        "kind": _SEARCH_KIND,
        "id": search.id,
        "collection": search.collection,
        "model": search.model,
        "query": search.query,
        "vector": _encode_vector(search.vector),
        "where": json.dumps(search.where),
        "lexical": search.lexical,
        "created": created,
        "expires": expires,
        "kept": False,
        "count": len(new),
        "shown": [_hit_entry(hit) for hit in new.values()],
        "vectors": {hit.id: _encode_vector(hit.vector) for hit in new.values()},
        "scores": {},
        "wordings": _said(search.more, created),
    }


def search_document_id(search_id: str) -> str:
    """Return the document id of a search."""
    return document_id(_SEARCH_KIND, search_id)


async def all_search_document_ids(store: Store) -> list[str]:
    """List the document ids of all searches, the oldest first."""
    return _oldest_first(await store.find(models.Filter(must=[equals("kind", _SEARCH_KIND)]), ["created"]))


def mark_kept(search_id: str) -> Change:
    """Exempt a search from pruning on expiry."""
    return change(search_document_id(search_id), {"kept": True})


def _search_filter(collection: str, *conditions: models.Condition) -> models.Filter:
    return models.Filter(must=[equals("kind", _SEARCH_KIND), equals("collection", collection), *conditions])


def _oldest_first(found: Mapping[str, Document]) -> list[str]:
    return sorted(found, key=lambda id_: float(found[id_]["created"]))


def _scores_by(document: Document, judge: str, rubric: str) -> list[dict[str, Any]]:
    return [score for score in document["scores"].values() if (score["judge"], score["rubric"]) == (judge, rubric)]


def _in_brief(document: Document, judge: str, rubric: str) -> Scored | None:
    vector = _decode_vector(document["vector"])
    shown = document["shown"]
    scores = {shown[one["hit"] - 1]["id"]: one["score"] for one in _scores_by(document, judge, rubric)}
    return Scored(document["id"], document["scored"], vector, scores) if scores and vector.size else None


def _recall(document: Document, judge: str) -> Search:
    scores = {score["hit"]: score["score"] for score in document["scores"].values() if score["judge"] == judge}
    vectors = {point: _decode_vector(text) for point, text in document["vectors"].items()}
    shown = {
        n: Shown(n, hit["id"], vectors[hit["id"]], hit["title"], hit["source"], scores.get(n))
        for n, hit in enumerate(document["shown"], start=1)
    }
    return Search(
        id=document["id"],
        collection=document["collection"],
        model=document["model"],
        query=document["query"],
        vector=_decode_vector(document["vector"]),
        where=json.loads(document["where"]),
        lexical=document["lexical"],
        shown=shown,
        more=tuple(_wording(said, document["model"]) for _, said in sorted(document.get("wordings", {}).items())),
    )


def _said(more: Sequence[Wording], now: float) -> dict[str, Any]:
    """Describe wordings under keys that sort by time, so that writers can add some without reading."""
    return {
        f"{now:017.6f} {n:04}": {
            "kind": one.kind,
            "text": one.text,
            "vector": _encode_vector(kept_vector(one.vector)),
            "turn": one.turn,
        }
        for n, one in enumerate(more)
    }


def _wording(said: Mapping[str, Any], model: str) -> Wording:
    vector = recalled(said["text"], _decode_vector(said["vector"]), model)
    return Wording(said["kind"], said["text"], vector, said["turn"])


def _hit_entry(hit: Hit) -> dict[str, str]:
    title, source = str(hit.payload.get("title") or ""), str(hit.payload.get("source") or "")
    return {"id": hit.id, "title": title, "source": source}


def _encode_vector(vector: Vector) -> str:
    return b64encode(vector.astype("<f4").tobytes()).decode()


def _decode_vector(text: str) -> Vector:
    return np.frombuffer(b64decode(text), dtype="<f4")
