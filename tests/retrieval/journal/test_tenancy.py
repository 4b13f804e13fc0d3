"""Tenants that share a journal, in SQLite and in Qdrant."""

from collections.abc import AsyncIterator
from dataclasses import replace

import numpy as np
import pytest
from shared_stores import Memory, Open

from warmer.errors import SearchError
from warmer.index import Coefficients, Hit
from warmer.journal import Journal, Search, new_search_id
from warmer.journal.jobs import Jobs
from warmer.journal.parameters import Key, Parameters, Trained
from warmer.journal.tenancy import (
    Namespace,
    TenantJobs,
    TenantJournal,
    TenantParameters,
    namespace_of,
    owner_namespace,
)
from warmer.steering.params import Params

pytestmark = pytest.mark.anyio
TENANTS = [{"must": [{"key": "tenant", "match": {"value": tenant}}]} for tenant in "ab"]


@pytest.fixture
async def memory(open_memory: Open) -> AsyncIterator[Memory]:
    async with open_memory() as memory:
        yield memory


def make_search(query: str = "why") -> Search:
    return Search(new_search_id(), "docs", "model", query, np.arange(4, dtype=np.float32), {}, True)


def make_hit() -> Hit:
    return Hit("p", 0.5, {"title": None}, np.ones(4, np.float32))


def test_a_namespace_depends_on_the_filter_but_not_on_its_order() -> None:
    one, other = (namespace_of(where) for where in TENANTS)
    assert one != other
    assert len(one.suffix) == len("@1f3c9a04")
    assert namespace_of({"a": 1, "b": 2}) == namespace_of({"b": 2, "a": 1})
    assert namespace_of({}) == Namespace("")


async def test_a_tenant_finds_only_its_own_searches(memory: Memory) -> None:
    mine, theirs = (TenantJournal(memory.journal, namespace_of(where)) for where in TENANTS)
    journals: list[Journal] = [mine, theirs]
    search = make_search()
    assert await mine.begin(search, [make_hit()]) == [1]
    await mine.score(search.id, {1: 9}, "agent", "r")
    assert (await mine.find(search.id)).collection == "docs"
    with pytest.raises(SearchError, match="is unknown: call search again"):
        await theirs.find(search.id)
    assert [await journal.queries("docs") for journal in journals] == [["why"], []]
    assert [await journal.known("docs", "why", "agent", "r") for journal in journals] == [{"p": 9}, {}]
    scored = [await journal.scored("docs", "model", "agent", "r") for journal in journals]
    assert [[found.collection for found in searches] for searches in scored] == [["docs"], []]


async def test_a_tenant_finds_only_its_own_jobs(memory: Memory) -> None:
    jobs: list[Jobs] = [TenantJobs(memory.jobs, namespace_of(where)) for where in TENANTS]
    mine, theirs = jobs
    job = await mine.create("docs", "agent", 5, ["why"], "running")
    assert job.collection == "docs"
    assert await mine.find(job.id) == job
    with pytest.raises(SearchError, match="is unknown: call train_params without it"):
        await theirs.find(job.id)
    assert await mine.claim(job.id, 60)
    assert await mine.beat(job.id)


async def test_a_tenant_finds_only_its_own_parameters(memory: Memory) -> None:
    both: list[Parameters] = [TenantParameters(memory.parameters, namespace_of(where)) for where in TENANTS]
    trained = [
        Trained(Key("docs", "model", "agent", "r"), Params(c=c), Coefficients(1, 0.5, 0.1), 30, {}) for c in (0.5, 2)
    ]
    for parameters, one in zip(both, trained, strict=True):
        await parameters.add(one)
    assert [await parameters.all() for parameters in both] == [[one] for one in trained]


async def test_the_empty_namespace_changes_nothing(memory: Memory) -> None:
    search = make_search()
    await TenantJournal(memory.journal, Namespace()).begin(search, [make_hit()])
    found = await memory.journal.find(search.id)
    assert found.collection == "docs"
    assert found.shown[1].title == ""


async def test_an_owner_is_forgotten_and_nobody_else(memory: Memory) -> None:
    owned = {owner: replace(make_search(), id=new_search_id(owner)) for owner in ("ann", "bob", "")}
    jobs = {
        owner: TenantJobs(TenantJobs(memory.jobs, namespace_of(TENANTS[0])), owner_namespace(owner)) for owner in owned
    }
    trained = {owner: (await jobs[owner].create("docs", "agent", 5, ["why"], "running")).id for owner in owned}
    for search in owned.values():
        await memory.journal.begin(search, [make_hit()])
        await memory.journal.score(search.id, {1: 9}, "agent", "r")
    assert await memory.journal.forget("ann") == 1
    with pytest.raises(SearchError, match="unknown"):
        await memory.journal.find(owned["ann"].id)
    with pytest.raises(SearchError, match="unknown"):
        await jobs["ann"].find(trained["ann"])
    for owner in ("bob", ""):
        assert (await memory.journal.find(owned[owner].id, "agent")).shown[1].score == 9
        assert await jobs[owner].find(trained[owner])
    assert await memory.journal.forget("ann") == 0
