"""What was searched, shown and scored: the memory that makes feedback and training possible."""

import json
import secrets
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import time
from typing import Any, Protocol

import numpy as np

from warmer.errors import SearchError, StorageError
from warmer.index import Hit, Vector

SCHEMA = 1
_BUSY_SECONDS = 10.0
_TABLES = """
CREATE TABLE searches (
    id TEXT PRIMARY KEY, collection TEXT NOT NULL, model TEXT NOT NULL, query TEXT NOT NULL,
    vector BLOB NOT NULL, filter TEXT NOT NULL, lexical INTEGER NOT NULL,
    created REAL NOT NULL, expires REAL NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE hits (
    search TEXT NOT NULL REFERENCES searches (id) ON DELETE CASCADE, hit INTEGER NOT NULL,
    point TEXT NOT NULL, similarity REAL NOT NULL, vector BLOB NOT NULL, title TEXT NOT NULL,
    source TEXT NOT NULL, PRIMARY KEY (search, hit), UNIQUE (search, point)
) STRICT, WITHOUT ROWID;
CREATE TABLE scores (
    search TEXT NOT NULL, hit INTEGER NOT NULL, judge TEXT NOT NULL, rubric TEXT NOT NULL,
    score REAL NOT NULL, created REAL NOT NULL, PRIMARY KEY (search, hit, judge),
    FOREIGN KEY (search, hit) REFERENCES hits (search, hit) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Shown:
    """A hit that an agent was shown, and the score that it gave, if any.

    Attributes:
        hit: Its number within the search, from 1.
        id: The point id.
        vector: The dense vector, shape (dim,).
        title: Its title path.
        source: The document it is from.
        score: 0..10, or None.
    """

    hit: int
    id: str
    vector: Vector
    title: str
    source: str
    score: float | None = None


@dataclass(frozen=True, slots=True)
class Search:
    """A search and everything that was shown for it, over all rounds."""

    id: str
    collection: str
    model: str
    query: str
    vector: Vector
    where: Mapping[str, Any]
    lexical: bool
    shown: dict[int, Shown] = field(default_factory=dict)


class Journal(Protocol):
    """Searches, hits and scores, shared by all processes that use it."""

    async def begin(self, search: Search, hits: Sequence[Hit]) -> list[int]:
        """Keep a new search with its first hits; gives the hits' numbers."""
        ...

    async def show(self, search_id: str, hits: Sequence[Hit]) -> list[int]:
        """Keep hits of a further round; a point that was shown before keeps its number."""
        ...

    async def find(self, search_id: str) -> Search:
        """Recall a search. Raises SearchError where the handle is unknown or has expired."""
        ...

    async def score(self, search_id: str, scores: Mapping[int, float], judge: str, rubric: str) -> None:
        """Keep scores of 0..10; a hit scored again by the same judge takes the new score."""
        ...


def new_search_id() -> str:
    """Make a handle that nobody can guess: 128 random bits."""
    return "s_" + secrets.token_urlsafe(16)


class SqliteJournal:
    """A journal in one SQLite file in WAL mode: many processes at once, whole after a kill at any instant.

    Searches can be scored for `lifetime` seconds; what was scored is kept beyond that.

    Raises:
        StorageError: The file cannot be opened or written, is damaged, or is from a newer version.
    """

    def __init__(self, path: Path, lifetime: float) -> None:
        self._path = path
        self._lifetime = lifetime
        with self._explained():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._db.execute("PRAGMA foreign_keys = ON")
        with self._transaction():
            self._migrate()

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    async def begin(self, search: Search, hits: Sequence[Hit]) -> list[int]:
        """Keep a new search with its first hits."""
        now = time()
        with self._transaction() as db:
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
                    now + self._lifetime,
                ),
            )
            return self._number(search.id, hits)

    async def show(self, search_id: str, hits: Sequence[Hit]) -> list[int]:
        """Keep hits of a further round."""
        with self._transaction():
            return self._number(search_id, hits)

    async def find(self, search_id: str) -> Search:
        """Recall a search with all that was shown and scored."""
        with self._transaction("DEFERRED") as db:
            row = db.execute(
                "SELECT id, collection, model, query, vector, filter, lexical, expires FROM searches WHERE id = ?",
                (search_id,),
            ).fetchone()
            if row is None or row[7] < time():
                state = "unknown" if row is None else "expired"
                raise SearchError(
                    f"search_id {search_id[:60]!r} is {state}: call search again and score the hits that it gives"
                )
            shown = db.execute(
                "SELECT h.hit, h.point, h.vector, h.title, h.source, s.score FROM hits h LEFT JOIN scores s"
                " ON s.search = h.search AND s.hit = h.hit AND s.judge = 'agent' WHERE h.search = ? ORDER BY h.hit",
                (search_id,),
            ).fetchall()
        return Search(
            id=row[0],
            collection=row[1],
            model=row[2],
            query=row[3],
            vector=_vector(row[4]),
            where=json.loads(row[5]),
            lexical=bool(row[6]),
            shown={hit: Shown(hit, point, _vector(raw), *rest) for hit, point, raw, *rest in shown},
        )

    async def score(self, search_id: str, scores: Mapping[int, float], judge: str, rubric: str) -> None:
        """Keep scores."""
        now = time()
        rows = [(search_id, hit, judge, rubric, value, now) for hit, value in scores.items()]
        with self._transaction() as db:
            db.executemany("INSERT OR REPLACE INTO scores VALUES (?, ?, ?, ?, ?, ?)", rows)

    async def counts(self) -> tuple[int, int]:
        """Count searches and scores, for a status report."""
        with self._transaction("DEFERRED") as db:
            searches, scores = (db.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in ("searches", "scores"))  # noqa: S608
        return searches, scores

    def _number(self, search_id: str, hits: Sequence[Hit]) -> list[int]:
        points = self._db.execute("SELECT point, hit FROM hits WHERE search = ?", (search_id,))
        numbers: dict[str, int] = dict(points.fetchall())
        new = [hit for hit in hits if hit.id not in numbers]
        for number, hit in enumerate(new, start=len(numbers) + 1):
            numbers[hit.id] = number
            title, source = str(hit.payload.get("title", "")), str(hit.payload.get("source", ""))
            self._db.execute(
                "INSERT INTO hits VALUES (?, ?, ?, ?, ?, ?, ?)",
                (search_id, number, hit.id, hit.score, hit.vector.tobytes(), title, source),
            )
        return [numbers[hit.id] for hit in hits]

    def _migrate(self) -> None:
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version > SCHEMA:
            raise StorageError(
                f"the journal {self._path} is of version {version}, this program reads {SCHEMA}: upgrade warmer, "
                "or set WARMER_DATA_DIR to another folder"
            )
        if version == 0:
            for statement in _TABLES.split(";"):
                self._db.execute(statement)
            self._db.execute(f"PRAGMA user_version = {SCHEMA}")

    @contextmanager
    def _transaction(self, kind: str = "IMMEDIATE") -> Iterator[sqlite3.Connection]:
        with self._explained():
            self._db.execute(f"BEGIN {kind}")
            try:
                yield self._db
            except BaseException:
                self._db.rollback()
                raise
            self._db.commit()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise StorageError(
                f"the journal {self._path} cannot be used: {error}. It needs a folder that can be written and a "
                "disk with room; WARMER_DATA_DIR names another folder"
            ) from error


def _vector(raw: bytes) -> Vector:
    return np.frombuffer(raw, dtype=np.float32)
