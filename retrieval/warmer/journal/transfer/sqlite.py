"""Export and import of a journal in SQLite."""

import json
import logging
from collections.abc import Iterator
from contextlib import aclosing, closing
from pathlib import Path
from sqlite3 import Connection
from typing import Any

from warmer.journal.parameters import Trained
from warmer.journal.sqlite.database import Database
from warmer.journal.sqlite.parameters import insert, newest
from warmer.journal.sqlite.sums import is_whole
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

_log = logging.getLogger(__name__)


def export_from_sqlite(database: Database, path: Path) -> Counts:
    """Write a consistent snapshot of all searches, scores and parameters, without training jobs.

    Raises:
        StorageError: The file exists already or cannot be written, or the journal cannot be read.
    """
    counts = Counts()
    with database.transaction("DEFERRED") as db, create_file(path) as add:
        for record in _records(db):
            add(record)
            counts.add(record)
    return counts


async def import_into_sqlite(database: Database, path: Path) -> Counts:
    """Import a file that is whole and fits, and count what was added; others may write meanwhile.

    Scores and parameters in the journal are replaced only by later ones. What is imported again changes nothing, so
    that an import which a full disk ended can be made again.

    Raises:
        StorageError: The file is damaged or conflicts with the journal; nothing was imported.
    """
    with database.transaction("DEFERRED") as db:
        for number, record in read_file(path):
            if isinstance(record, SearchRecord) and _conflicts(db, record):
                raise conflicting_search(path, number)
    counts = Counts()
    async with aclosing(database.batches(read_file(path))) as steps:
        async for db, (number, record) in steps:
            if isinstance(record, ParametersRecord):
                counts.parameters += _add_parameters(db, record.to_trained())
            elif _conflicts(db, record):
                raise conflicting_search(path, number)
            else:
                _add_search(db, record, counts)
    return counts


def _records(db: Connection) -> Iterator[Record]:
    columns = "id, collection, model, query, vector, filter, lexical, created, expires"
    with closing(db.execute("SELECT id FROM searches ORDER BY created, id")) as rows:
        for (id_,) in rows:
            if not is_whole(db, "searches", id_):
                _log.warning("search %s is damaged and left out", id_[:8])
                continue
            row = db.execute(f"SELECT {columns} FROM searches WHERE id = ?", (id_,)).fetchone()  # noqa: S608
            _, collection, model, query, vector, where, lexical, created, expires = row
            yield SearchRecord(
                id=id_,
                collection=collection,
                model=model,
                query=query,
                vector=vector,
                where=json.loads(where),
                lexical=bool(lexical),
                created=created,
                expires=expires,
                hits=_hits(db, id_),
                wordings=_wordings(db, id_),
            )
    for trained in newest(db).values():
        yield ParametersRecord(trained=trained.to_json())


def _hits(db: Connection, search: str) -> list[HitRecord]:
    scores: dict[int, list[ScoreRecord]] = {}
    given = "SELECT hit, judge, rubric, score, created FROM scores WHERE search = ? ORDER BY hit, judge"
    for hit, judge, rubric, score, created in db.execute(given, (search,)):
        scores.setdefault(hit, []).append(ScoreRecord(judge=judge, rubric=rubric, score=score, created=created))
    shown = "SELECT hit, point, engine_score, vector, title, source FROM hits WHERE search = ? ORDER BY hit"
    return [
        HitRecord(
            point=point, engine_score=score, vector=vector, title=title, source=source, scores=scores.get(hit, [])
        )
        for hit, point, score, vector, title, source in db.execute(shown, (search,))
    ]


def _wordings(db: Connection, search: str) -> list[WordingRecord]:
    rows = db.execute("SELECT kind, text, vector, turn FROM wordings WHERE search = ? ORDER BY position", (search,))
    return [WordingRecord(wording=kind, text=text, vector=vector, turn=turn) for kind, text, vector, turn in rows]


def _conflicts(db: Connection, record: SearchRecord) -> bool:
    """Tell whether another search has the id of a record."""
    known = db.execute("SELECT id, collection, model, query, vector FROM searches WHERE id = ?", (record.id,))
    return known.fetchone() not in {None, _identity(record)}


def _identity(record: SearchRecord) -> tuple[Any, ...]:
    return record.id, record.collection, record.model, record.query, record.vector


def _add_search(db: Connection, record: SearchRecord, counts: Counts) -> None:
    rest = json.dumps(record.where), record.lexical, record.created, record.expires
    row = (*_identity(record), *rest)
    counts.searches += db.execute("INSERT OR IGNORE INTO searches VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row).rowcount
    for position, one in enumerate(record.wordings):
        said = record.id, position, one.wording, one.text, one.vector, one.turn
        db.execute("INSERT OR IGNORE INTO wordings VALUES (?, ?, ?, ?, ?, ?)", said)
    numbers: dict[str, int] = dict(db.execute("SELECT point, hit FROM hits WHERE search = ?", (record.id,)).fetchall())
    for hit in record.hits:
        if hit.point not in numbers:
            number = numbers[hit.point] = len(numbers) + 1
            shown = record.id, number, hit.point, hit.engine_score, hit.vector, hit.title, hit.source
            counts.hits += db.execute("INSERT INTO hits VALUES (?, ?, ?, ?, ?, ?, ?)", shown).rowcount
        for score in hit.scores:
            counts.scores += _add_score(db, record.id, numbers[hit.point], score)


def _add_score(db: Connection, search: str, hit: int, score: ScoreRecord) -> int:
    return db.execute(
        "INSERT INTO scores VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (search, hit, judge) DO UPDATE SET"
        " rubric = excluded.rubric, score = excluded.score, created = excluded.created"
        " WHERE excluded.created > scores.created",
        (search, hit, score.judge, score.rubric, score.score, score.created),
    ).rowcount


def _add_parameters(db: Connection, trained: Trained | None) -> int:
    if trained is None:
        return 0
    stored = newest(db).get(trained.key)
    if stored and stored.created >= trained.created:
        return 0
    insert(db, trained)
    return 1
