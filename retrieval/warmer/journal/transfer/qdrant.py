"""Export and import of a journal in Qdrant."""

import json
from base64 import b64decode
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from warmer.index import Hit
from warmer.journal import Search, recalled
from warmer.journal.qdrant.parameters import QdrantParameters
from warmer.journal.qdrant.searches import (
    QdrantJournal,
    all_search_document_ids,
    make_document,
    mark_kept,
    search_document_id,
)
from warmer.journal.qdrant.store import Document, Store, change, put
from warmer.journal.transfer.file import conflicting_search, create_file, read_file
from warmer.journal.transfer.records import (
    Counts,
    HitRecord,
    ParametersRecord,
    Record,
    ScoreRecord,
    SearchRecord,
    WordingRecord,
)
from warmer.steering.wording import Wording
from warmer.vectors import Vector

_PAGE = 20  # searches of about 100 kB each


async def export_from_qdrant(store: Store, path: Path) -> Counts:
    """Write all searches, scores and parameters, without training jobs and searches made meanwhile.

    Raises:
        StorageError: The file exists already or cannot be written.
        EngineError: The server fails.
    """
    counts = Counts()
    with create_file(path) as add:
        async for record in _records(store):
            add(record)
            counts.add(record)
    return counts


async def import_into_qdrant(store: Store, path: Path) -> Counts:
    """Import a file and count what was added.

    The whole file is checked before anything is written. There are no transactions, but an interrupted import can be
    repeated to add the rest. Scores and parameters in the journal are replaced only by later ones.

    Raises:
        StorageError: The file is damaged or conflicts with the journal; nothing was imported.
        EngineError: The server failed; repeating the import adds the rest.
    """
    for number, record in read_file(path):
        if isinstance(record, SearchRecord) and not _is_same_search(record, await _find_document(store, record.id)):
            raise conflicting_search(path, number)
    counts, parameters = Counts(), QdrantParameters(store)
    newest = {trained.key: trained.created for trained in await parameters.all()}
    for _, record in read_file(path):
        if isinstance(record, SearchRecord):
            await _add_search(store, record, counts)
        elif (trained := record.to_trained()) and trained.created > newest.get(trained.key, ""):
            await parameters.add(trained)
            newest[trained.key] = trained.created
            counts.parameters += 1
    return counts


async def _records(store: Store) -> AsyncIterator[Record]:
    ids = await all_search_document_ids(store)
    for start in range(0, len(ids), _PAGE):
        page = ids[start : start + _PAGE]
        documents = await store.get(page)
        for id_ in page:
            if id_ in documents:
                yield _to_record(documents[id_])
    for trained in await QdrantParameters(store).all():
        yield ParametersRecord(trained=trained.to_json())


def _to_record(document: Document) -> SearchRecord:
    scores: dict[int, list[ScoreRecord]] = {}
    for given in sorted(document["scores"].values(), key=lambda given: (given["hit"], given["judge"])):
        exported = {name: given[name] for name in ("judge", "rubric", "score", "created")}
        scores.setdefault(given["hit"], []).append(ScoreRecord(**exported))
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
    said = [one for _, one in sorted(document.get("wordings", {}).items())]
    return SearchRecord(
        **same,
        vector=b64decode(document["vector"]),
        where=json.loads(document["where"]),
        hits=hits,
        wordings=[
            WordingRecord(wording=one["kind"], text=one["text"], vector=b64decode(one["vector"]), turn=one["turn"])
            for one in said
        ],
    )


async def _find_document(store: Store, search_id: str) -> Document | None:
    id_ = search_document_id(search_id)
    return (await store.get([id_])).get(id_)


def _is_same_search(record: SearchRecord, stored: Document | None) -> bool:
    """Tell whether the stored document, if any, is the search of a record."""
    if stored is None:
        return True
    known = stored["collection"], stored["model"], stored["query"], b64decode(stored["vector"])
    return known == (record.collection, record.model, record.query, record.vector)


async def _add_search(store: Store, record: SearchRecord, counts: Counts) -> None:
    hits = [_to_hit(hit) for hit in record.hits]
    stored = await _find_document(store, record.id)
    if stored is None:
        numbers = list(range(1, len(hits) + 1))
        document = make_document(_to_search(record), hits, record.created, record.expires)
        given = _newer_scores(record, numbers, {})
        whole = document | {"scores": given, "kept": bool(given)} | _scored(given)
        # No retry: a delayed first attempt could arrive after it and wipe out scores given meanwhile.
        await store.write(put(search_document_id(record.id), whole), retry=False)
        counts.searches += 1
        counts.hits += len(hits)
    else:
        numbers = await QdrantJournal(store, 0).show(record.id, hits)
        if more := _to_search(record).more[len(stored.get("wordings", {})) :]:
            await QdrantJournal(store, 0).reword(record.id, more)
        given = _newer_scores(record, numbers, stored["scores"])
        if given:
            id_ = search_document_id(record.id)
            changes = change(id_, given, at="scores"), change(id_, _scored(stored["scores"] | given))
            await store.write(mark_kept(record.id), *changes)
        counts.hits += len({hit.point for hit in record.hits} - {entry["id"] for entry in stored["shown"]})
    counts.scores += len(given)


def _scored(scores: Mapping[str, Any]) -> dict[str, float]:
    """Say when a search was scored last, if it was."""
    return {"scored": max(score["created"] for score in scores.values())} if scores else {}


def _newer_scores(record: SearchRecord, numbers: list[int], stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return the scores of a record that are newer than the stored ones, as entries of a document."""
    given = {
        f"{number} {score.judge}": {"hit": number} | score.model_dump()
        for number, hit in zip(numbers, record.hits, strict=True)
        for score in hit.scores
    }
    return {key: new for key, new in given.items() if key not in stored or new["created"] > stored[key]["created"]}


def _to_search(record: SearchRecord) -> Search:
    vector = _decode_vector(record.vector)
    return Search(
        record.id,
        record.collection,
        record.model,
        record.query,
        vector,
        record.where,
        record.lexical,
        more=tuple(
            Wording(one.wording, one.text, recalled(one.text, _decode_vector(one.vector), record.model), one.turn)
            for one in record.wordings
        ),
    )


def _to_hit(record: HitRecord) -> Hit:
    return Hit(record.point, 0.0, {"title": record.title, "source": record.source}, _decode_vector(record.vector))


def _decode_vector(raw: bytes) -> Vector:
    return np.frombuffer(raw, dtype="<f4")
