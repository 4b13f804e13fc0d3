import json
import math
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from time import time
from typing import Any

import pytest
from qdrant_client import AsyncQdrantClient
from shared_stores import DAY, InterleavingRemote, Open, qdrant, sqlite

from warmer.errors import SearchError, WarmerError
from warmer.index import Coefficients
from warmer.journal.parameters import Key, Trained, choose
from warmer.journal.qdrant.store import document_id, open_store, put
from warmer.journal.sqlite.database import Database
from warmer.journal.sqlite.jobs import SqliteJobs
from warmer.journal.sqlite.parameters import SqliteParameters
from warmer.steering.params import OFF, Params

pytestmark = pytest.mark.anyio
SUMS = "search_sums", "job_sums", "parameter_sums"
KEY = Key("docs", "model", "agent", "0-10 v1")
TRAINED = Trained(
    KEY, Params(neutral=0.3, c=1.2, share=0.2, source="trained"), Coefficients(1, 0.5, 0.1), 30, {"ndcg": 0.7}
)


async def test_the_newest_set_of_each_key_survives_a_restart(open_memory: Open) -> None:
    newer = Trained(KEY, Params(c=0.3), TRAINED.plain, 40, {})
    other = Trained(Key("docs", "model", "claude:x", "0-10 v1"), Params(c=2), TRAINED.plain, 40, {})
    async with open_memory() as memory:
        for trained in (TRAINED, other, newer):
            await memory.parameters.add(trained)
    async with open_memory() as memory:
        assert sorted(await memory.parameters.all(), key=lambda trained: trained.key.judge) == [newer, other]


def test_export_has_plain_coefficients_and_can_be_read_back() -> None:
    exported = json.loads(json.dumps(TRAINED.to_json()))
    assert {name: exported[name] for name in "abc"} == {"a": 1, "b": 0.5, "c": 0.1}
    assert Trained.from_json(exported) == TRAINED


@pytest.mark.parametrize(
    "change",
    [
        {"warmer": {}},
        {"warmer": None},
        {"warmer": {"params": {"c": math.inf}}},
        {"warmer": {"params": {"c": "far"}}},
        {"warmer": {"params": {"neutral": 1.5}}},
        {"warmer": {"params": {"share": -0.1}}},
        {"warmer": {"params": {"ridge": 0}}},
        {"warmer": {"params": {"avoid": math.nan}}},
        {"warmer": {"params": {"words": True}}},
        {"warmer": {"params": 5}},
        {"warmer": {"params": None}},
        {"warmer": {"plain": {"a": 1, "b": -1, "c": 1}}},
    ],
)
def test_other_json_is_rejected(change: dict[str, object]) -> None:
    raw = TRAINED.to_json()
    own = change["warmer"]
    damaged = raw | {"warmer": raw["warmer"] | own} if own else raw | change
    with pytest.raises(WarmerError, match="not exported parameters"):
        Trained.from_json(damaged)


OLD = {"a": 1.0, "b": 0.5, "c": 1.2, "neutral": 0.2, "floor": 0.1, "caution": 0.5, "words": 2.0, "source": "trained"}


def old_parameters() -> dict[str, Any]:
    """Parameters as an earlier version exported them."""
    exported: dict[str, Any] = json.loads(json.dumps(TRAINED.to_json()))
    exported["warmer"]["params"] = OLD
    return exported


def test_parameters_of_an_earlier_formula_are_refused_with_advice() -> None:
    with pytest.raises(WarmerError, match=r"earlier version.*train again"):
        Trained.from_json(old_parameters())


async def test_stored_parameters_of_an_earlier_formula_are_passed_over(tmp_path: Path) -> None:
    other = replace(TRAINED, key=replace(KEY, judge="claude:x"))
    async with sqlite(tmp_path / "j")() as memory:
        await memory.parameters.add(TRAINED)
        await memory.parameters.add(other)
        with closing(sqlite3.connect(tmp_path / "j")) as db, db:
            db.execute("UPDATE parameters SET params = ? WHERE judge = 'agent'", (json.dumps(OLD),))
        assert await memory.parameters.all() == [other]
        assert choose(await memory.parameters.all(), KEY).source.endswith("claude:x")
        await memory.parameters.add(newer := replace(TRAINED, created="2030-01-01T00:00:00+00:00"))
        assert await memory.parameters.all() == [other, newer]


async def test_those_in_qdrant_are_passed_over_too() -> None:
    client, other = AsyncQdrantClient(":memory:"), replace(TRAINED, key=replace(KEY, judge="claude:x"))
    async with qdrant(client)() as memory:
        await memory.parameters.add(other)
        document = {"kind": "parameters", "added": time(), "trained": json.dumps(old_parameters())}
        store = await open_store(InterleavingRemote.local(client))
        await store.write(put(document_id("parameters", *fields_of(KEY)), document))
        assert await memory.parameters.all() == [other]
        await memory.parameters.add(TRAINED)
        assert await memory.parameters.all() == [other, TRAINED]


def test_parameters_are_chosen_by_what_they_were_trained_for() -> None:
    model_judge = Trained(Key("docs", "model", "claude:x", "0-10 v1"), Params(c=2), TRAINED.plain, 40, {})
    assert choose([], KEY) == Params()
    assert choose([TRAINED, model_judge], KEY).c == 1.2
    assert "agent" in choose([TRAINED, model_judge], KEY).source
    assert choose([model_judge], KEY).c == 2
    assert "claude:x" in choose([model_judge], KEY).source
    assert choose([TRAINED], model_judge.key).c == Params().c
    assert choose([TRAINED], Key("other", *list(fields_of(KEY))[1:])).source == "default"


