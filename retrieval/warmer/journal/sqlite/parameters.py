"""Trained parameters in SQLite."""

import json
import logging
from dataclasses import asdict
from sqlite3 import Connection

from warmer.index import Coefficients
from warmer.journal.parameters import Key, Trained
from warmer.journal.sqlite.database import Database
from warmer.journal.sqlite.sums import damaged_parameters
from warmer.steering.params import Params, is_current

_log = logging.getLogger(__name__)


class SqliteParameters:
    """Parameters in the journal's SQLite file."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, trained: Trained) -> None:
        """Store a set."""
        with self._database.transaction() as connection:
            insert(connection, trained)

    async def all(self) -> list[Trained]:
        """List the newest set of each key."""
        with self._database.transaction("DEFERRED") as connection:
            return list(newest(connection).values())


def insert(connection: Connection, trained: Trained) -> None:
    """Store a set, within the caller's transaction."""
    key, documents = trained.key, [json.dumps(asdict(part)) for part in (trained.params, trained.plain)]
    row = (key.collection, key.model, key.judge, key.rubric, trained.created, *documents)
    connection.execute(
        "INSERT INTO parameters VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*row, trained.queries, json.dumps(dict(trained.figures))),
    )


def newest(connection: Connection) -> dict[Key, Trained]:
    """Give the newest set of each key, in a transaction; those damaged or of an earlier formula are passed over."""
    found: dict[Key, Trained] = {}
    damaged = damaged_parameters(connection)
    for number in damaged:
        _log.warning("parameters %s are damaged and left out: their checksum does not fit", number)
    for (number,) in connection.execute("SELECT rowid FROM parameters ORDER BY rowid").fetchall():
        if number in damaged:
            continue
        row = connection.execute("SELECT * FROM parameters WHERE rowid = ?", (number,)).fetchone()
        collection, model, judge, rubric, created, params, plain, queries, figures = row
        key = Key(collection, model, judge, rubric)
        try:
            if is_current(numbers := json.loads(params)):
                coefficients = Coefficients(**json.loads(plain))
                found[key] = Trained(key, Params(**numbers), coefficients, queries, json.loads(figures), created)
        except (AttributeError, TypeError, ValueError) as error:
            _log.warning("parameters %s of %r are damaged and left out: %s", number, collection, error)
    return found
