"""The journal in Qdrant: a search, all that was shown for it and all its scores are one document."""

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from time import time
from typing import Any

import numpy as np
from qdrant_client import models

from warmer.errors import EngineError
from warmer.index import Hit
from warmer.journal import AGENT, MOST_QUERIES, Search, Shown, refused
from warmer.journal.jobs import ENDED
from warmer.journal.qdrant.store import Change, Document, Store, below, change, document_id, equals, put
from warmer.vectors import Vector

_KIND, JOB = "search", "job"
_ATTEMPTS = 50


class QdrantJournal:
    """A journal that several processes share.

    Searches can be scored for `lifetime` seconds; what was scored is kept beyond that, the rest is pruned. The
    vectors of the hits are kept with them, since a point may be deleted or embedded anew before it is scored.

    The fields of a document: `shown` are the hits in the order of their numbers, `count` is how many, which is what a
    writer of further ones must know; `vectors` (by point id) and `scores` (by hit and judge) are maps, to which
    writers add without reading; `kept` says that it must outlive its expiry.
    """

    def __init__(self, store: Store, lifetime: float) -> None:
        self._store = store
        self._lifetime = lifetime

    async def begin(self, search: Search, hits: Sequence[Hit]) -> list[int]:
        """Keep a new search with its first hits."""
        now = time()
        document = make_document(search, hits, now, now + self._lifetime)
        # Tried again, a first attempt that comes late would wipe out scores that were given meanwhile.
        await self._store.write(put(search_document(search.id), document), retry=False)
        numbers = {entry["id"]: number for number, entry in enumerate(document["shown"], start=1)}
        return [numbers[hit.id] for hit in hits]

    async def show(self, search_id: str, hits: Sequence[Hit]) -> list[int]:
        """Keep hits of a further round; where another writer was faster, theirs are numbered first."""
        id_ = search_document(search_id)
        for _ in range(_ATTEMPTS):
            shown = (await self._read(search_id, ["shown"]))["shown"]
            numbers = {entry["id"]: number for number, entry in enumerate(shown, start=1)}
            new = {hit.id: hit for hit in hits if hit.id not in numbers}
            if not new:
                return [numbers[hit.id] for hit in hits]
            longer = [*shown, *map(_entry, new.values())]
            await self._store.write(
                change(id_, {hit.id: _encode(hit.vector) for hit in new.values()}, at="vectors"),
                change(id_, {"shown": longer, "count": len(longer)}, must=[equals("count", len(shown))]),
            )
        raise EngineError(f"too many feedback rounds of {search_id[:60]!r} at once: try again")

    async def find(self, search_id: str, judge: str = AGENT) -> Search:
        """Recall a search with all that was shown and scored."""
        document = await self._read(search_id)
        if document["expires"] < time():
            raise refused(search_id, "expired")
        return _recall(document, judge)

    async def scored(self, collection: str, model: str, judge: str, rubric: str, fewest: int = 1) -> list[Search]:
        """Recall the searches that a judge scored, one a query."""
        where = _searches(collection, equals("model", model), equals("kept", True))
        found = await self._store.find(where, ["created", "query", "scores"])
        counts = {id_: len(_scores(document, judge, rubric)) for id_, document in found.items()}
        best = {found[id_]["query"]: id_ for id_ in sorted(found, key=lambda id_: (counts[id_], found[id_]["created"]))}
        chosen = {id_: found[id_] for id_ in best.values() if counts[id_] >= fewest}
        ids = _oldest_first(chosen)[-MOST_QUERIES:]
        documents = await self._store.get(ids)
        return [_recall(documents[id_], judge) for id_ in ids if id_ in documents]

    async def known(self, collection: str, query: str, judge: str, rubric: str) -> dict[str, float]:
        """Recall what a judge ever scored for a query."""
        where = _searches(collection, equals("query", query), equals("kept", True))
        found = await self._store.find(where, ["shown", "scores"])
        given = [
            (score["created"], document["shown"][score["hit"] - 1]["id"], score["score"])
            for document in found.values()
            for score in _scores(document, judge, rubric)
        ]
        return {point: score for _, point, score in sorted(given)}

    async def queries(self, collection: str) -> list[str]:
        """List the different queries that a collection was ever searched for."""
        found = await self._store.find(_searches(collection), ["created", "query"])
        return list(dict.fromkeys(found[id_]["query"] for id_ in _oldest_first(found)))

    async def score(self, search_id: str, scores: Mapping[int, float], judge: str, rubric: str) -> None:
        """Keep scores."""
        if not scores:
            return
        now, id_ = time(), search_document(search_id)
        given = {
            f"{hit} {judge}": {"hit": hit, "judge": judge, "rubric": rubric, "score": float(score), "created": now}
            for hit, score in scores.items()
        }
        await self._store.write(keep(search_id), change(id_, given, at="scores"))

    async def prune(self, before: float | None = None) -> int:
        """Delete searches that have expired and that nobody scored, or all from before a time."""
        if before is None:
            where = models.Filter(must=[equals("kind", _KIND), below("expires", time()), equals("kept", False)])
        else:
            ended = models.FieldCondition(key="status", match=models.MatchAny(any=list(ENDED)))
            job = equals("kind", JOB)
            await self._store.delete(models.Filter(must=[job, below("created", before), ended]))
            going = await self._store.find(models.Filter(must=[job], must_not=[ended]), ["searches"])
            needed = [search_document(id_) for document in going.values() for id_ in document["searches"].values()]
            old = [equals("kind", _KIND), below("created", before)]
            where = models.Filter(must=old, must_not=[models.HasIdCondition(has_id=needed)])
        count = await self._store.count(where)
        await self._store.delete(where)
        return count

    async def counts(self) -> tuple[int, int]:
        """Count searches and scores, for a status report."""
        searches = models.Filter(must=[equals("kind", _KIND)])
        kept = models.Filter(must=[equals("kind", _KIND), equals("kept", True)])
        found = (await self._store.find(kept, ["scores"])).values()
        return await self._store.count(searches), sum(len(document["scores"]) for document in found)

    async def _read(self, search_id: str, fields: Sequence[str] = ()) -> Document:
        id_ = search_document(search_id)
        document = (await self._store.get([id_], fields)).get(id_)
        if document is None:
            raise refused(search_id, "unknown")
        return document


