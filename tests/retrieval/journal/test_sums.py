"""A bit that a disk got wrong is noticed, whatever it is a bit of."""

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from random import Random
from time import time

import numpy as np
import pytest

from warmer.errors import SearchError, StorageError
from warmer.index import Coefficients, Hit
from warmer.journal import Search, new_search_id
from warmer.journal.parameters import Key, Trained
from warmer.journal.sqlite.database import Database
from warmer.journal.sqlite.jobs import SqliteJobs
from warmer.journal.sqlite.parameters import SqliteParameters
from warmer.journal.sqlite.searches import SqliteJournal
from warmer.journal.transfer.sqlite import export_from_sqlite, import_into_sqlite
from warmer.steering.params import Params
from warmer.steering.wording import Wording
from warmer.vectors import Vector

pytestmark = pytest.mark.anyio
TRAINED = Trained(Key("notes", "model", "agent", "r"), Params(), Coefficients(1, 0, 0), 9, {}, "2026-01-01T00:00:00Z")


def vector(*values: float) -> Vector:
    return np.array(values, np.float32)


def make_hits(count: int = 3) -> list[Hit]:
    return [Hit(f"p{n}", 0.5, {"title": "t", "source": "s"}, vector(n, 1, 2)) for n in range(count)]


async def fill(database: Database, lifetime: float = 60) -> tuple[list[str], str]:
    journal, jobs = SqliteJournal(database, lifetime), SqliteJobs(database)
    ids = []
    for query in ("why", "how", "when"):
        more = (Wording("rewording", f"{query} so", vector(1, 2, 3)),)
        search = Search(new_search_id(), "notes", "model", query, vector(3, 2, 1), {}, True, more=more)
        await journal.begin(search, make_hits())
        await journal.score(search.id, {1: 9, 2: 0}, "agent", "r")
        await journal.score(search.id, {2: 1}, "agent", "r")
        await journal.reword(search.id, [Wording("query", "again", vector(1, 1, 1), 1)], {"must": []})
        await journal.show(search.id, make_hits(5))
        ids.append(search.id)
    job = await jobs.create("notes", "agent", 5, ["why", "how"], "running")
    await jobs.ran(job.id, 0, ids[0])
    await jobs.ran(job.id, 0, ids[1])
    await jobs.settle(job.id, "applied", {"queries": 2})
    await SqliteParameters(database).add(TRAINED)
    return ids, job.id


async def read(database: Database, ids: list[str], job: str) -> dict[str, str]:
    """Give what is read in words, or that it is refused."""
    journal, found = SqliteJournal(database, 60), {}
    for id_ in ids:
        try:
            found[id_] = str(await journal.find(id_))
        except (SearchError, StorageError) as error:
            assert "damaged" in str(error), error
    try:
        found["job"] = str(await SqliteJobs(database).find(job))
    except (SearchError, StorageError) as error:
        assert "damaged" in str(error) or "is unknown" in str(error), error
    found |= {str(one.key): str(one) for one in await SqliteParameters(database).all()}
    for search in await journal.scored("notes", "model", "agent", "r"):
        found[f"scored {search.id}"] = str(search)
    return found


async def test_every_write_keeps_the_sums(tmp_path: Path) -> None:
    with closing(Database(tmp_path / "j")) as database, closing(Database(tmp_path / "k")) as other:
        ids, job = await fill(database)
        database.verify()
        assert len(await read(database, ids, job)) == 8
        export_from_sqlite(database, tmp_path / "out")
        for _ in range(2):
            await import_into_sqlite(other, tmp_path / "out")
            other.verify()
        await SqliteJournal(other, 60).score(ids[0], {1: 2}, "agent", "r")
        await import_into_sqlite(database, tmp_path / "out")
        database.verify()
        assert await SqliteJournal(other, -1).prune(time() + 9) == 3
        other.verify()


