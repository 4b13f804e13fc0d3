"""A damaged write-ahead log is told: what SQLite does not read of it is never missed in silence."""

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random

import anyio
import numpy as np
import pytest

from warmer.errors import StorageError
from warmer.index import Hit
from warmer.journal import AGENT, Search, new_search_id
from warmer.journal.sqlite.database import Database
from warmer.journal.sqlite.searches import SqliteJournal

FLIPS = 60


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    """A journal as it is when its process was killed, with searches that are in its log alone."""
    with closing(Database(tmp_path / "live" / "j")) as database:
        for _ in range(6):
            anyio.run(add, SqliteJournal(database, 60))
        shutil.copytree(tmp_path / "live", tmp_path / "killed", ignore=shutil.ignore_patterns("*-shm"))
    return tmp_path / "killed" / "j"


async def add(journal: SqliteJournal) -> None:
    search = Search(new_search_id(), "notes", "model", "why", np.arange(4, dtype=np.float32), {}, True)
    await journal.begin(search, [Hit("p", 0.5, {"title": "t", "source": "s"}, np.ones(400, np.float32))])
    await journal.score(search.id, {1: 9}, AGENT, "r")


def read(path: Path) -> tuple[int, int]:
    with closing(Database(path)) as database:
        database.verify()
        return anyio.run(SqliteJournal(database, 60).counts)


def test_a_bit_that_flips_in_the_log_is_told(killed: Path, tmp_path: Path) -> None:
    log = Path(f"{killed}-wal")
    content, right = log.read_bytes(), read(shutil.copytree(killed.parent, tmp_path / "whole") / "j")
    told, random = 0, Random(7)
    for number in range(FLIPS):
        damaged = bytearray(content)
        damaged[number if number < 32 else random.randrange(len(damaged))] ^= 1 << random.randrange(8)
        log.write_bytes(damaged)
        place = shutil.copytree(killed.parent, tmp_path / str(number)) / "j"
        try:
            assert read(place) == right, number
        except StorageError as error:
            assert "damaged" in str(error), number
            told += 1
    assert told > FLIPS * 0.8, "the log is read to its end, so that nearly every bit matters"


def test_a_server_that_opens_a_damaged_log_says_so(killed: Path, caplog: pytest.LogCaptureFixture) -> None:
    log = Path(f"{killed}-wal")
    content = bytearray(log.read_bytes())
    content[len(content) // 2] ^= 1
    log.write_bytes(content)
    with closing(Database(killed)) as database:
        anyio.run(add, SqliteJournal(database, 60))
        with pytest.raises(StorageError, match="pages of it cannot be read"):
            database.verify()
    assert "has lost what was written last: its write-ahead log is damaged" in caplog.text


@pytest.fixture
def others(tmp_path: Path) -> Iterator[SqliteJournal]:
    with closing(Database(tmp_path / "shared")) as database:
        yield SqliteJournal(database, 60)


@pytest.mark.anyio
async def test_a_log_that_others_write_and_begin_anew_is_sound(
    others: SqliteJournal, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(12):
        await add(others)
        with closing(Database(tmp_path / "shared")) as database:
            database.verify()
            if number % 3 == 0:
                with database.transaction("DEFERRED") as connection:
                    connection.execute("SELECT count(*) FROM searches")
                database._connection.execute("PRAGMA wal_checkpoint(RESTART)")
            with pytest.raises(ZeroDivisionError), database.transaction() as connection:
                connection.execute("DELETE FROM scores")
                1 / 0  # noqa: B018  rolled back: what it wrote is no part of the log
    assert "write-ahead log" not in caplog.text