def make_document(search: Search, hits: Sequence[Hit], created: float, expires: float) -> Document:
    """Give the document of a new search."""
    new = {hit.id: hit for hit in hits}
    return {
        "kind": _KIND,
        "id": search.id,
        "collection": search.collection,
        "model": search.model,
        "query": search.query,
        "vector": _encode(search.vector),
        "where": json.dumps(search.where),
        "lexical": search.lexical,
        "created": created,
        "expires": expires,
        "kept": False,
        "count": len(new),
        "shown": [_entry(hit) for hit in new.values()],
        "vectors": {hit.id: _encode(hit.vector) for hit in new.values()},
        "scores": {},
    }


def search_document(search_id: str) -> str:
    """Give the id of a search's document."""
    return document_id(_KIND, search_id)


async def all_searches(store: Store) -> list[str]:
    """List the documents of all searches, the oldest first."""
    return _oldest_first(await store.find(models.Filter(must=[equals("kind", _KIND)]), ["created"]))


def keep(search_id: str) -> Change:
    """Make a search outlive its expiry."""
    return change(search_document(search_id), {"kept": True})


def _searches(collection: str, *conditions: models.Condition) -> models.Filter:
    return models.Filter(must=[equals("kind", _KIND), equals("collection", collection), *conditions])


def _oldest_first(found: Mapping[str, Document]) -> list[str]:
    return sorted(found, key=lambda id_: float(found[id_]["created"]))


def _scores(document: Document, judge: str, rubric: str) -> list[dict[str, Any]]:
    return [score for score in document["scores"].values() if (score["judge"], score["rubric"]) == (judge, rubric)]


def _recall(document: Document, judge: str) -> Search:
    scores = {score["hit"]: score["score"] for score in document["scores"].values() if score["judge"] == judge}
    shown = {
        n: Shown(n, hit["id"], _decode(document["vectors"][hit["id"]]), hit["title"], hit["source"], scores.get(n))
        for n, hit in enumerate(document["shown"], start=1)
    }
    return Search(
        id=document["id"],
        collection=document["collection"],
        model=document["model"],
        query=document["query"],
        vector=_decode(document["vector"]),
        where=json.loads(document["where"]),
        lexical=document["lexical"],
        shown=shown,
    )


def _entry(hit: Hit) -> dict[str, str]:
    title, source = str(hit.payload.get("title") or ""), str(hit.payload.get("source") or "")
    return {"id": hit.id, "title": title, "source": source}


def _encode(vector: Vector) -> str:
    return b64encode(vector.astype("<f4").tobytes()).decode()


def _decode(text: str) -> Vector:
    return np.frombuffer(b64decode(text), dtype="<f4")
