import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from shared_stores import DAY, Open

from warmer.errors import SearchError, StorageError
from warmer.index import Hit
from warmer.journal import Search, kept_vector, new_search_id
from warmer.journal.sqlite.database import SCHEMA, Database
from warmer.journal.sqlite.searches import SqliteJournal
from warmer.vectors import TextQuery

pytestmark = pytest.mark.anyio


@contextmanager
def opened(path: Path, lifetime: float = DAY) -> Iterator[SqliteJournal]:
    with closing(Database(path)) as database:
        yield SqliteJournal(database, lifetime)


def make_search() -> Search:
    where = {"must": [{"key": "source", "match": {"value": "ä"}}]}
    return Search(new_search_id(), "notes", "model", "why 😀", np.arange(4, dtype=np.float32), where, True)


def make_hits(*names: str) -> list[Hit]:
    return [Hit(name, 0.5, {"title": name.upper(), "source": "s"}, np.ones(4, np.float32)) for name in names]


async def test_a_search_survives_a_restart(open_memory: Open) -> None:
    search = make_search()
    async with open_memory() as memory:
        journal = memory.journal
        assert await journal.begin(search, make_hits("a", "b")) == [1, 2]
        await journal.score(search.id, {1: 9, 2: 0}, "agent", "r")
        await journal.score(search.id, {2: 4}, "agent", "r")
        await journal.score(search.id, {1: 1}, "other", "r")
    async with open_memory() as memory:
        found = await memory.journal.find(search.id)
    assert (found.query, found.where, found.lexical) == (search.query, search.where, True)
    assert found.vector.tolist() == search.vector.tolist()
    assert {n: (shown.id, shown.title, shown.score) for n, shown in found.shown.items()} == {
        1: ("a", "A", 9),
        2: ("b", "B", 4),
    }


async def test_a_point_keeps_its_number_in_every_round(open_memory: Open) -> None:
    search = make_search()
    async with open_memory() as memory:
        await memory.journal.begin(search, make_hits("a", "b"))
        assert await memory.journal.show(search.id, make_hits("c", "a", "d")) == [3, 1, 4]
        assert await memory.journal.show(search.id, make_hits("d", "e")) == [4, 5]


async def test_a_query_embedded_by_the_engine_has_no_vector(open_memory: Open) -> None:
    search = replace(make_search(), vector=kept_vector(TextQuery("why 😀", "model")))
    async with open_memory() as memory:
        await memory.journal.begin(search, [])
        assert (await memory.journal.find(search.id)).query_vector == TextQuery("why 😀", "model")


async def test_known_scores_are_the_newest_of_each_point(open_memory: Open) -> None:
    searches = [make_search() for _ in range(8)]
    async with open_memory() as memory:
        journal = memory.journal
        for search in searches:
            await journal.begin(search, make_hits("a", "b"))
        for number, search in enumerate(reversed(searches)):
            await journal.score(search.id, {1: number}, "agent", "r")
        await journal.score(searches[3].id, {2: 9}, "agent", "old")
        assert await journal.known("notes", searches[0].query, "agent", "r") == {"a": 7}
        assert await journal.known("notes", "other", "agent", "r") == {}


async def test_errors_distinguish_unknown_from_expired_handles(open_memory: Open) -> None:
    search = make_search()
    async with open_memory(-1) as memory:
        await memory.journal.begin(search, [])
        with pytest.raises(SearchError, match="expired: call search again"):
            await memory.journal.find(search.id)
        with pytest.raises(SearchError, match="unknown: call search again"):
            await memory.journal.find("s_nothing")


def show_in_rounds(path: Path, search_id: str, worker: int) -> list[int]:
    async def rounds() -> list[int]:
        return [(await journal.show(search_id, make_hits(f"{worker}-{n}")))[0] for n in range(25)]

    with opened(path) as journal:
        return asyncio.run(rounds())


async def test_concurrent_writers_number_hits_without_gaps(tmp_path: Path) -> None:
    search = make_search()
    with opened(tmp_path / "j") as journal:
        await journal.begin(search, [])
        with ThreadPoolExecutor(4) as pool:
            numbers = [
                n for got in pool.map(lambda w: show_in_rounds(tmp_path / "j", search.id, w), range(4)) for n in got
            ]
        assert sorted(numbers) == list(range(1, 101))
        assert len((await journal.find(search.id)).shown) == 100


SCORING = """
import asyncio, sys
from pathlib import Path
from warmer.journal.sqlite.database import Database
from warmer.journal.sqlite.searches import SqliteJournal
async def score():
    journal, n = SqliteJournal(Database(Path(sys.argv[1])), 86400), 0
    while True:
        await journal.score(sys.argv[2], {1: n % 11}, f"judge {n}", "r")
        sys.stdout.write(f"{n}\\n"); sys.stdout.flush()
        n += 1
asyncio.run(score())
"""


