"""Which earlier scores a search may take, on the real engine and journal."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import count
from pathlib import Path
from time import monotonic, time

import numpy as np
import pytest
from support import Reference

from warmer.embedding import Embedder
from warmer.embedding.batch import embed_batch
from warmer.errors import StorageError
from warmer.index import DenseQuery, Hit, Index
from warmer.index.edge.catalog import Catalog
from warmer.journal import AGENT, Search, new_search_id
from warmer.journal.sqlite.database import Database
from warmer.journal.sqlite.searches import SqliteJournal
from warmer.journal.tenancy import TenantJournal, namespace_of
from warmer.memory.remembering import Memory, Remembered
from warmer.publishing.embedded.publish import index_passages
from warmer.vectors import own_vector

pytestmark = pytest.mark.anyio
RUBRIC = "r"
QUESTION = "why does the Moon move away from the Earth"
AGAIN = "what makes the Moon move farther away from Earth slowly"


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    with closing(Database(tmp_path / "journal")) as database:
        yield SqliteJournal(database, 3600)


@pytest.fixture
def index(data_dir: Path) -> Index:
    return Catalog(data_dir).open("notes")


def asked(query: str, embedder: Embedder, owner: str = "") -> Search:
    (vector,) = embed_batch(embedder, [query], [])
    return Search(new_search_id(owner), "notes", "model", query, own_vector(vector), {}, False)


async def found_by(index: Index, search: Search) -> Sequence[Hit]:
    return await index.completed(
        await index.retrieve((await index.candidates(DenseQuery(search.vector), depth=10)).ids)
    )


async def keep(journal: SqliteJournal, index: Index, search: Search) -> Sequence[Hit]:
    """Store a search whose first five hits are good."""
    hits = await found_by(index, search)
    await journal.begin(search, hits)
    await journal.score(search.id, {n: 9 if n <= 5 else 0 for n in range(1, len(hits) + 1)}, AGENT, RUBRIC)
    return hits


async def remembered(memory: Memory, index: Index, search: Search) -> Remembered:
    near = await memory.near(search)
    return await memory.remember(index, search, near, await found_by(index, search))


def everyone(journal: SqliteJournal, clock: Callable[[], float] = monotonic) -> Memory:
    return Memory(journal, RUBRIC, lambda *_: True, clock=clock)


async def test_an_owner_has_what_the_owner_scored_until_it_is_forgotten(
    journal: SqliteJournal, index: Index, embedder: Embedder
) -> None:
    hits = await keep(journal, index, asked(QUESTION, embedder, "ann"))
    own = {
        owner: everyone(journal).within(TenantJournal(journal, namespace_of({}), owner), "", owner)
        for owner in ("ann", "bob", "")
    }
    search = asked(AGAIN, embedder)
    told = await remembered(own["ann"], index, search)
    assert {example.id for example in told.examples} == {hit.id for hit in hits}
    assert all(0 < example.trust <= 1 for example in told.examples)
    for other in ("bob", ""):
        assert not (await remembered(own[other], index, search)).examples
    await journal.forget("ann")
    assert not (await remembered(own["ann"], index, search)).examples, "at once, although the thread is at hand"


async def test_passages_that_changed_or_are_gone_take_no_part(
    journal: SqliteJournal, index: Index, embedder: Embedder, reference: Reference, data_dir: Path
) -> None:
    hits = await keep(journal, index, asked(QUESTION, embedder))
    text = {hit.id: str(hit.payload["text"]) for hit in hits}
    changed, gone, *_ = (hit.id for hit in hits)
    passages = [
        replace(passage, text="Bread rises in a warm kitchen.") if passage.text == text[changed] else passage
        for passage in reference.passages
        if passage.text != text[gone]
    ]
    index_passages(Catalog(data_dir).generations("notes"), passages, embedder, roots={"notes": Path("/notes")})
    told = await remembered(everyone(journal), Catalog(data_dir).open("notes"), asked(AGAIN, embedder))
    assert {example.id for example in told.examples} == {hit.id for hit in hits} - {changed, gone}


async def test_a_collection_with_another_model_takes_nothing(
    journal: SqliteJournal, index: Index, embedder: Embedder, caplog: pytest.LogCaptureFixture
) -> None:
    await keep(journal, index, asked(QUESTION, embedder))
    other = replace(asked(AGAIN, embedder), vector=np.ones(3, np.float32))
    memory = everyone(journal)
    assert await memory.near(other) == []
    assert await memory.near(other) == []
    assert caplog.text.count("have 384 numbers, not 3") == 1


async def test_more_threads_than_a_search_reads_are_read_by_the_next_ones(
    journal: SqliteJournal, index: Index, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("warmer.journal.sqlite.searches._PAGE", 10)
    questions = [f"{QUESTION}, reason {number}" for number in range(5)]
    for question in questions:
        await keep(journal, index, asked(question, embedder))
    memory, search = everyone(journal, count().__next__), asked(AGAIN, embedder)
    sizes = [len(await memory.near(search)) for _ in range(4)]
    assert sizes == [2, 4, 5, 5]


async def test_a_clock_that_was_ahead_hides_nothing(
    journal: SqliteJournal, index: Index, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time()
    monkeypatch.setattr("warmer.journal.sqlite.searches.time", lambda: now + 7200)
    await keep(journal, index, asked(QUESTION, embedder))
    memory, search = everyone(journal, count(step=100).__next__), asked(AGAIN, embedder)
    assert len(await memory.near(search)) == 1
    assert all(one.trust <= 1 for one in (await remembered(memory, index, search)).examples)
    monkeypatch.setattr("warmer.journal.sqlite.searches.time", lambda: now)
    await keep(journal, index, asked(AGAIN, embedder))
    assert len(await memory.near(search)) == 2


async def test_what_is_scored_here_is_known_without_reading_the_journal(
    journal: SqliteJournal, index: Index, embedder: Embedder
) -> None:
    at = [0.0]
    memory, search, earlier = everyone(journal, lambda: at[0]), asked(AGAIN, embedder), asked(QUESTION, embedder)
    assert await memory.near(search) == []
    await keep(journal, index, earlier)
    for at[0] in (1, 2, 61):  # learnt twice, then read
        memory.learn(await journal.find(earlier.id))
        assert [one.id for one in await memory.near(search)] == [earlier.id]


async def test_scores_that_were_stored_late_are_found(
    journal: SqliteJournal, index: Index, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, at = time(), [0.0]
    await keep(journal, index, asked(QUESTION, embedder))
    memory, search = everyone(journal, lambda: at[0]), asked(AGAIN, embedder)
    assert len(await memory.near(search)) == 1
    monkeypatch.setattr("warmer.journal.sqlite.searches.time", lambda: now - 30)
    await keep(journal, index, asked(AGAIN, embedder))
    sizes = []
    for at[0] in (4, 6, 61):
        sizes.append(len(await memory.near(search)))
    assert sizes == [1, 1, 2]


async def test_a_journal_that_fails_does_not_fail_a_search(
    journal: SqliteJournal, index: Index, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    await keep(journal, index, asked(QUESTION, embedder))
    memory, search = everyone(journal, count(step=10).__next__), asked(AGAIN, embedder)
    near = await memory.near(search)
    assert near

    async def failing(*_: object) -> None:
        raise StorageError("the disk is gone")

    monkeypatch.setattr(SqliteJournal, "recall", failing)
    monkeypatch.setattr(SqliteJournal, "scored_after", failing)
    assert await memory.remember(index, search, near, await found_by(index, search)) == Remembered()
    assert await memory.near(search) == []