@pytest.mark.parametrize("seed", range(3))
async def test_no_bit_is_read_as_right(tmp_path: Path, seed: int) -> None:
    path, random = tmp_path / "j", Random(seed)
    with closing(Database(path)) as database:
        ids, job = await fill(database)
        right = await read(database, ids, job)
    whole, noticed = path.read_bytes(), 0
    places = [place for place, byte in enumerate(whole) if byte]
    for place in random.sample(places, 60):
        content = bytearray(whole)
        content[place] ^= 1 << random.randrange(8)
        path.write_bytes(content)
        found, named = {}, False
        try:
            with closing(Database(path)) as database:
                try:
                    database.verify()
                except StorageError:
                    named = True
                found = await read(database, ids, job)
        except StorageError:
            named = True
        noticed += named
        wrong = {key: value for key, value in found.items() if right.get(key) != value}
        assert not wrong, (place, [(right.get(key), value) for key, value in wrong.items()])
        assert named or found == right, place
    assert noticed > 30
    path.write_bytes(whole)


async def test_a_name_that_is_no_text_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "j"
    with closing(Database(path)) as database:
        await fill(database)
    path.write_bytes(path.read_bytes().replace(b"REFERENCES searches", b"REFERENCES s\xe5arches"))
    with pytest.raises(StorageError, match="is damaged"), closing(Database(path)) as database:
        database.verify()


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE searches SET query = 'what' WHERE query = 'why'",
        "UPDATE searches SET expires = 1 WHERE query = 'why'",
        "UPDATE scores SET judge = 'agenu' WHERE hit = 2 AND search = (SELECT id FROM searches WHERE query = 'why')",
        "DELETE FROM wordings WHERE turn = 1 AND search = (SELECT id FROM searches WHERE query = 'why')",
        "DELETE FROM hits WHERE hit = 5 AND search = (SELECT id FROM searches WHERE query = 'why')",
        "UPDATE hits SET point = 'q' WHERE hit = 4 AND search = (SELECT id FROM searches WHERE query = 'why')",
    ],
)
async def test_a_changed_or_lost_row_is_left_out_and_stays_so(tmp_path: Path, change: str) -> None:
    path = tmp_path / "j"
    with closing(Database(path)) as database:
        (first, *others), _ = await fill(database)
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute(change)
        journal = SqliteJournal(database, 60)
        await journal.score(first, {1: 5}, "agent", "r")  # what is written afterwards mends nothing
        with pytest.raises(SearchError, match="is damaged"):
            await journal.find(first)
        assert [one.id for one in await journal.scored("notes", "model", "agent", "r")] == others
        assert "what" not in await journal.queries("notes")
        assert await journal.known("notes", "why", "agent", "r") == {}
        assert export_from_sqlite(database, tmp_path / "out").searches == 2
        assert await journal.prune() == 0
        with pytest.raises(StorageError, match=f"1 of what it holds .*searches {first[:8]}"):
            database.verify()


async def test_damaged_parameters_and_jobs_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "j"
    with closing(Database(path)) as database:
        _, job = await fill(database)
        older = replace(TRAINED, params=Params(c=0.5))
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("UPDATE parameters SET params = ?", (json.dumps({**json.loads(_params(path)), "c": 7}),))
            connection.execute("UPDATE job_searches SET position = 1")
        assert await SqliteParameters(database).all() == []
        with pytest.raises(SearchError, match="is damaged: call train_params"):
            await SqliteJobs(database).find(job)
        await SqliteParameters(database).add(older)
        assert await SqliteParameters(database).all() == [older]


def _params(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        return str(connection.execute("SELECT params FROM parameters").fetchone()[0])


async def test_rows_of_an_earlier_version_get_their_sum_once_they_are_over(tmp_path: Path) -> None:
    path = tmp_path / "j"
    with closing(Database(path)) as database:
        over, job = await fill(database, -1)
        running, _ = await fill(database)
    with closing(sqlite3.connect(path)) as connection, connection:
        for table in ("search_sums", "job_sums", "parameter_sums"):
            connection.execute(f"DROP TABLE {table}")
        connection.execute("PRAGMA user_version = 4")
    with closing(Database(path)) as database:
        journal = SqliteJournal(database, 60)
        database.verify()
        assert await journal.prune() == 0
        database.verify()
        for table, values in (("jobs", ["result", '{"a":1}']), ("searches", ["query", "what"])):
            column, value = values
            with closing(sqlite3.connect(path)) as connection, connection:
                connection.execute(f"UPDATE {table} SET {column} = ?", (value,))
        with pytest.raises(SearchError, match="is damaged"):
            await journal.find(over[0])
        with pytest.raises(SearchError, match="is damaged"):
            await SqliteJobs(database).find(job)
        assert (await journal.find(running[0])).query == "what"  # an earlier version may still write it