async def test_acknowledged_scores_survive_a_kill(tmp_path: Path) -> None:
    search = make_search()
    with opened(tmp_path / "j") as journal:
        await journal.begin(search, make_hits("a"))
    command = [sys.executable, "-c", SCORING, str(tmp_path / "j"), search.id]
    with subprocess.Popen(  # noqa: ASYNC220
        command, stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout
        acknowledged = [writer.stdout.readline() for _ in range(50)]
        os.kill(writer.pid, signal.SIGKILL)
    with opened(tmp_path / "j") as journal:
        assert (await journal.counts())[1] >= len(acknowledged)


OPENING = """
import sys
from pathlib import Path
from warmer.journal.sqlite.database import Database
Database(Path(sys.argv[1])).close()
"""


def test_many_processes_create_a_journal_concurrently(tmp_path: Path) -> None:
    processes = [subprocess.Popen([sys.executable, "-c", OPENING, str(tmp_path / "new" / "j")]) for _ in range(8)]
    assert [process.wait() for process in processes] == [0] * 8


def test_opening_a_journal_again_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    Database(path).close()
    written = path.stat().st_mtime_ns
    Database(path).close()
    assert path.stat().st_mtime_ns == written


async def test_expired_searches_without_scores_are_pruned(open_memory: Open) -> None:
    scored, unscored, fresh = make_search(), make_search(), make_search()
    async with open_memory(-1) as memory:
        for search in (scored, unscored):
            await memory.journal.begin(search, make_hits("a"))
        await memory.journal.score(scored.id, {1: 3}, "agent", "r")
    async with open_memory() as memory:
        journal = memory.journal
        await journal.begin(fresh, make_hits("a"))
        await journal.prune()
        assert await journal.counts() == (2, 1)
        assert [search.id for search in await journal.scored("notes", "model", "agent", "r")] == [scored.id]


async def test_errors_name_newer_damaged_and_unusable_files(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "newer")) as db:
        db.execute(f"PRAGMA user_version = {SCHEMA + 1}")
    (tmp_path / "damaged").write_bytes(b"this is no database at all" * 100)
    (tmp_path / "file").touch()
    for path, message in [
        (tmp_path / "newer", "upgrade warmer"),
        (tmp_path / "damaged", r"damaged: file is not a database.*move it away"),
        (tmp_path / "file" / "journal", "WARMER_DATA_DIR"),
    ]:
        with pytest.raises(StorageError, match=message):
            Database(path)


async def test_training_gets_the_best_scored_searches_of_each_query(
    open_memory: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    def at_most(searches: int, of_a_query: int) -> None:
        for module in ("warmer.journal.sqlite.searches", "warmer.journal.qdrant.searches"):
            monkeypatch.setattr(f"{module}.MAX_TRAINING_SEARCHES", searches)
            monkeypatch.setattr(f"{module}.MAX_OF_A_QUERY", of_a_query)

    one, more, again, other, last, unscored = (replace(make_search(), query=query) for query in "aaabcd")
    async with open_memory() as memory:
        for search in (one, more, again, other, last, unscored):
            await memory.journal.begin(search, make_hits("x", "y"))
        for search in (one, more, other, last):
            await memory.journal.score(search.id, {1: 3, 2: 4} if search is more else {1: 3}, "agent", "r")
        at_most(2, 1)
        assert [s.id for s in await memory.journal.scored("notes", "model", "agent", "r")] == [other.id, last.id]
        await memory.journal.score(again.id, {1: 3, 2: 4}, "agent", "r")
        at_most(9, 1)
        found = await memory.journal.scored("notes", "model", "agent", "r")
        assert [s.id for s in found] == [again.id, other.id, last.id]
        at_most(9, 2)
        found = await memory.journal.scored("notes", "model", "agent", "r")
        assert [s.id for s in found] == [more.id, again.id, other.id, last.id]
        at_most(1, 2)
        enough = await memory.journal.scored("notes", "model", "agent", "r", fewest=2)
        assert [s.id for s in enough] == [again.id]  # queries with too few scores do not count


@pytest.mark.parametrize(
    ("change", "values"),
    [
        ("UPDATE hits SET vector = ? WHERE hit = 2", (b"\x00" * 6,)),
        ("UPDATE hits SET vector = ? WHERE hit = 2", (b"\x00" * 8,)),
        ("UPDATE hits SET vector = ? WHERE hit = 2", (b"\xff" * 16,)),
        ("UPDATE searches SET vector = ?", (b"\x00" * 4,)),
        ("UPDATE searches SET filter = ?", ("{",)),
        ("UPDATE scores SET score = ? WHERE hit = 1", (-3,)),
        ("UPDATE scores SET score = ? WHERE hit = 1", (1e300,)),
    ],
)
async def test_a_damaged_search_is_named_and_trains_nothing(
    tmp_path: Path, change: str, values: tuple[object, ...]
) -> None:
    path, damaged = tmp_path / "j", make_search()
    with opened(path) as journal:
        await journal.begin(damaged, make_hits("a", "b"))
        await journal.score(damaged.id, {1: 9, 2: 0}, "agent", "r")
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute(change, values)
        whole = replace(make_search(), query="another")
        await journal.begin(whole, make_hits("a", "b"))
        await journal.score(whole.id, {1: 9, 2: 0}, "agent", "r")
        with pytest.raises(SearchError, match="is damaged: call search again"):
            await journal.find(damaged.id)
        assert [found.id for found in await journal.scored("notes", "model", "agent", "r")] == [whole.id]
