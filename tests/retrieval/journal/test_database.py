"""Long changes of the SQLite file leave room for others."""

from contextlib import aclosing, closing
from pathlib import Path

import anyio
import anyio.lowlevel
import numpy as np
import pytest

from warmer.index import Hit
from warmer.journal import Search, new_search_id
from warmer.journal.sqlite import database as module
from warmer.journal.sqlite.database import Database
from warmer.journal.sqlite.searches import SqliteJournal

pytestmark = pytest.mark.anyio


def make_search() -> Search:
    return Search(new_search_id(), "notes", "model", "why?", np.ones(384, np.float32), {}, True)


def make_hits(count: int) -> list[Hit]:
    return [Hit(str(n), 0.5, {"title": "t", "source": "s"}, np.ones(384, np.float32)) for n in range(count)]


async def test_others_write_between_the_batches_of_a_long_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_BATCH_SECONDS", 0.0)
    written = []
    with closing(Database(tmp_path / "j")) as one, closing(Database(tmp_path / "j")) as other:
        others = SqliteJournal(other, 60)

        async def write() -> None:
            for _ in range(5):
                search = make_search()
                await others.begin(search, [])
                written.append(search.id)
                await anyio.lowlevel.checkpoint()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(write)
            async with aclosing(one.batches(range(200))) as steps:
                async for connection, item in steps:
                    connection.execute("CREATE TABLE IF NOT EXISTS items (item)")
                    connection.execute("INSERT INTO items VALUES (?)", (item,))
                    if len(written) == 5:
                        break
        assert item < 199  # the others did not have to wait for the end
        assert len(written) == 5


async def test_what_fails_takes_back_its_own_batch_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BATCH_SECONDS", 0.0)
    with closing(Database(tmp_path / "j")) as database:
        with pytest.raises(ZeroDivisionError):
            async with aclosing(database.batches([3, 2, 0, 1])) as steps:
                async for connection, item in steps:
                    connection.execute("CREATE TABLE IF NOT EXISTS items (item)")
                    connection.execute("INSERT INTO items VALUES (?)", (item,))
                    1 / item
        with database.transaction() as connection:
            assert connection.execute("SELECT item FROM items").fetchall() == [(3,), (2,)]


async def test_a_batch_without_an_end_of_its_time_is_one_transaction(tmp_path: Path) -> None:
    with closing(Database(tmp_path / "j")) as database:
        items = [item async for _, item in database.batches("abc")]
    assert items == ["a", "b", "c"]


async def test_what_is_deleted_gives_its_room_back(tmp_path: Path) -> None:
    path = tmp_path / "j"
    with closing(Database(path)) as database:
        journal = SqliteJournal(database, -1)
        for _ in range(40):
            await journal.begin(make_search(), make_hits(20))
    full = path.stat().st_size
    with closing(Database(path)) as database:
        assert await SqliteJournal(database, -1).prune() == 40
    assert path.stat().st_size < full / 4
