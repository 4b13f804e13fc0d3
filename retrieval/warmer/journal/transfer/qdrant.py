"""The journal on a Qdrant server into a file and back; what is there and newer stays as it is."""

import json
from base64 import b64decode
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from warmer.index import Hit
from warmer.journal import Search
from warmer.journal.qdrant.parameters import QdrantParameters
from warmer.journal.qdrant.searches import QdrantJournal, all_searches, keep, make_document, search_document
from warmer.journal.qdrant.store import Document, Store, change, put
from warmer.journal.transfer.file import another_search, new_file, read_file
from warmer.journal.transfer.records import Counts, HitRecord, ParametersRecord, Record, ScoreRecord, SearchRecord
from warmer.vectors import Vector

_PAGE = 20  # searches, of some 100 kB each


async def export_shared(store: Store, path: Path) -> Counts:
    """Write all searches, scores and parameters; trainings are left out, and searches that are made meanwhile.

    Raises:
        StorageError: The file is there already or cannot be written.
        EngineError: The server fails.
    """
    counts = Counts()
    with new_file(path) as add:
        async for record in _records(store):
            add(record)
            counts.add(record)
    return counts


async def import_shared(store: Store, path: Path) -> Counts:
    """Add what is not there yet; gives what was added.

    All of the file is looked at before anything is written. There are no transactions: what breaks off while it
    writes can be done again, and adds the rest. A score, or a set of parameters, is replaced only by a later one.

    Raises:
        StorageError: The file is damaged, or does not fit to what is there; nothing was imported.
        EngineError: The server fails; done again, the import adds the rest.
    """
    for number, record in read_file(path):
        if isinstance(record, SearchRecord) and not _same(record, await _find(store, record.id)):
            raise another_search(path, number)
    counts, parameters = Counts(), QdrantParameters(store)
    newest = {trained.key: trained.created for trained in await parameters.all()}
    for _, record in read_file(path):
        if isinstance(record, SearchRecord):
            await _add_search(store, record, counts)
        elif (trained := record.read()).created > newest.get(trained.key, ""):
            await parameters.add(trained)
            newest[trained.key] = trained.created
            counts.parameters += 1
    return counts


async def _records(store: Store) -> AsyncIterator[Record]:
    ids = await all_searches(store)
    for start in range(0, len(ids), _PAGE):
        page = ids[start : start + _PAGE]
        documents = await store.get(page)
        for id_ in page:
            if id_ in documents:
                yield _record(documents[id_])
    for trained in await QdrantParameters(store).all():
        yield ParametersRecord(trained=trained.to_json())


def _record(document: Document) -> SearchRecord:
    scores: dict[int, list[ScoreRecord]] = {}
    for given in sorted(document["scores"].values(), key=lambda given: (given["hit"], given["judge"])):
        kept = {name: given[name] for name in ("judge", "rubric", "score", "created")}
        scores.setdefault(given["hit"], []).append(ScoreRecord(**kept))
    hits = [
        HitRecord(
            point=hit["id"],
            engine_score=0.0,
            vector=b64decode(document["vectors"][hit["id"]]),
            title=hit["title"],
            source=hit["source"],
            scores=scores.get(number, []),
        )
        for number, hit in enumerate(document["shown"], start=1)
    ]
    same = {name: document[name] for name in ("id", "collection", "model", "query", "lexical", "created", "expires")}
    return SearchRecord(**same, vector=b64decode(document["vector"]), where=json.loads(document["where"]), hits=hits)


async def _find(store: Store, search_id: str) -> Document | None:
    id_ = search_document(search_id)
    return (await store.get([id_])).get(id_)


def _same(record: SearchRecord, there: Document | None) -> bool:
    """Say whether what is there under the id, if anything is, is the search of a record."""
    if there is None:
        return True
    known = there["collection"], there["model"], there["query"], b64decode(there["vector"])
    return known == (record.collection, record.model, record.query, record.vector)


async def _add_search(store: Store, record: SearchRecord, counts: Counts) -> None:
    hits = [Hit(one.point, 0.0, {"title": one.title, "source": one.source}, _vector(one.vector)) for one in record.hits]
    there = await _find(store, record.id)
    if there is None:
        numbers = list(range(1, len(hits) + 1))
        document = make_document(_search(record), hits, record.created, record.expires)
        given = _later(record, numbers, {})
        whole = document | {"scores": given, "kept": bool(given)}
        # A first try that comes late would wipe out what was scored meanwhile.
        await store.write(put(search_document(record.id), whole), retry=False)
        counts.searches += 1
        counts.hits += len(hits)
    else:
        numbers = await QdrantJournal(store, 0).show(record.id, hits)
        given = _later(record, numbers, there["scores"])
        if given:
            await store.write(keep(record.id), change(search_document(record.id), given, at="scores"))
        counts.hits += len({one.point for one in record.hits} - {entry["id"] for entry in there["shown"]})
    counts.scores += len(given)


def _later(record: SearchRecord, numbers: list[int], there: Mapping[str, Any]) -> dict[str, Any]:
    """Give the scores of a record that are newer than what is there, as entries of a document."""
    given = {
        f"{number} {score.judge}": {"hit": number} | score.model_dump()
        for number, hit in zip(numbers, record.hits, strict=True)
        for score in hit.scores
    }
    return {key: one for key, one in given.items() if key not in there or one["created"] > there[key]["created"]}


def _search(record: SearchRecord) -> Search:
    vector = _vector(record.vector)
    return Search(record.id, record.collection, record.model, record.query, vector, record.where, record.lexical)


def _vector(raw: bytes) -> Vector:
    return np.frombuffer(raw, dtype="<f4")
