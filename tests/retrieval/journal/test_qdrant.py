"""The journal in Qdrant: two processes on one collection, and SQLite as the oracle."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_args

import anyio
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qdrant_client import AsyncQdrantClient
from qdrant_server import QdrantServer
from shared_stores import InterleavingRemote, Memory, qdrant, sqlite

from warmer.errors import EngineError, SearchError
from warmer.index import Hit
from warmer.index.remote.client import Connection, connect
from warmer.journal import Search, new_search_id
from warmer.journal.qdrant import store
from warmer.journal.qdrant.searches import QdrantJournal
from warmer.journal.sqlite.searches import SqliteJournal
from warmer.steering.wording import Kind, Wording

pytestmark = pytest.mark.anyio
JUDGES = ["agent", "claude:a b.c"]


@pytest.fixture
async def replicas() -> AsyncIterator[tuple[Memory, Memory]]:
    opened = qdrant(AsyncQdrantClient(":memory:"))
    async with opened() as one, opened() as other:
        yield one, other


def make_search(query: str = "why 😀", collection: str = "notes") -> Search:
    return Search(new_search_id(), collection, "model", query, np.arange(4, dtype=np.float32), {"must": []}, True)


def make_hits(*names: str) -> list[Hit]:
    return [Hit(name, 0.5, {"title": name.upper()}, np.full(4, ord(name[0]), np.float32)) for name in names]


async def test_processes_see_each_others_writes(replicas: tuple[Memory, Memory]) -> None:
    here, there = (memory.journal for memory in replicas)
    search = make_search()
    await here.begin(search, make_hits("a", "b"))
    await there.score(search.id, {1: 9, 2: 0.5}, "agent", "r")
    assert await there.show(search.id, make_hits("c", "a")) == [3, 1]
    found = await here.find(search.id)
    assert (found.query, found.where, found.vector.tolist()) == (search.query, {"must": []}, [0, 1, 2, 3])
    assert [(shown.id, shown.vector.tolist(), shown.score) for shown in found.shown.values()] == [
        ("a", [97] * 4, 9),
        ("b", [98] * 4, 0.5),
        ("c", [99] * 4, None),
    ]


async def test_concurrent_rounds_and_scores_lose_nothing(replicas: tuple[Memory, Memory]) -> None:
    journals = [memory.journal for memory in replicas]
    search, numbers = make_search(), dict[str, int]()
    await journals[0].begin(search, [])

    async def rounds(worker: int) -> None:
        journal = journals[worker % 2]
        for turn in range(6):
            names = [f"{worker}-{turn}", f"both-{turn}"]
            for name, number in zip(names, await journal.show(search.id, make_hits(*names)), strict=True):
                assert numbers.setdefault(name, number) == number
                await journal.score(search.id, {number: 1 + worker % 2}, f"judge {worker}", "r")

    async with anyio.create_task_group() as tasks:
        for worker in range(6):
            tasks.start_soon(rounds, worker)
    assert sorted(numbers.values()) == list(range(1, 6 * 6 + 6 + 1))
    for worker in range(6):
        found = await journals[0].find(search.id, f"judge {worker}")
        assert {shown.id: shown.hit for shown in found.shown.values()} == numbers
        assert {shown.id for shown in found.scored} == {f"{w}-{n}" for n in range(6) for w in (worker, "both")}


async def test_repeating_a_write_changes_nothing() -> None:
    class Twice(InterleavingRemote):
        async def call(self, ask: Any, *, what: str, retry: bool = True, share: float = 1) -> Any:
            if retry:
                await super().call(ask, what=what, share=share)
            return await super().call(ask, what=what, share=share)

    shared = await store.open_store(Twice.local(AsyncQdrantClient(":memory:")))
    journal, search = QdrantJournal(shared, 60), make_search()
    assert await journal.begin(search, make_hits("a", "b")) == [1, 2]
    assert await journal.show(search.id, make_hits("c", "a")) == [3, 1]
    await journal.score(search.id, {3: 4}, "agent", "r")
    await journal.reword(search.id, [Wording("query", "how", np.ones(4, np.float32), 1)])
    await journal.prune()
    assert await journal.counts() == (1, 1)
    found = await journal.find(search.id)
    assert (list(found.shown), [one.text for one in found.more]) == ([1, 2, 3], ["how"])


async def test_beginning_a_search_is_not_retried() -> None:
    with QdrantServer() as server:
        remote = connect(Connection(server.url))
        journal = QdrantJournal(await store.open_store(remote), 60)
        server.requests.clear()
        server.fail(503, when=lambda _, path: path.endswith("/batch"))
        with pytest.raises(EngineError, match="503"):
            await journal.begin(make_search(), make_hits("a"))
        assert len(server.requests) == 1
        await remote.close()


async def test_large_journals_are_read_in_pages(
    replicas: tuple[Memory, Memory], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "_PAGE", 3)
    monkeypatch.setattr(store, "_LARGE_PAGE", 2)
    journal = replicas[0].journal
    searches = [make_search(f"query {n}") for n in range(11)]
    for search in searches:
        await journal.begin(search, make_hits("a"))
        await journal.score(search.id, {1: 5}, "agent", "r")
    assert await journal.queries("notes") == [search.query for search in searches]
    scored = await journal.scored("notes", "model", "agent", "r")
    assert [search.id for search in scored] == [search.id for search in searches]
    assert await journal.counts() == (11, 11)


async def test_writes_do_not_revive_a_deleted_search(replicas: tuple[Memory, Memory]) -> None:
    journal = replicas[0].journal
    await journal.score("s_gone", {1: 5}, "agent", "r")
    await journal.reword("s_gone", [Wording("query", "how", np.ones(4, np.float32), 1)], {"must": []})
    assert await journal.counts() == (0, 0)
    with pytest.raises(SearchError, match="unknown: call search again"):
        await journal.show("s_gone", make_hits("a"))


async def test_a_job_is_claimed_once(replicas: tuple[Memory, Memory]) -> None:
    job = await replicas[0].jobs.create("docs", "claude", 25, ["a"], "running")
    won: list[int] = []

    async def claim(worker: int) -> None:
        if await replicas[worker % 2].jobs.claim(job.id, 60):
            won.append(worker)

    for _ in range(2):
        async with anyio.create_task_group() as tasks:
            for worker in range(8):
                tasks.start_soon(claim, worker)
        assert len(won) == 1
    for replica in replicas:  # has an effect in the winner only
        await replica.jobs.release(job.id)
    async with anyio.create_task_group() as tasks:
        for worker in range(8):
            tasks.start_soon(claim, worker)
    assert len(won) == 2


numbers = st.integers(0, 3)
points = st.lists(st.sampled_from("pqrst"), max_size=4, unique=True)
operations = st.lists(
    st.one_of(
        st.tuples(st.just("begin"), st.sampled_from("ab"), st.sampled_from(["docs", "notes"]), points, st.booleans()),
        st.tuples(st.just("show"), numbers, points),
        st.tuples(
            st.just("score"),
            numbers,
            st.dictionaries(st.integers(0, 3), st.integers(0, 10), max_size=3),
            st.sampled_from(JUDGES),
            st.sampled_from("rs"),
        ),
        st.tuples(
            st.just("reword"),
            numbers,
            st.lists(st.tuples(st.sampled_from(get_args(Kind)), st.sampled_from("uvw"), st.integers(1, 3)), max_size=3),
            st.sampled_from([None, {}, {"must": [{"has_id": [1]}]}]),
        ),
        st.tuples(st.just("ran"), numbers),
        st.tuples(st.just("prune")),
    ),
    max_size=14,
)


class Pair:
    """SQLite and Qdrant with the same writes and the same reads, whose answers must be equal."""

    def __init__(self, fresh: list[Memory], expired: list[Memory]) -> None:
        self.fresh, self.expired = fresh, expired
        self.searches: list[Search] = []
        self.jobs: list[str] = []

    async def both(self, method: str, *arguments: Any, expired: bool = False) -> Any:
        memories = self.expired if expired else self.fresh
        oracle, answer = [await _answer(memory.journal, method, arguments) for memory in memories]
        assert answer == oracle, (method, arguments)
        return oracle

    async def begin(self, query: str, collection: str, names: list[str], expired: bool) -> None:
        self.searches.append(make_search(query, collection))
        await self.both("begin", self.searches[-1], make_hits(*names), expired=expired)

    async def on(self, number: int, method: str, *arguments: Any) -> None:
        """Apply an operation to an existing search; on missing ones the stores may differ."""
        existing = [search for search in self.searches if "unknown" not in await self.both("find", search.id)]
        if not existing:
            return
        id_ = existing[number % len(existing)].id
        if method == "show":
            await self.both("show", id_, make_hits(*arguments[0]))
        elif method == "reword":
            more = [Wording(kind, text, np.full(4, turn, np.float32), turn) for kind, text, turn in arguments[0]]
            await self.both("reword", id_, more, arguments[1])
        elif method == "score":
            shown = await _numbers(self.fresh[0].journal, id_)
            scores = {shown[hit % len(shown)]: float(score) for hit, score in arguments[0].items() if shown}
            await self.both("score", id_, scores, *arguments[1:])
        else:
            for memory in self.fresh:
                job = await memory.jobs.create("docs", "agent", 5, ["a"], "running")
                await memory.jobs.ran(job.id, 0, id_)

    async def compare(self) -> None:
        for judge in JUDGES:
            for search in self.searches:
                await self.both("find", search.id, judge)
            for rubric in "rs":
                for collection in ("docs", "notes"):
                    await self.both("scored", collection, "model", judge, rubric)
                    for query in "ab":
                        await self.both("known", collection, query, judge, rubric)
        await self.both("queries", "docs")
        await self.both("queries", "notes")
        await self.both("counts")


async def _numbers(journal: SqliteJournal | QdrantJournal, search_id: str) -> list[int]:
    try:
        return list((await journal.find(search_id)).shown)
    except SearchError:  # expired; its hits can still be scored
        return []


async def _answer(journal: SqliteJournal | QdrantJournal, method: str, arguments: Any) -> Any:
    try:
        answer = await getattr(journal, method)(*arguments)
    except SearchError as error:
        return str(error)
    return _plain(answer)


def _plain(answer: Any) -> Any:
    if isinstance(answer, list):
        return [_plain(item) for item in answer]
    if isinstance(answer, Search):
        shown = [(s.hit, s.id, s.vector.tolist(), s.title, s.source, s.score) for s in answer.shown.values()]
        said = [(one.kind, one.text, np.asarray(one.vector).tolist(), one.turn) for one in answer.wordings]
        return answer.id, answer.collection, answer.model, answer.where, shown, said
    return answer


async def play(script: list[Any]) -> None:
    with TemporaryDirectory() as folder:
        async with AsyncExitStack() as stack:
            opens = [sqlite(Path(folder) / "j"), qdrant(AsyncQdrantClient(":memory:"))]
            fresh = [await stack.enter_async_context(opened()) for opened in opens]
            expired = [await stack.enter_async_context(opened(-1)) for opened in opens]
            pair = Pair(fresh, expired)
            for name, *arguments in script:
                if name == "begin":
                    await pair.begin(*arguments)
                elif name == "prune":
                    await pair.both("prune")
                else:
                    await pair.on(arguments[0], name, *arguments[1:])
            await pair.compare()


@given(operations)
@settings(max_examples=60)
def test_qdrant_answers_as_sqlite_does(script: list[Any]) -> None:
    anyio.run(play, script)
