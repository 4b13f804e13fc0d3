"""What a later search is compared with, the same from both stores."""

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from shared_stores import Open

from warmer.index import Hit
from warmer.journal import AGENT, Search, new_search_id
from warmer.journal.sqlite.database import Database
from warmer.journal.sqlite.searches import SqliteJournal
from warmer.journal.tenancy import TenantJournal, namespace_of
from warmer.vectors import Vector

pytestmark = pytest.mark.anyio
VECTOR: Vector = np.arange(4, dtype=np.float32)
HITS = [Hit(name, 0.5, {"title": name, "source": "s"}, np.ones(4, np.float32)) for name in ("a", "b")]


def asked(owner: str = "", collection: str = "notes", vector: Vector = VECTOR) -> Search:
    return Search(new_search_id(owner), collection, "model", "why", vector, {}, True)


async def test_scored_searches_are_told_in_brief(open_memory: Open) -> None:
    async with open_memory() as memory:
        journal, one, other = memory.journal, asked(), asked(vector=VECTOR + 1)
        for search in (one, other, asked(), asked(vector=np.empty(0, np.float32)), asked(collection="else")):
            await journal.begin(search, HITS)
        await journal.score(one.id, {1: 9, 2: 0}, AGENT, "r")
        await journal.score(other.id, {2: 4}, AGENT, "r")
        await journal.score(other.id, {1: 4}, "claude", "r")
        (first, second), until = await journal.scored_after("notes", "model", AGENT, "r", 0.0)
        assert (first.id, first.scores, first.vector.tolist()) == (one.id, {"a": 9, "b": 0}, VECTOR.tolist())
        assert (second.id, second.scores) == (other.id, {"b": 4})
        assert until >= second.at
        assert [s.id for s in (await journal.scored_after("notes", "model", AGENT, "r", first.at))[0]] == [other.id]
        assert await journal.scored_after("notes", "model", AGENT, "r", until) == ([], until)
        assert (await journal.scored_after("notes", "another", AGENT, "r", 0.0))[0] == []


async def test_a_collection_without_scores_is_read_once(tmp_path: Path) -> None:
    with closing(Database(tmp_path / "j")) as database:
        journal, search = SqliteJournal(database, 60), asked()
        await journal.begin(search, HITS)
        await journal.score(search.id, {1: 9}, AGENT, "r")
        found, until = await journal.scored_after("else", "model", AGENT, "r", 0.0)
        assert found == []
        assert until > 0
        assert await journal.scored_after("else", "model", AGENT, "r", until) == ([], until)


async def test_a_damaged_row_hides_no_other(tmp_path: Path) -> None:
    with closing(Database(tmp_path / "j")) as database:
        journal, damaged, whole = SqliteJournal(database, 60), asked(), asked()
        for search in (damaged, whole):
            await journal.begin(search, HITS)
            await journal.score(search.id, {1: 9}, AGENT, "r")
        with closing(sqlite3.connect(tmp_path / "j")) as connection, connection:
            connection.execute("UPDATE hits SET point = CAST(x'ff' AS TEXT) WHERE search = ? AND hit=1", [damaged.id])
        found, _ = await journal.scored_after("notes", "model", AGENT, "r", 0.0)
        assert [one.id for one in found] == [whole.id]


async def test_a_search_is_recalled_after_it_has_expired_and_by_its_owner_alone(open_memory: Open) -> None:
    async with open_memory(lifetime=-1) as memory:
        search = asked("ann")
        await memory.journal.begin(search, HITS)
        await memory.journal.score(search.id, {1: 9}, AGENT, "r")
        found = await memory.journal.recall(search.id, AGENT)
        assert found
        assert [hit.score for hit in found.shown.values()] == [9, None]
        assert await memory.journal.recall("s_gone", AGENT) is None
        nowhere = namespace_of({})
        assert await TenantJournal(memory.journal, nowhere, "ann").recall(search.id, AGENT)
        assert await TenantJournal(memory.journal, nowhere, "bob").recall(search.id, AGENT) is None
        tenant = namespace_of({"must": [{"key": "t", "match": {"value": "x"}}]})
        assert await TenantJournal(memory.journal, tenant).recall(search.id, AGENT) is None
