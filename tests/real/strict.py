"""What works where a collection allows a tenth of what is asked of it, limit by limit, and what names the limit."""

from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio

from real import Result
from real.nodes import Node
from warmer.embedding import Embedder
from warmer.errors import WarmerError
from warmer.index import Hit
from warmer.index.remote.client import Connection, connect
from warmer.index.remote.engine import QdrantIndex
from warmer.index.remote.options import Options
from warmer.journal import AGENT, Journal, Search, new_search_id
from warmer.passage import Passage
from warmer.publishing.server.collection import ServerCollection
from warmer.publishing.server.publish import publish_passages
from warmer.publishing.server.reading import open_source
from warmer.steering.feedback import Example
from warmer.steering.params import Params
from warmer.steering.ranking import rank
from warmer.steering.thread import compose
from warmer.steering.wording import Wording
from warmer_server.engine import JOURNAL_COLLECTION, open_engine
from warmer_server.models import load_embedder
from warmer_server.settings import Settings, read_settings

_NAME, _PASSAGES, _SHOWN = "strict", 80, 10
_QUERY = "how is bread made"
_TENTH: dict[str, float | bool] = {
    "max_query_limit": 10,  # of 100
    "search_max_batchsize": 1,  # of 2
    "upsert_max_batchsize": 2,  # of 16
    "search_max_hnsw_ef": 25,  # of 256
    "search_max_oversampling": 0.4,  # of 4
    "filter_max_conditions": 1,  # of 2 and more
    "condition_max_size": 3,  # of 30
    "read_rate_limit": 10,  # a minute, of about 100 for three rounds
    "write_rate_limit": 4,  # likewise of 40
    "search_allow_exact": False,
    "unindexed_filtering_retrieve": False,
    "unindexed_filtering_update": False,
}


def measure(node: Node) -> Iterator[Result]:
    """Set each limit on a collection and on the journal, and try all that Warmer does there."""
    embedder = load_embedder(read_settings().embedding_model)
    for limit in _TENTH:
        with TemporaryDirectory(prefix="warmer-strict-") as folder:
            yield anyio.run(_try_all, node, limit, embedder, Path(folder))
        for name in (_NAME, JOURNAL_COLLECTION):
            node.ask("DELETE", f"/collections/{name}")


async def _try_all(node: Node, limit: str, embedder: Embedder, folder: Path) -> Result:
    remote = connect(Connection(node.url, grpc_port=node.grpc_port))
    settings = Settings.model_construct(qdrant_url=node.url, journal="qdrant", data_dir=folder, collection_name=_NAME)
    wording = Wording("query", _QUERY, embedder.embed_query(_QUERY))
    scored: list[Example] = []
    hits: list[Hit] = []

    async def index() -> None:
        edition = f"edition {len(hits)}"
        collection = ServerCollection(remote, _NAME, pauses=())
        result = await publish_passages(collection, _passages(edition), embedder, roots={"pages": folder})
        assert result.embedded == _PASSAGES, f"{result.embedded} passages"

    async def search() -> None:
        hits[:] = await rank(QdrantIndex(remote, _NAME), compose([wording], Params(), scored), _SHOWN)
        assert len(hits) == _SHOWN, f"{len(hits)} hits"

    async def feedback() -> None:
        for _ in range(3):
            scored.extend(Example(hit.id, hit.vector, 0.7, hit.passage) for hit in hits)
            seen = [one.id for one in scored]
            hits[:] = await rank(QdrantIndex(remote, _NAME), compose([wording], Params(), scored), _SHOWN, without=seen)
            assert len(hits) == _SHOWN, f"{len(hits)} hits"
            assert not {hit.id for hit in hits} & set(seen), "a hit came twice"

    async def copy() -> None:
        source = await open_source(remote, _NAME, Options(), embedder.name)
        found = sum([len(page) async for page in source.pages()])
        assert found == _PASSAGES, f"{found} passages"

    async def journal() -> None:
        async with open_engine(settings) as engine:
            await _keep(engine.journal, hits)
            assert "not on" not in engine.journal_location, engine.journal_location

    await index()
    async with open_engine(settings) as engine:
        await engine.journal.counts()  # makes the journal
    for name in (_NAME, JOURNAL_COLLECTION):
        node.ask("PATCH", f"/collections/{name}", {"strict_mode_config": {"enabled": True, limit: _TENTH[limit]}})
    said = {step.__name__: await _outcome(step) for step in (search, feedback, journal, copy, index)}
    await remote.close()
    worked = ", ".join(step for step, outcome in said.items() if not outcome)
    told = [f"{step}: {outcome}" for step, outcome in said.items() if outcome]
    good = all(not outcome or _names(limit, outcome) for outcome in said.values())
    return Result(f"{limit} {_TENTH[limit]}", "; ".join([f"{worked or 'none'} as without", *told]), good)


async def _outcome(step: Callable[[], Awaitable[None]]) -> str:
    """Try a step: what was said where it failed."""
    try:
        await step()
    except (WarmerError, AssertionError) as error:
        return str(error)[-300:]
    return ""


def _names(limit: str, said: str) -> bool:
    words = limit.removesuffix("_limit").replace("_", " ")
    return limit in said or words in said.lower()


async def _keep(journal: Journal, hits: list[Hit]) -> None:
    for n in range(3):
        search = Search(new_search_id(), _NAME, "m", f"q {n}", hits[0].vector, {}, lexical=False)
        await journal.begin(search, hits[:5])
        await journal.score(search.id, {1: 7.0, 2: 3.0}, AGENT, "r")
        assert await journal.show(search.id, hits[5:10]) == [6, 7, 8, 9, 10]
        assert len((await journal.find(search.id)).scored) == 2
    assert len(await journal.scored(_NAME, "m", AGENT, "r")) == 3
    assert await journal.prune() == 0


def _passages(edition: str) -> list[Passage]:
    """Make passages of which those of another edition differ."""
    words = ["bread", "boats", "birds", "bells", "books"]
    return [
        Passage(f"The {edition} says on page {n} how {words[n % 5]} are made.", words[n % 5], f"pages/{n}.md", 1)
        for n in range(_PASSAGES)
    ]
