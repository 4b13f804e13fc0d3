"""Checksums of what the journal keeps, so that a bit that a disk got wrong is noticed and never read as right.

A search has one sum for all its rows, and so has a job: it tells a row that was changed, and one that an index finds no
longer. Triggers of each connection keep it: what is written adds its checksum, what is replaced takes its own away, so
that damage stays damage whatever is written afterwards. Rows that an earlier version wrote are taken as they are, and
get their sum once nobody changes them any more.
"""

from collections.abc import Iterator
from contextlib import aclosing
from sqlite3 import Connection
from typing import TYPE_CHECKING
from zlib import crc32

from warmer.journal.clock import time
from warmer.journal.jobs import ENDED

if TYPE_CHECKING:
    from warmer.journal.sqlite.database import Database

_MASK = 0xFFFFFFFF
# A job's owner and heartbeat are left out: each heartbeat writes them anew.
_TEXTS = {
    "searches": "id collection model query filter",
    "hits": "search point title source",
    "wordings": "search kind text",
    "scores": "search judge rubric",
    "jobs": "id collection judge queries status result",
    "job_searches": "job search",
    "parameters": "collection model judge rubric created params plain figures",
}
_NUMBERS = {
    "searches": "vector lexical created expires",
    "hits": "hit engine_score vector",
    "wordings": "position vector turn",
    "scores": "hit score created",
    "jobs": "hits created",
    "job_searches": "position",
    "parameters": "queries",
}


def _checksum_of(table: str, row: str) -> str:
    texts = [f"{row}.{name}" for name in _TEXTS[table].split()]
    others = [f"{row}.{name}" for name in _NUMBERS[table].split()]
    types = "||".join(f"typeof({name})" for name in (*texts, *others))
    # As bytes, since a damaged text may be none in UTF-8.
    return f"checksum({types}, {', '.join([f'CAST({name} AS BLOB)' for name in texts] + others)})"


def _total(parts: dict[str, str], id_: str) -> str:
    selects = (
        f"(SELECT coalesce(sum({_checksum_of(table, table)}), 0) FROM {table} {_BY.get(table, '')} WHERE {key} = {id_})"  # noqa: S608
        for table, key in parts.items()
    )
    return f"(({' + '.join(selects)}) & {_MASK})"


BY_NUMBER = "INDEXED BY sqlite_autoindex_hits_1"  # what is read is checked on the way on which it is read
_BY = {"hits": BY_NUMBER}
_SEARCH = {"searches": "id", "hits": "search", "wordings": "search", "scores": "search"}
_JOB = {"jobs": "id", "job_searches": "job"}
_PARAMETERS = {"parameters": "rowid"}
_KINDS = {"searches": ("search_sums", "search", _SEARCH), "jobs": ("job_sums", "job", _JOB)}


def install(connection: Connection) -> None:
    """Keep the sums of all that this connection writes."""
    connection.create_function("checksum", -1, _checksum, deterministic=True)
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute("PRAGMA recursive_triggers = ON")  # so that what is replaced counts as deleted
    for whole, (sums, key, tables) in _KINDS.items():
        first = _checksum_of(whole, "NEW")
        _trigger(connection, f"INSERT ON {whole}", f"INSERT INTO {sums} VALUES (NEW.id, {first})")  # noqa: S608
        for table, id_ in tables.items():
            new, old = _checksum_of(table, "NEW"), _checksum_of(table, "OLD")
            changes = {"UPDATE": (f"+ {new} - {old}", "NEW"), "DELETE": (f"- {old}", "OLD")}
            if table != whole:
                changes["INSERT"] = f"+ {new}", "NEW"
            for event, (change, row) in changes.items():
                then = f"UPDATE {sums} SET sum = (sum {change}) & {_MASK} WHERE {key} = {row}.{id_}"  # noqa: S608
                _trigger(connection, f"{event} ON {table}", then)
    new = _checksum_of("parameters", "NEW")
    _trigger(connection, "INSERT ON parameters", f"INSERT INTO parameter_sums VALUES (NEW.rowid, {new})")  # noqa: S608


def is_whole(connection: Connection, kind: str, id_: str) -> bool:
    """Tell whether all rows of one of `searches` or `jobs` are as they were written, in a transaction."""
    sums, key, tables = _KINDS[kind]
    select = f"SELECT (SELECT sum FROM {sums} WHERE {key} = ?1), {_total(tables, '?1')}"  # noqa: S608
    kept, found = connection.execute(select, (id_,)).fetchone()
    return kept is None or kept == found


def is_missing(connection: Connection, search_id: str) -> bool:
    """Tell whether a search that is not found was kept and never deleted."""
    return connection.execute("SELECT 1 FROM search_sums WHERE search = ?", (search_id,)).fetchone() is not None


def damaged_parameters(connection: Connection) -> set[int]:
    """Give the numbers of the sets of parameters that are not as they were written."""
    found = connection.execute(
        "SELECT number FROM parameters JOIN parameter_sums ON number = parameters.rowid"  # noqa: S608
        f" WHERE sum <> {_checksum_of('parameters', 'parameters')}"
    )
    return {number for (number,) in found}


def damage(connection: Connection) -> Iterator[str]:
    """Name what is not as it was written: all of the journal is read."""
    for whole, (sums, key, tables) in _KINDS.items():
        select = f"SELECT substr({key}, 1, 8) FROM {sums} WHERE sum <> {_total(tables, f'{sums}.{key}')}"  # noqa: S608
        yield from (f"{whole} {id_}" for (id_,) in connection.execute(select))
    yield from (f"parameters {number}" for number in sorted(damaged_parameters(connection)))


async def seal(database: "Database") -> None:
    """Give their sum to rows of an earlier version, which may still run and change what is not over."""
    over = {
        "searches": ("expires < ?", (time(),)),
        "jobs": ("status IN (?, ?, ?)", ENDED),
    }
    for kind, (condition, values) in over.items():
        sums, key, tables = _KINDS[kind]
        without = f"{condition} AND id NOT IN (SELECT {key} FROM {sums})"  # noqa: S608
        with database.transaction("DEFERRED") as connection:
            ids = connection.execute(f"SELECT id FROM {kind} WHERE {without}", values).fetchall()  # noqa: S608
        fill = f"INSERT OR IGNORE INTO {sums} SELECT id, {_total(tables, '?1')} FROM {kind} WHERE id = ?1"  # noqa: S608
        async with aclosing(database.batches(ids)) as steps:
            async for connection, row in steps:
                connection.execute(fill, row)
    with database.transaction() as connection:
        connection.execute(
            f"INSERT OR IGNORE INTO parameter_sums SELECT rowid, {_checksum_of('parameters', 'parameters')}"  # noqa: S608
            " FROM parameters WHERE rowid NOT IN (SELECT number FROM parameter_sums)"
        )


def _trigger(connection: Connection, event: str, then: str) -> None:
    name = event.lower().replace(" ", "_")
    connection.execute(f"CREATE TEMP TRIGGER sum_{name} AFTER {event} BEGIN {then}; END")


def _checksum(*values: bytes | float | None) -> int:
    checksum = 0
    for value in values:
        part = value if isinstance(value, bytes) else repr(value).encode()
        checksum = crc32(part, crc32(b"%d " % len(part), checksum))
    return checksum
