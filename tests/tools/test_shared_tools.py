"""The tools of two servers that share a journal on one Qdrant, each over a connection of its own."""

from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import anyio
import pytest
from anyio.abc import TaskGroup
from anyio.lowlevel import checkpoint
from qdrant_server import QdrantServer

from warmer.embedding import Embedder
from warmer.embedding.retrievers import Retrievers
from warmer.errors import EngineError
from warmer.index.edge.catalog import Catalog, EmbeddedCollections
from warmer.index.remote.client import Connection, connect
from warmer.journal.jobs import Job
from warmer.journal.qdrant.jobs import QdrantJobs
from warmer.journal.qdrant.parameters import QdrantParameters
from warmer.journal.qdrant.searches import QdrantJournal
from warmer.journal.qdrant.store import Store, open_store
from warmer_tools import give_feedback, search, training
from warmer_tools.give_feedback import FeedbackReply, Given
from warmer_tools.search import Request, SearchReply
from warmer_tools.train_params import start
from warmer_tools.training import quiet, run_job
from warmer_tools.wordings import Said
from warmer_tools.workspace import Workspace

pytestmark = pytest.mark.anyio


class Bread:
    """Scores by a word, and notes what it was asked."""

    name, rubric, workers = "bread", "r", 2

    def __init__(self) -> None:
        self.asked: list[str] = []

    def score(self, query: str, passages: Sequence[str]) -> list[float]:
        self.asked.append(query)
        return [9.0 if "bread" in passage else len(passage) % 3 for passage in passages]


@pytest.fixture
def judge() -> Bread:
    return Bread()


@pytest.fixture
def server() -> Iterator[QdrantServer]:
    with QdrantServer() as server:
        yield server


@pytest.fixture
async def replicas(
    server: QdrantServer, data_dir: Path, embedder: Embedder, judge: Bread
) -> AsyncIterator[list[Workspace]]:
    remotes = [connect(Connection(server.url)) for _ in range(2)]
    async with anyio.create_task_group() as background:
        stores = [await open_store(remote) for remote in remotes]
        yield [_workspace(store, data_dir, embedder, judge, background) for store in stores]
    for remote in remotes:
        await remote.close()


def _workspace(store: Store, data_dir: Path, embedder: Embedder, judge: Bread, background: TaskGroup) -> Workspace:
    return Workspace(
        collections=EmbeddedCollections(Catalog(data_dir)),
        retrievers=Retrievers("default", {}, lambda _: embedder),
        journal=QdrantJournal(store, 3600),
        parameters=QdrantParameters(store),
        jobs=QdrantJobs(store),
        load_judge=lambda _: judge,
        background=background,
    )


async def look_up(workspace: Workspace, query: str) -> SearchReply:
    return await search.run(workspace, Said(query), Request(limit=6), quiet)


async def score(
    workspace: Workspace, search_id: str, scores: dict[str, int], limit: int, *, again: bool = False
) -> FeedbackReply:
    return await give_feedback.run(workspace, Given(search_id, scores), limit, quiet, include_scored=again)


async def test_one_searches_and_the_other_takes_the_scores(replicas: list[Workspace]) -> None:
    here, there = replicas
    first = await look_up(here, "something that slows down")
    scores = {str(hit.hit): 10 if hit.title == "space" else 0 for hit in first.hits}
    second = await score(there, first.search_id, scores, 5)
    assert second.outcome == "steered"
    assert [hit.hit for hit in second.hits] == [7, 8, 9, 10, 11]
    again = await score(here, first.search_id, scores, 5)
    assert again.ranking == second.ranking
    assert [hit.hit for hit in again.hits] == [12, 13, 14, 15, 16], "what the other has shown does not come again"
    third = await score(here, first.search_id, {"7": 8}, 50)
    assert len(third.ranking) == 7
    assert [hit.hit for hit in third.hits] == [*range(17, 37)]
    mine = await score(here, first.search_id, {"7": 8}, 50, again=True)
    theirs = await score(there, first.search_id, {"7": 8}, 50, again=True)
    assert (mine.hits, mine.ranking) == (theirs.hits, theirs.ranking)
    assert sorted(hit.hit for hit in mine.hits) == [*range(1, 37)]


