"""Searches, hits and scores in SQLite."""

import json
import logging
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from sqlite3 import Connection
from typing import Any

import numpy as np

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
from warmer.journal.sqlite.database import Database
from warmer.journal.sqlite.sums import BY_NUMBER, is_missing, is_whole, seal
from warmer.journal.tenancy import owner_namespace
from warmer.steering.scores import SCALE
from warmer.steering.wording import Wording
from warmer.vectors import Vector

_log = logging.getLogger(__name__)
_DAMAGE = ValueError, TypeError, RecursionError
_SEARCH = "id, collection, model, query, vector, filter, lexical"
_EXPIRED = "expires < ? AND id NOT IN (SELECT search FROM scores) AND id NOT IN (SELECT search FROM job_searches)"
_OLD = "created < ? AND id NOT IN (SELECT search FROM job_searches JOIN jobs ON id = job WHERE status NOT IN (?, ?, ?))"
_BEST_SCORED = """
SELECT id FROM searches WHERE id IN (
    SELECT id FROM (
        SELECT id, created, row_number() OVER (PARTITION BY query ORDER BY count DESC, created DESC) AS place
        FROM searches JOIN
        (SELECT search, count(*) AS count FROM scores WHERE judge = ? AND rubric = ? GROUP BY search
         HAVING count >= ?) ON search = id
        WHERE collection = ? AND model = ?
    ) WHERE place <= ? ORDER BY created DESC LIMIT ?
) ORDER BY created
"""

_SCORED_AFTER = """
WITH latest AS (
  SELECT q.id, q.vector, s.created FROM scores s JOIN searches q ON q.id = s.search
  WHERE s.created > :after AND s.judge = :judge AND s.rubric = :rubric
  AND q.collection = :collection AND q.model = :model ORDER BY s.created LIMIT :page
), read AS (SELECT id, vector, max(created) AS at, count(*) AS found FROM latest GROUP BY id)
SELECT CAST(r.id AS BLOB), r.at, r.vector, json_group_object(hex(h.point), s.score), sum(DISTINCT r.found) FROM read r
JOIN scores s ON s.search = r.id AND s.judge = :judge AND s.rubric = :rubric
JOIN hits h ON h.search = s.search AND h.hit = s.hit GROUP BY r.id ORDER BY r.at
"""
_PAGE = 2048  # scores