@pytest.mark.parametrize(
    "key", [Key("docs", "new model", "agent", "0-10 v1"), Key("docs", "model", "agent", "0-10 v2")]
)
def test_stale_parameters_are_reported_and_not_used(key: Key) -> None:
    chosen = choose([TRAINED], key)
    assert (chosen.neutral, chosen.c, chosen.share) == (Params().neutral, Params().c, Params().share)
    assert "train again" in chosen.source


def fields_of(key: Key) -> tuple[str, str, str, str]:
    return key.collection, key.model, key.judge, key.rubric


async def test_one_process_at_a_time_runs_a_job(open_memory: Open) -> None:
    async with open_memory() as one, open_memory() as other:
        here, there = one.jobs, other.jobs
        job = await here.create("docs", "claude", 25, ["a", "b"], "running")
        assert await here.claim(job.id, 60)
        assert not await there.claim(job.id, 60)
        await here.ran(job.id, 1, "s_1")
        await here.release(job.id)
        assert await there.claim(job.id, 60)
        assert (await there.find(job.id)).searches == {1: "s_1"}
        await here.settle(job.id, "cancelled", {})
        assert not await there.beat(job.id)
        await there.settle(job.id, "applied", {})
        assert (await here.find(job.id)).status == "cancelled"
        assert not await here.claim(job.id, 0)
        with pytest.raises(SearchError, match=r"t_nothing.* is unknown"):
            await here.find("t_nothing")


async def test_a_process_whose_claim_was_taken_over_cannot_change_the_job(open_memory: Open) -> None:
    async with open_memory() as one, open_memory() as other, open_memory() as third:
        slow, quick = one.jobs, other.jobs
        job = await slow.create("docs", "claude", 25, ["a"], "running")
        assert not await slow.beat(job.id)
        assert await slow.claim(job.id, 60)
        assert await slow.beat(job.id)
        assert await quick.claim(job.id, -1)
        assert not await slow.beat(job.id)
        await slow.release(job.id)
        assert not await third.jobs.claim(job.id, 60)
        assert await quick.beat(job.id)
        await quick.release(job.id)
        assert await third.jobs.claim(job.id, 60)


async def test_a_job_can_be_claimed_after_a_clock_was_set_back(
    open_memory: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_memory() as one, open_memory() as other:
        with monkeypatch.context() as tomorrow:
            for module in ("warmer.journal.sqlite.jobs", "warmer.journal.qdrant.jobs"):
                tomorrow.setattr(f"{module}.time", lambda: time() + DAY)
            job = await one.jobs.create("docs", "claude", 25, ["a"], "running")
            assert await one.jobs.claim(job.id, 60)
            assert not await other.jobs.claim(job.id, 60)
        assert await other.jobs.claim(job.id, 60)
        assert not await one.jobs.beat(job.id)


async def test_jobs_of_schema_version_2_can_be_claimed(tmp_path: Path) -> None:
    Database(tmp_path / "j").close()
    with closing(sqlite3.connect(tmp_path / "j")) as connection, connection:
        for table in ("wordings", *SUMS):
            connection.execute(f"DROP TABLE {table}")
        connection.execute("DROP INDEX scores_created")
        connection.execute("ALTER TABLE jobs DROP COLUMN owner")
        connection.execute("INSERT INTO jobs VALUES ('t_1', 'docs', 'agent', 5, '[]', 'running', '{}', 0, 0)")
        connection.execute("PRAGMA user_version = 2")
    with closing(Database(tmp_path / "j")) as database:
        jobs = SqliteJobs(database)
        assert await jobs.claim("t_1", 60)
        assert await jobs.beat("t_1")


async def test_a_journal_of_schema_version_1_is_migrated(tmp_path: Path) -> None:
    with closing(Database(tmp_path / "j")) as database, database.transaction() as connection:
        for table in (*SUMS, "wordings", "job_searches", "jobs", "parameters"):
            connection.execute(f"DROP TABLE {table}")
        connection.execute("DROP INDEX scores_created")
        connection.execute("PRAGMA user_version = 1")
    with closing(Database(tmp_path / "j")) as database:
        await SqliteParameters(database).add(TRAINED)
        assert await SqliteParameters(database).all() == [TRAINED]


def test_parameters_that_are_off_apply_to_their_own_judge_only() -> None:
    off = Trained(Key("docs", "model", "fastembed:m", "cosine v1"), OFF, TRAINED.plain, 30, {})
    assert choose([off], KEY) == Params()
    chosen = choose([off], off.key)
    assert chosen.off
    assert chosen.source == "off: held-out results were worse with scores of fastembed:m"
    assert Trained.from_json(off.to_json()) == off


async def test_a_damaged_set_is_passed_over(tmp_path: Path) -> None:
    other = replace(TRAINED, key=replace(KEY, collection="others"))
    with closing(Database(tmp_path / "j")) as database:
        parameters = SqliteParameters(database)
        for trained in (TRAINED, other):
            await parameters.add(trained)
        with closing(sqlite3.connect(tmp_path / "j")) as connection, connection:
            connection.execute("UPDATE parameters SET params = ? WHERE collection = 'docs'", ('{"c": 1e999}',))
        assert await parameters.all() == [other]
