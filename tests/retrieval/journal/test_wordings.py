"""What a thread said, in SQLite and in Qdrant."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import anyio
import numpy as np
import pytest
from qdrant_client import AsyncQdrantClient
from shared_stores import InterleavingRemote, Open, qdrant

from warmer.index import Hit
from warmer.journal import Search, kept_vector, new_search_id
from warmer.journal.qdrant.searches import make_document, search_document_id
from warmer.journal.qdrant.store import open_store, put
from warmer.journal.sqlite.database import Database
from warmer.journal.sqlite.searches import SqliteJournal
from warmer.journal.tenancy import Namespace, TenantJournal
from warmer.steering.wording import Kind, Wording
from warmer.vectors import TextQuery

pytestmark = pytest.mark.anyio
SUMS = "search_sums", "job_sums", "parameter_sums"
WHERE = {"must": [{"key": "source", "match": {"value": "ä"}}]}


def make_search(*more: Wording) -> Search:
    return Search(new_search_id(), "notes", "model", "why 😀", np.arange(4, dtype=np.float32), WHERE, True, more=more)


def wording(kind: Kind, text: str, turn: int = 0) -> Wording:
    return Wording(kind, text, np.full(4, turn + 0.5, np.float32), turn)


def hit() -> Hit:
    return Hit("p", 0.5, {"title": "T"}, np.ones(4, np.float32))


def plain(wordings: Sequence[Wording]) -> list[tuple[str, str, list[float], int]]:
    return [(one.kind, one.text, np.asarray(one.vector).tolist(), one.turn) for one in wordings]


async def test_all_that_was_said_is_kept_in_order(open_memory: Open) -> None:
    first = [
        wording("rewording", "z"),
        wording("rewording", "a"),
        wording("passage", "It is so."),
        wording("avoid", "x"),
    ]
    second = [wording("query", "and 😀?", 1), wording("rewording", "b", 1)]
    third = [wording("passage", "So it is.", 2)]
    search = make_search(*first)
    async with open_memory() as memory:
        await memory.journal.begin(search, [hit()])
        found = await memory.journal.find(search.id)
        assert plain(found.more) == plain(first)
        assert found.turn == 1
    async with open_memory() as memory:
        for more in second, third:
            await memory.journal.reword(search.id, more)
        found = await memory.journal.find(search.id)
        assert plain(found.more) == plain([*first, *second, *third])
        assert found.turn == 3
        assert plain(found.wordings[:1]) == [("query", "why 😀", [0, 1, 2, 3], 0)]
        assert len(found.wordings) == 1 + 7
        await memory.journal.score(search.id, {1: 5}, "agent", "r")
        (scored,) = await memory.journal.scored("notes", "model", "agent", "r")
        assert plain(scored.more) == plain(found.more)
        assert scored.with_scores({1: 9}).more == scored.more


async def test_a_turn_may_change_the_filter_and_keeps_it_otherwise(open_memory: Open) -> None:
    search, other = make_search(), {"must_not": [{"has_id": [1]}]}
    async with open_memory() as memory:
        await memory.journal.begin(search, [])
        await memory.journal.reword(search.id, [wording("query", "a", 1)])
        assert (await memory.journal.find(search.id)).where == WHERE
        await memory.journal.reword(search.id, [wording("query", "b", 2)], other)
        await memory.journal.reword(search.id, [wording("query", "c", 3)], {})
        found = await memory.journal.find(search.id)
        assert found.where == other
        await memory.journal.reword(search.id, [], WHERE)
        await memory.journal.reword(search.id, [])
        found = await memory.journal.find(search.id)
        assert (found.where, [one.text for one in found.more]) == (WHERE, ["a", "b", "c"])


async def test_wordings_that_the_engine_embeds_have_no_vector(open_memory: Open) -> None:
    first = replace(make_search(), vector=kept_vector(TextQuery("why 😀", "model")))
    search = replace(first, more=(Wording("rewording", "how", TextQuery("how", "model")),))
    async with open_memory() as memory:
        await memory.journal.begin(search, [])
        await memory.journal.reword(search.id, [Wording("query", "when", TextQuery("when", "model"), 1)])
        found = await memory.journal.find(search.id)
    assert [one.vector for one in found.wordings] == [TextQuery(text, "model") for text in ("why 😀", "how", "when")]


async def test_two_writers_at_once_lose_nothing(open_memory: Open) -> None:
    search = make_search(wording("rewording", "first"))
    async with open_memory() as one, open_memory() as other:
        await one.journal.begin(search, [])

        async def say(worker: int) -> None:
            for turn in range(1, 8):
                more = [wording("query", f"{worker} {turn} {n}", turn) for n in range(3)]
                await (one, other)[worker].journal.reword(search.id, more)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(say, 0)
            tasks.start_soon(say, 1)
        texts = [one.text for one in (await other.journal.find(search.id)).more]
    assert texts[0] == "first"
    assert len(texts) == len(set(texts)) == 1 + 2 * 7 * 3
    for worker in "01":
        own = [text for text in texts if text.startswith(f"{worker} ")]
        assert own == [f"{worker} {turn} {n}" for turn in range(1, 8) for n in range(3)]


async def test_a_tenants_thread_goes_on(open_memory: Open) -> None:
    search = make_search(wording("passage", "p"))
    async with open_memory() as memory:
        journal = TenantJournal(memory.journal, Namespace("@1f3c9a04"))
        await journal.begin(search, [])
        await journal.reword(search.id, [wording("query", "q", 1)], {"must": []})
        assert [one.text for one in (await journal.find(search.id)).wordings] == ["why 😀", "p", "q"]


async def test_pruning_takes_what_was_said_along(tmp_path: Path) -> None:
    with closing(Database(tmp_path / "j")) as database:
        journal, search = SqliteJournal(database, -1), make_search(wording("passage", "p"))
        await journal.begin(search, [])
        assert await journal.prune() == 1
        with database.transaction("DEFERRED") as connection:
            assert connection.execute("SELECT count(*) FROM wordings").fetchone() == (0,)


async def test_a_journal_of_schema_version_3_is_migrated(tmp_path: Path) -> None:
    search = make_search()
    with closing(Database(tmp_path / "j")) as database:
        await SqliteJournal(database, 60).begin(search, [hit()])
        with database.transaction() as connection:
            for table in ("wordings", *SUMS):
                connection.execute(f"DROP TABLE {table}")
            connection.execute("PRAGMA user_version = 3")
    with closing(Database(tmp_path / "j")) as database:
        journal = SqliteJournal(database, 60)
        assert (await journal.find(search.id)).more == ()
        await journal.reword(search.id, [wording("query", "q", 1)])
        assert plain((await journal.find(search.id)).more) == plain([wording("query", "q", 1)])


async def test_a_document_of_an_earlier_version_can_be_continued() -> None:
    client, search = AsyncQdrantClient(":memory:"), make_search()
    async with qdrant(client)() as memory:
        document = make_document(search, [hit()], 0, 9e9)
        del document["wordings"]
        store = await open_store(InterleavingRemote.local(client))
        await store.write(put(search_document_id(search.id), document))
        assert (await memory.journal.find(search.id)).more == ()
        await memory.journal.reword(search.id, [wording("query", "q", 1)])
        assert plain((await memory.journal.find(search.id)).more) == plain([wording("query", "q", 1)])
        assert await memory.journal.show(search.id, [hit()]) == [1]