class SqliteJournal:
    """A journal in SQLite.

    A search can be scored for `lifetime` seconds. Scored searches outlive that; `prune` deletes the others.
    """

    def __init__(self, database: Database, lifetime: float) -> None:
        self._database = database
        self._lifetime = lifetime

    async def begin(self, search: Search, hits: Sequence[Hit]) -> list[int]:
        """Store a new search with its first hits."""
        now = time()
        with self._database.transaction() as db:
            db.execute(
                "INSERT INTO searches VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    search.id,
                    search.collection,
                    search.model,
                    search.query,
                    search.vector.tobytes(),
                    json.dumps(search.where),
                    search.lexical,
                    now,
                    exact(now + self._lifetime),
                ),
            )
            _say(db, search.id, search.more)
            return _insert_hits(db, search.id, hits)

    async def reword(self, search_id: str, more: Sequence[Wording], where: Mapping[str, Any] | None = None) -> None:
        """Keep what a further turn says, and its filter, if it has one."""
        with self._database.transaction() as db:
            _say(db, search_id, more)
            if where:
                db.execute("UPDATE searches SET filter = ? WHERE id = ?", (json.dumps(where), search_id))

    async def show(self, search_id: str, hits: Sequence[Hit]) -> list[int]:
        """Store the hits of a further round."""
        with self._database.transaction() as db:
            return _insert_hits(db, search_id, hits)

    async def find(self, search_id: str, judge: str = AGENT) -> Search:
        """Load a search with a judge's scores."""
        with self._database.transaction("DEFERRED") as db:
            found = db.execute("SELECT expires FROM searches WHERE id = ?", (search_id,)).fetchone()
            if found is None:
                raise invalid_handle(search_id, "damaged" if is_missing(db, search_id) else "unknown")
            try:
                search = _recall(db, search_id, judge)
            except _DAMAGE as error:
                raise invalid_handle(search_id, "damaged") from error
            if found[0] < time():
                raise invalid_handle(search_id, "expired")
            return search

    async def scored(self, collection: str, model: str, judge: str, rubric: str, fewest: int = 1) -> list[Search]:
        """Load the searches that a judge scored, some of each query."""
        with self._database.transaction("DEFERRED") as db:
            most = MAX_OF_A_QUERY, MAX_TRAINING_SEARCHES
            rows = db.execute(_BEST_SCORED, (judge, rubric, fewest, collection, model, *most)).fetchall()
            return [search for (id_,) in rows if (search := _recalled_if_whole(db, id_, judge))]

    async def scored_after(
        self, collection: str, model: str, judge: str, rubric: str, after: float
    ) -> tuple[list[Scored], float]:
        """Give searches that a judge scored after a time, and until when it was read."""
        asked = {"collection": collection, "model": model, "judge": judge, "rubric": rubric, "after": after}
        with self._database.transaction("DEFERRED") as db:
            rows = db.execute(_SCORED_AFTER, {**asked, "page": _PAGE}).fetchall()
            (newest,) = db.execute("SELECT max(created) FROM scores").fetchone()
        read = [one for row in rows if (one := _in_brief(*row[:4]))]
        whole = sum(found for *_, found in rows) >= _PAGE  # otherwise nothing later is of this collection
        return read, rows[-1][1] if whole else max(newest or 0.0, after)

    async def recall(self, search_id: str, judge: str) -> Search | None:
        """Load a search with a judge's scores, whether or not it has expired."""
        with self._database.transaction("DEFERRED") as db:
            if not db.execute("SELECT 1 FROM searches WHERE id = ?", (search_id,)).fetchone():
                return None
            return _recalled_if_whole(db, search_id, judge)

    async def known(self, collection: str, query: str, judge: str, rubric: str) -> dict[str, float]:
        """Load every score that a judge gave for a query."""
        with self._database.transaction("DEFERRED") as db:
            rows = db.execute(
                "SELECT q.id, h.point, s.score FROM searches q JOIN hits h ON h.search = q.id JOIN scores s"
                " ON s.search = h.search AND s.hit = h.hit WHERE q.collection = ? AND q.query = ? AND s.judge = ?"
                " AND s.rubric = ? ORDER BY s.created",
                (collection, query, judge, rubric),
            ).fetchall()
            whole = {id_ for id_ in {id_ for id_, *_ in rows} if is_whole(db, "searches", id_)}
            return {point: score for id_, point, score in rows if id_ in whole}

    async def queries(self, collection: str) -> list[str]:
        """List the distinct queries of a collection."""
        with self._database.transaction("DEFERRED") as db:
            rows = db.execute(
                "SELECT id, CAST(query AS BLOB) FROM searches WHERE collection = ? ORDER BY created", (collection,)
            )
            return list(
                dict.fromkeys(query.decode() for id_, query in rows.fetchall() if is_whole(db, "searches", id_))
            )

    async def score(self, search_id: str, scores: Mapping[int, float], judge: str, rubric: str) -> None:
        """Store scores."""
        now = time()
        rows = [(search_id, hit, judge, rubric, value, now) for hit, value in scores.items()]
        with self._database.transaction() as db:
            db.executemany("INSERT OR REPLACE INTO scores VALUES (?, ?, ?, ?, ?, ?)", rows)

    async def prune(self, before: float | None = None) -> int:
        """Delete expired searches without scores, or all searches made before a time."""
        await seal(self._database)
        condition, values = (_EXPIRED, (time(),)) if before is None else (_OLD, (before, *ENDED))
        with self._database.transaction("DEFERRED") as db:
            ids = [id_ for (id_,) in db.execute(f"SELECT id FROM searches WHERE {condition}", values)]  # noqa: S608
        deleted = 0
        delete = f"DELETE FROM searches WHERE id = ? AND {condition}"  # noqa: S608
        async with aclosing(self._database.batches(ids)) as steps:
            async for db, id_ in steps:
                if is_whole(db, "searches", id_):  # a bit may be wrong in what says that it is over
                    deleted += db.execute(delete, (id_, *values)).rowcount
        if before is not None:
            with self._database.transaction() as db:
                db.execute("DELETE FROM jobs WHERE created < ? AND status IN (?, ?, ?)", (before, *ENDED))
        await self._database.shrink()
        return deleted

    async def forget(self, owner: str) -> int:
        """Delete the searches of an owner, their scores, and the owner's trainings."""
        with self._database.transaction() as db:
            db.execute("DELETE FROM jobs WHERE collection LIKE '%' || ? || '%'", (owner_namespace(owner).suffix,))
            ids = [id_ for (id_,) in db.execute("SELECT id FROM searches") if is_owned_by(id_, owner)]
        async with aclosing(self._database.batches(ids)) as steps:
            async for db, id_ in steps:
                db.execute("DELETE FROM searches WHERE id = ?", (id_,))
        await self._database.shrink()
        return len(ids)

    async def counts(self) -> tuple[int, int]:
        """Count the searches and the scores."""
        with self._database.transaction("DEFERRED") as db:
            searches, scores = (db.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in ("searches", "scores"))  # noqa: S608
        return searches, scores


