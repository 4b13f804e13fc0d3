"""Three nodes, of which one is killed or hangs while agents search and score."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import anyio
import numpy as np
from qdrant_client import models

from real import Result
from real.nodes import Node, nodes
from warmer.errors import WarmerError
from warmer.index import CollectionInfo, DenseQuery, Hit
from warmer.index.remote.client import Connection, Remote, connect
from warmer.journal import AGENT, Journal, Search, new_search_id
from warmer_server.engine import JOURNAL_COLLECTION, Engine, open_engine
from warmer_server.settings import Settings

_AGENTS, _CALLS, _WRITERS, _WRITES, _DIM, _POINTS = 8, 25, 4, 100, 8, 500
_BEFORE = 40  # calls that are over when the fault happens
_AT_MOST = 240.0  # seconds
_NAME = "docs"


def run(binary: Path) -> Iterator[Result]:
    """Try each fault on a cluster of its own."""
    for copies, fault, spoken in ((1, "killed", "REST"), *product((2,), ("killed", "hanging"), ("REST", "gRPC"))):
        with nodes(binary, 3) as three, TemporaryDirectory() as folder:
            yield from anyio.run(_under_load, three, copies, fault, Path(folder), spoken == "gRPC")
    with nodes(binary, 3) as three, TemporaryDirectory() as folder:
        yield from anyio.run(_writers, three, Path(folder))


async def _under_load(three: Sequence[Node], copies: int, fault: str, folder: Path, grpc: bool) -> list[Result]:
    await _fill(three[0], copies)
    failed: list[str] = []
    longest, done, under_way = 0.0, 0, anyio.Event()

    async def agent(engine: Engine, number: int) -> None:
        nonlocal longest, done
        for call in range(_CALLS):
            began = perf_counter()
            try:
                await _search_and_score(engine, number * _CALLS + call)
            except WarmerError as error:
                failed.append(str(error))
            longest, done = max(longest, perf_counter() - began), done + 1
            if done == _BEFORE:
                under_way.set()

    async with open_engine(_settings(three[0], folder, grpc=grpc)) as engine:
        await engine.journal.counts()  # makes the journal, with as many copies as the data
        with anyio.move_on_after(_AT_MOST):
            async with anyio.create_task_group() as agents:
                for number in range(_AGENTS):
                    agents.start_soon(agent, engine, number)
                await under_way.wait()
                victim = _holder(three)
                (victim.kill if fault == "killed" else victim.hang)()
    whole = _AGENTS * _CALLS
    said = f"{len(failed)} of {whole} loops failed, the longest took {longest:.1f} s"
    if done < whole:
        said += f"; {whole - done} were not over after {_AT_MOST:.0f} s"
    if failed:
        said += f'; one said: "{failed[-1][:200]}"'
    good = (done == whole and not failed) if copies > 1 else None
    spoken = "gRPC" if grpc else "REST"
    what = f"three nodes, data in {copies} cop{'y' if copies == 1 else 'ies'}, a node {fault}, over {spoken}"
    return [Result(what, said, good)]


async def _writers(three: Sequence[Node], folder: Path) -> list[Result]:
    """Count scores that were acknowledged and are lost, or are there twice, after a node was killed."""
    await _fill(three[0], 2)
    acknowledged: dict[str, float] = {}
    under_way = anyio.Event()

    async def write(engine: Engine, writer: int) -> None:
        for n in range(_WRITES):
            search = Search(new_search_id(), _NAME, "m", f"{writer} {n}", np.ones(_DIM, np.float32), {}, lexical=False)
            try:
                await engine.journal.begin(search, _hits())
                await engine.journal.score(search.id, {1: n % 11}, AGENT, "r")
            except WarmerError:
                continue
            acknowledged[search.id] = n % 11
            if len(acknowledged) == _BEFORE:
                under_way.set()

    async with AsyncExitStack() as stack:
        engines = [
            await stack.enter_async_context(open_engine(_settings(three[0], folder / str(n)))) for n in range(_WRITERS)
        ]
        await engines[0].journal.counts()
        with anyio.move_on_after(_AT_MOST):
            async with anyio.create_task_group() as writers:
                for number, engine in enumerate(engines):
                    writers.start_soon(write, engine, number)
                await under_way.wait()
                _holder(three).kill()
        shared = await _scores(engines[0].journal)
        own = [one for engine in engines for one in await _scores(engine._stores.own().journal)]  # type: ignore[union-attr]
    kept = Counter([*shared, *own])
    lost = sum(kept[one] != 1 for one in acknowledged.items())
    whole = _WRITERS * _WRITES
    said = (
        f"{len(acknowledged)} of {whole} acknowledged, {len(shared)} are on the server, {len(own)} with the process "
        f"that wrote them, {lost} lost or doubled"
    )
    return [
        Result(f"{_WRITERS} writers, journal by default, a node killed", said, not lost and len(acknowledged) == whole)
    ]


async def _scores(journal: Journal) -> list[tuple[str, float | None]]:
    searches = await journal.scored(_NAME, "m", AGENT, "r")
    return [(search.id, shown.score) for search in searches for shown in search.scored]


async def _search_and_score(engine: Engine, seed: int) -> None:
    index = await engine.collections.find(_NAME)
    vector = np.random.default_rng(seed).normal(size=_DIM).astype(np.float32)
    found = await index.candidates(DenseQuery(vector), depth=5)
    hits = await index.retrieve(found.ids)
    search = Search(new_search_id(), _NAME, "m", str(seed), vector, {}, lexical=False)
    await engine.journal.begin(search, hits)
    await engine.journal.score(search.id, {1: 7.0}, AGENT, "r")
    assert (await engine.journal.find(search.id)).scored


def _holder(three: Sequence[Node]) -> Node:
    """Give a node that holds a copy of the journal; never the one that is asked, which is the first."""
    for node in three[1:]:
        held = node.ask("GET", f"/collections/{JOURNAL_COLLECTION}/cluster")
        if held["local_shards"]:
            return node
    return three[1]


def _settings(node: Node, folder: Path, *, grpc: bool = False) -> Settings:
    return Settings.model_construct(
        qdrant_url=node.url,
        qdrant_grpc_port=node.grpc_port if grpc else 0,
        journal="qdrant",
        data_dir=folder,
        collection_name=_NAME,
    )


def _hits() -> list[Hit]:
    return [Hit("1", 1.0, {"text": "one", "title": "", "source": ""}, np.ones(_DIM, dtype=np.float32))]


async def _fill(node: Node, copies: int) -> None:
    remote: Remote = connect(Connection(node.url))
    vectors = np.random.default_rng(0).normal(size=(_POINTS, _DIM))
    info = CollectionInfo(_NAME, "1", "m", _DIM, _POINTS)
    await remote.call(
        lambda client: client.create_collection(
            info.name,
            {"dense": models.VectorParams(size=_DIM, distance=models.Distance.COSINE)},
            shard_number=3,
            replication_factor=copies,
            metadata={"warmer": {"model": "m", "generation": "1"}},
        ),
        what="making",
        retry=False,
    )
    points = [
        models.PointStruct(id=n, vector={"dense": vector.tolist()}, payload={"text": f"text {n}"})
        for n, vector in enumerate(vectors)
    ]
    await remote.call(lambda client: client.upsert(_NAME, points, wait=True), what="filling")
    await remote.close()