async def test_words_that_one_was_told_steer_the_other(replicas: list[Workspace]) -> None:
    here, there = replicas
    first = await look_up(here, "something that slows down")
    said = Said(rewordings=("orbits and tides", "the Moon"), passage="The Moon drifts away as tides slow the Earth.")
    request = Request(search_id=first.search_id, limit=6)
    second = await search.run(there, said, request, quiet)
    assert [hit.hit for hit in second.hits] == [*range(7, 13)]
    known = [await workspace.journal.find(first.search_id) for workspace in replicas]
    assert [[(one.kind, one.text, one.turn) for one in thread.wordings] for thread in known] == 2 * [
        [
            ("query", "something that slows down", 0),
            ("rewording", "orbits and tides", 1),
            ("rewording", "the Moon", 1),
            ("passage", "The Moon drifts away as tides slow the Earth.", 1),
        ]
    ]
    third = await search.run(here, Said(), request, quiet)
    assert [hit.hit for hit in third.hits] == [*range(13, 19)]


async def test_scores_that_both_take_at_once_all_count(replicas: list[Workspace]) -> None:
    found = await look_up(replicas[0], "water")

    async def feed(workspace: Workspace, scores: dict[str, int]) -> None:
        await score(workspace, found.search_id, scores, 10)

    async with anyio.create_task_group() as tasks:
        for number in range(1, 7):
            tasks.start_soon(feed, replicas[number % 2], {str(number): number})
    reply = await score(replicas[0], found.search_id, {"1": 0}, 50, again=True)
    assert [(ranked.hit, ranked.score) for ranked in reply.ranking] == [(6, 6), (5, 5), (4, 4), (3, 3), (2, 2), (1, 0)]
    assert sorted(hit.hit for hit in reply.hits) == [*range(1, 37)]


async def test_one_of_them_trains_and_both_know(replicas: list[Workspace], judge: Bread) -> None:
    here, there = replicas
    queries = [f"bread and {subject} {n}" for subject in ("dough", "yeast") for n in range(5)]
    job = await start(here, "notes", queries, "bread", 6)
    assert isinstance(job, Job)
    async with anyio.create_task_group() as tasks:
        for workspace in (here, there, here, there):
            tasks.start_soon(run_job, workspace, await workspace.jobs.find(job.id))
    assert sorted(judge.asked) == sorted(queries)
    ended = [await workspace.jobs.find(job.id) for workspace in replicas]
    assert ended[0] == ended[1]
    assert ended[0].status in {"applied", "rejected"}
    assert await here.parameters.all() == await there.parameters.all()


@pytest.mark.parametrize("lease", [60.0, 0.0])
async def test_a_job_is_kept_through_a_fault_as_long_as_its_lease(
    replicas: list[Workspace], server: QdrantServer, monkeypatch: pytest.MonkeyPatch, lease: float
) -> None:
    monkeypatch.setattr(training, "_BEAT", 0)
    monkeypatch.setattr(training, "LEASE", lease)
    here, there = replicas
    job = await here.jobs.create("notes", "bread", 6, ["bread"], "running")
    assert await here.jobs.claim(job.id, 60)
    failed = 0

    def fails(_: str, path: str) -> bool:
        nonlocal failed
        failed += path.endswith("/batch")
        return path.endswith("/batch") and (failed <= 8 or not lease)

    server.fail(503, times=1000, when=fails)
    if not lease:
        here.journal._store._remote._timeout = 0.2  # type: ignore[attr-defined]
        with pytest.raises(EngineError, match="503"):
            await training._beat(here, job.id, anyio.CancelScope())
        return
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(training._beat, here, job.id, anyio.CancelScope())
        with anyio.fail_after(30):
            while failed <= 8:
                await checkpoint()
        await there.jobs.settle(job.id, "cancelled", {})
