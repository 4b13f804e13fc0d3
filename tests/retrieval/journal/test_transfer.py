"""Export and import of journals, in SQLite and in Qdrant."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from time import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shared_stores import DAY, Memory, Open, sqlite

from warmer.errors import SearchError, StorageError
from warmer.index import Coefficients, Hit
from warmer.journal import Search, new_search_id
from warmer.journal.clock import exact
from warmer.journal.parameters import Key, Trained
from warmer.journal.tenancy import Namespace, TenantJournal
from warmer.journal.transfer.file import read_file
from warmer.steering.params import Params
from warmer.steering.wording import Kind, Wording
from warmer.vectors import TextQuery

pytestmark = pytest.mark.anyio
KEY = Key("notes", "model", "agent", "r")


def make_search(query: str = "why 😀\u2028?") -> Search:
    return Search(new_search_id(), "notes", "model", query, np.arange(4, dtype=np.float32), {"must": []}, True)


def make_hits(*names: str) -> list[Hit]:
    return [Hit(name, 0.5, {"title": name.upper(), "source": "s"}, np.ones(4, np.float32)) for name in names]


def make_trained(created: str, c: float = 1.0) -> Trained:
    return Trained(KEY, Params(c=c), Coefficients(1, 0, 1), 12, {"ndcg": 0.5}, created)


async def fill(memory: Memory) -> Search:
    search = make_search()
    await memory.journal.begin(search, make_hits("a", "b"))
    await memory.journal.score(search.id, {1: 9, 2: 0}, "agent", "r")
    await memory.journal.score(search.id, {1: 3.5}, "other", "r2")
    await memory.parameters.add(make_trained("2026-01-02T00:00:00+00:00"))
    return search


def read_and_delete(file: Path) -> list[dict[str, Any]]:
    records = [record.model_dump() for _, record in read_file(file)]
    file.unlink()
    return records


async def dump(memory: Memory, to: Path) -> list[object]:
    """Return the records of an export, without `engine_score`, which a journal in Qdrant lacks."""
    await memory.export(to)
    records = read_and_delete(to)
    for record in records:
        for hit in record.get("hits", []):
            del hit["engine_score"]
    return list(records)


async def test_a_round_trip_restores_everything_once(open_memory: Open, open_other: Open, tmp_path: Path) -> None:
    async with open_memory() as one, open_other() as other:
        search = await fill(one)
        assert str(await one.export(tmp_path / "f")) == "1 searches, 2 hits, 3 scores, 1 sets of parameters"
        assert (tmp_path / "f").stat().st_mode & 0o777 == 0o600
        assert str(await other.bring(tmp_path / "f")) == "1 searches, 2 hits, 3 scores, 1 sets of parameters"
        assert await dump(other, tmp_path / "g") == await dump(one, tmp_path / "h")
        assert str(await other.bring(tmp_path / "f")) == "0 searches, 0 hits, 0 scores, 0 sets of parameters"
        assert await dump(other, tmp_path / "g") == await dump(one, tmp_path / "h")
        assert (await other.journal.find(search.id)).shown[1].score == 9
        assert await other.journal.prune(time() + DAY) == 1


async def test_times_are_kept_to_the_microsecond(open_memory: Open, tmp_path: Path) -> None:
    async with open_memory() as memory:
        for _ in range(5):
            await fill(memory)
        await memory.export(tmp_path / "f")
    searches = [record for record in read_and_delete(tmp_path / "f") if record["kind"] == "search"]
    times = [at for search in searches for at in (search["created"], search["expires"])]
    times += [score["created"] for search in searches for hit in search["hits"] for score in hit["scores"]]
    assert times == [exact(one) for one in times]


async def test_a_round_trip_keeps_the_owners_of_handles(open_memory: Open, open_other: Open, tmp_path: Path) -> None:
    searches = [replace(make_search(f"q{n}"), id=new_search_id("ann")) for n in range(45)]
    async with open_memory() as one, open_other() as other:
        for search in searches:
            await TenantJournal(one.journal, Namespace(), "ann").begin(search, make_hits("a"))
        await one.export(tmp_path / "f")
        await other.bring(tmp_path / "f")
        for search in searches:
            assert (await TenantJournal(other.journal, Namespace(), "ann").find(search.id)).query == search.query
        assert await other.journal.prune() == 0


async def test_what_was_imported_is_told_in_brief(open_memory: Open, open_other: Open, tmp_path: Path) -> None:
    async with open_memory() as one, open_other() as other:
        search = await fill(one)
        await one.export(tmp_path / "f")
        await other.bring(tmp_path / "f")
        for memory in (one, other):
            (told,), until = await memory.journal.scored_after("notes", "model", "agent", "r", 0.0)
            assert (told.id, told.scores) == (search.id, {"a": 9, "b": 0})
            assert told.at <= until <= time()


async def test_an_import_replaces_only_older_entries(open_memory: Open, open_other: Open, tmp_path: Path) -> None:
    async with open_memory() as one, open_other() as other:
        search = await fill(one)
        await one.export(tmp_path / "f")
        await other.bring(tmp_path / "f")
        assert await other.journal.show(search.id, make_hits("c")) == [3]
        await other.journal.score(search.id, {1: 1}, "agent", "r")
        await other.parameters.add(make_trained("2026-01-03T00:00:00+00:00", c=7))
        assert await one.journal.show(search.id, make_hits("d", "c")) == [3, 4]
        await one.journal.score(search.id, {2: 5, 3: 8}, "agent", "r")
        await one.export(tmp_path / "g")
        assert str(await other.bring(tmp_path / "g")) == "0 searches, 1 hits, 2 scores, 0 sets of parameters"
        found = await other.journal.find(search.id)
        assert {shown.id: shown.score for shown in found.shown.values()} == {"a": 1, "b": 5, "c": None, "d": 8}
        assert [one.params.c for one in await other.parameters.all()] == [7]


def worded(**change: object) -> dict[str, object]:
    return {"wording": "rewording", "text": "a", "vector": "", "turn": 0, **change}


def change_line(number: int, change: Callable[[dict[str, object]], object]) -> Callable[[list[bytes]], list[bytes]]:
    def changed(lines: list[bytes]) -> list[bytes]:
        raw = json.loads(lines[number - 1])
        change(raw)
        return [*lines[: number - 1], json.dumps(raw).encode() + b"\n", *lines[number:]]

    return changed


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (change_line(1, lambda raw: raw.update(version=3)), "is of version 3, this program reads 2"),
        (lambda _: [], "not an exported journal"),
        (lambda lines: [lines[1]], "not an exported journal"),
        (lambda lines: lines[:-1], "line 3 of .*the file ends after it"),
        (lambda lines: [lines[0], lines[2], lines[3]], "line 3 of .*lines are missing"),
        (lambda lines: [*lines, lines[1]], "line 5 of .* follow the end"),
        (lambda lines: [*lines[:2], lines[2][:50] + b"\n", lines[3]], "line 3 of .* is damaged"),
        (change_line(2, lambda raw: raw.update(vector="AAA=")), "line 2 of .* not a vector"),
        (change_line(2, lambda raw: raw.update(vector="AADAfw==")), "line 2 of .* not a vector"),
        (change_line(2, lambda raw: raw.update(vector="AAAAAA==")), "line 2 of .* differ in length"),
        (change_line(2, lambda raw: raw.update(id="s_short")), "line 2 of .*search.id: "),
        (change_line(2, lambda raw: raw.update(more=1)), "line 2 of .*search.more: "),
        (change_line(2, lambda raw: raw.update(wordings=[{"text": "a"}])), "line 2 of .*wordings"),
        (change_line(2, lambda raw: raw.update(wordings=[worded(wording="shout")])), "line 2 of .*wordings"),
        (change_line(2, lambda raw: raw.update(wordings=[worded(turn=-1)])), "line 2 of .*wordings"),
        (change_line(2, lambda raw: raw.update(wordings=[worded(vector="AAAAAA==")])), "line 2 of .* differ in length"),
        (change_line(3, lambda raw: raw.update(trained={})), "line 3 of .* not exported parameters"),
    ],
)
async def test_a_damaged_file_imports_nothing(
    damage: Callable[[list[bytes]], list[bytes]], said: str, open_memory: Open, tmp_path: Path
) -> None:
    async with sqlite(tmp_path / "a")() as one, open_memory() as other:
        await fill(one)
        await one.export(tmp_path / "f")
        (tmp_path / "f").write_bytes(b"".join(damage((tmp_path / "f").read_bytes().splitlines(keepends=True))))
        await fill(other)
        before = await dump(other, tmp_path / "g")
        with pytest.raises(StorageError, match=said):
            await other.bring(tmp_path / "f")
        assert await dump(other, tmp_path / "g") == before


def wording(kind: Kind, text: str, turn: int) -> Wording:
    return Wording(kind, text, np.full(4, turn + 0.5, np.float32), turn)


def said(search: Search) -> list[tuple[str, str, list[float] | str, int]]:
    return [
        (one.kind, one.text, one.vector.text if isinstance(one.vector, TextQuery) else one.vector.tolist(), one.turn)
        for one in search.more
    ]


async def test_a_round_trip_keeps_what_threads_said(open_memory: Open, open_other: Open, tmp_path: Path) -> None:
    search = replace(make_search(), more=(wording("rewording", "how 😀", 0), wording("passage", "It is so.", 0)))
    embedded_there = replace(
        make_search("cloud"), vector=np.empty(0, np.float32), more=(Wording("avoid", "x", TextQuery("x", "model"), 0),)
    )
    async with open_memory() as one, open_other() as other:
        for thread in search, embedded_there:
            await one.journal.begin(thread, make_hits("a"))
        for turn in range(1, 130):
            await one.journal.reword(
                search.id, [wording("query", f"turn {turn}", turn)], {"must": [{"has_id": [turn]}]}
            )
        await one.export(tmp_path / "f")
        await other.bring(tmp_path / "f")
        for thread in search, embedded_there:
            found, expected = [await memory.journal.find(thread.id) for memory in (other, one)]
            assert said(found) == said(expected)
            assert (found.where, found.turn) == (expected.where, expected.turn)
        assert len(said(await other.journal.find(search.id))) == 2 + 129
        await one.journal.reword(search.id, [wording("query", "later", 130)])
        await one.export(tmp_path / "g")
        for _ in range(2):
            await other.bring(tmp_path / "g")
            assert said(await other.journal.find(search.id)) == said(await one.journal.find(search.id))


async def test_a_file_of_the_first_version_is_read(open_memory: Open, tmp_path: Path) -> None:
    async with sqlite(tmp_path / "a")() as one:
        search = await fill(one)
        await one.export(tmp_path / "f")
    header, kept, trained, end = map(json.loads, (tmp_path / "f").read_bytes().splitlines())
    header["version"] = 1
    del kept["wordings"]
    trained["trained"]["warmer"]["params"] = {"a": 1, "b": 0.5, "c": 1, "floor": 0.1, "caution": 0.5, "neutral": 0.2}
    (tmp_path / "f").write_text("".join(json.dumps(line) + "\n" for line in (header, kept, trained, end)))
    async with open_memory() as other:
        for counted in "1 searches, 2 hits, 3 scores", "0 searches, 0 hits, 0 scores":
            assert str(await other.bring(tmp_path / "f")) == f"{counted}, 0 sets of parameters"
        found = await other.journal.find(search.id)
        assert found.more == ()
        assert [shown.score for shown in found.shown.values()] == [9, 0]
        assert await other.parameters.all() == []
        await other.journal.reword(search.id, [wording("rewording", "more", 1)])
        assert said(await other.journal.find(search.id)) == [("rewording", "more", [1.5] * 4, 1)]


async def test_a_conflicting_search_imports_nothing(open_memory: Open, tmp_path: Path) -> None:
    search = make_search()
    async with sqlite(tmp_path / "a")() as one, open_memory() as other:
        await fill(one)
        await one.journal.begin(search, make_hits("a"))
        await other.journal.begin(replace(search, query="other"), [])
        await one.export(tmp_path / "f")
        before = await dump(other, tmp_path / "g")
        with pytest.raises(StorageError, match=r"line 3 of .* another search"):
            await other.bring(tmp_path / "f")
        assert await dump(other, tmp_path / "g") == before


async def test_an_export_never_overwrites_a_file(open_memory: Open, tmp_path: Path) -> None:
    (tmp_path / "f").write_text("mine")
    async with open_memory() as one:
        with pytest.raises(StorageError, match="already exists"):
            await one.export(tmp_path / "f")
        with pytest.raises(StorageError, match="cannot write"):
            await one.export(tmp_path / "none" / "f")
        assert await one.journal.counts() == (0, 0)
    assert (tmp_path / "f").read_text() == "mine"


@given(st.binary(max_size=200), st.integers(0, 10_000))
def test_arbitrary_bytes_are_read_or_rejected(tmp_path_factory: pytest.TempPathFactory, noise: bytes, at: int) -> None:
    file = tmp_path_factory.getbasetemp() / "noise"
    whole = b'{"warmer": "journal", "version": 2}\n{"kind": "end", "lines": 0}\n'
    file.write_bytes(whole[: at % len(whole)] + noise + whole[at % len(whole) :])
    try:
        assert [record for _, record in read_file(file)] == []
    except StorageError as error:
        assert str(file) in str(error)


async def test_pruning_by_age_spares_only_unfinished_jobs(open_memory: Open) -> None:
    searches = [make_search(f"q{n}") for n in range(4)]
    async with open_memory() as memory:
        for search in searches:
            await memory.journal.begin(search, make_hits("a"))
        await memory.journal.score(searches[0].id, {1: 9}, "agent", "r")
        going = await memory.jobs.create("notes", "agent", 5, ["q1"], "running")
        ended = await memory.jobs.create("notes", "agent", 5, ["q2"], "running")
        await memory.jobs.ran(going.id, 0, searches[1].id)
        await memory.jobs.ran(ended.id, 0, searches[2].id)
        await memory.jobs.settle(ended.id, "cancelled", {})
        assert await memory.journal.prune() == 0
        assert await memory.journal.prune(time() - DAY) == 0
        assert await memory.journal.counts() == (4, 1)
        assert await memory.journal.prune(time() + DAY) == 3
        assert (await memory.journal.find(searches[1].id)).query == "q1"
        assert (await memory.jobs.find(going.id)).queries == ["q1"]
        with pytest.raises(SearchError, match="unknown"):
            await memory.jobs.find(ended.id)