def _recalled_if_whole(db: Connection, search_id: str, judge: str) -> Search | None:
    try:
        return _recall(db, search_id, judge)
    except _DAMAGE as error:
        _log.warning("search %s is damaged and left out: %s", search_id[:8], error)
        return None


def _recall(db: Connection, search_id: str, judge: str) -> Search:
    """Load a search; raises ValueError or TypeError where a row does not hold what was written."""
    if not is_whole(db, "searches", search_id):
        raise ValueError("its checksum does not fit")
    row = db.execute(f"SELECT {_SEARCH} FROM searches WHERE id = ?", (search_id,)).fetchone()  # noqa: S608
    id_, collection, model, query, vector, where, lexical = row
    shown = db.execute(
        f"SELECT h.hit, h.point, h.vector, h.title, h.source, s.score FROM hits h {BY_NUMBER} LEFT JOIN scores s"  # noqa: S608
        " ON s.search = h.search AND s.hit = h.hit AND s.judge = ? WHERE h.search = ? ORDER BY h.hit",
        (judge, id_),
    )
    hits = {hit: Shown(hit, point, _decode_vector(raw), *rest) for hit, point, raw, *rest in shown}
    said = db.execute("SELECT kind, text, vector, turn FROM wordings WHERE search = ? ORDER BY position", (id_,))
    more = tuple(
        Wording(kind, text, recalled(text, _decode_vector(raw), model), turn) for kind, text, raw, turn in said
    )
    found = Search(id_, collection, model, query, _decode_vector(vector), json.loads(where), bool(lexical), hits, more)
    _check(found)
    return found


def _check(found: Search) -> None:
    vectors = [found.vector, *(hit.vector for hit in found.shown.values())]
    if len({vector.size for vector in vectors} - {0}) > 1 or not all(np.isfinite(vector).all() for vector in vectors):
        raise ValueError("its vectors are not what was written")
    if any(hit.score is not None and not 0 <= hit.score <= SCALE for hit in found.shown.values()):
        raise ValueError("a score is not what was written")


def _say(db: Connection, search_id: str, more: Sequence[Wording]) -> None:
    (spoken,) = db.execute("SELECT count(*) FROM wordings WHERE search = ?", (search_id,)).fetchone()
    rows = [
        (search_id, position, one.kind, one.text, kept_vector(one.vector).tobytes(), one.turn)
        for position, one in enumerate(more, start=spoken)
    ]
    db.executemany("INSERT INTO wordings VALUES (?, ?, ?, ?, ?, ?)", rows)


def _insert_hits(db: Connection, search_id: str, hits: Sequence[Hit]) -> list[int]:
    points = db.execute("SELECT point, hit FROM hits WHERE search = ?", (search_id,))
    numbers: dict[str, int] = dict(points.fetchall())
    new = [hit for hit in hits if hit.id not in numbers]
    for number, hit in enumerate(new, start=len(numbers) + 1):
        numbers[hit.id] = number
        title, source = str(hit.payload.get("title") or ""), str(hit.payload.get("source") or "")
        row = (search_id, number, hit.id, hit.score, hit.vector.tobytes(), title, source)
        db.execute("INSERT INTO hits VALUES (?, ?, ?, ?, ?, ?, ?)", row)
    return [numbers[hit.id] for hit in hits]


def _in_brief(id_: bytes, at: float, vector: bytes, scores: str) -> Scored | None:
    """Read a row; None where the engine embedded the query, or where the row is damaged."""
    try:
        points = {bytes.fromhex(point).decode(): float(score) for point, score in json.loads(scores).items()}
        return Scored(id_.decode(), at, _decode_vector(vector), points) if vector else None
    except _DAMAGE:
        return None


def _decode_vector(raw: bytes) -> Vector:
    return np.frombuffer(raw, dtype=np.float32)
