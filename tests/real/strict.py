"""What works where a collection allows a tenth of what is asked of it, limit by limit, and what names the limit."""

import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio

from real import Result
from real.nodes import Node
from warmer.errors import WarmerError
from warmer.index import Hit, Index
from warmer.journal import AGENT, Journal, Search, new_search_id
from warmer.steering.feedback import Example
from warmer.steering.params import Params
from warmer.steering.ranking import rank
from warmer.steering.thread import compose
from warmer.steering.wording import Wording
from warmer_server.app import load_embedder
from warmer_server.engine import JOURNAL_COLLECTION, open_engine
from warmer_server.settings import Settings, read_settings

_NAME, _PAGES, _SHOWN = "strict", 12, 10
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
_Try = Callable[[], Awaitable[None]]


def measure(node: Node) -> Iterator[Result]:
    """Set each limit on a collection and on the journal, and try all that Warmer does there."""
    for limit in _TENTH:
        with TemporaryDirectory(prefix="warmer-strict-") as folder:
            yield anyio.run(_try_all, node, limit, Path(folder))
        for name in (_NAME, f"{_NAME}-again", JOURNAL_COLLECTION):
            node.ask("DELETE", f"/collections/{name}")


async def _try_all(node: Node, limit: str, folder: Path) -> Result:
    url = ["--url", node.url]
    pages = folder / "pages"
    pages.mkdir()
    _write(pages, "first")
    await _warmer(folder, "index", str(pages), "--collection", _NAME, *url)
    settings = Settings.model_construct(qdrant_url=node.url, journal="qdrant", data_dir=folder, collection_name=_NAME)
    async with open_engine(settings) as engine:
        await engine.journal.counts()
        for name in (_NAME, JOURNAL_COLLECTION):
            node.ask("PATCH", f"/collections/{name}", {"strict_mode_config": {"enabled": True, limit: _TENTH[limit]}})
        index = await engine.collections.find(_NAME)
        scored: list[Example] = []
        hits: list[Hit] = []

        async def search() -> None:
            hits.extend(await _listed(index, scored))
            assert len(hits) == _SHOWN, f"{len(hits)} hits"

        async def feedback() -> None:
            for _ in range(3):
                scored.extend(Example(hit.id, hit.vector, 0.7, hit.passage) for hit in hits[-5:])
                hits.extend(await _listed(index, scored))
            assert len({hit.id for hit in hits}) == 3 * _SHOWN + _SHOWN, "a hit came twice"

        async def index_again() -> None:
            _write(pages, "second")
            await _warmer(folder, "index", str(pages), "--collection", _NAME, *url)

        async def copy() -> None:
            await _warmer(folder, "copy", _NAME, "--from", node.url, "--to", "embedded", "--as", "here")
            await _warmer(folder, "copy", "here", "--from", "embedded", "--to", node.url, "--as", f"{_NAME}-again")

        async def journal() -> None:
            await _keep(engine.journal, hits)
            assert JOURNAL_COLLECTION in engine.journal_location and "not on" not in engine.journal_location

        steps: list[_Try] = [search, feedback, journal, index_again, copy]
        said = {step.__name__.replace("_", " "): await _outcome(step, limit) for step in steps}
    worked = [step for step, outcome in said.items() if not outcome]
    told = [f"{step}: {outcome}" for step, outcome in said.items() if outcome]
    good = all(not outcome or _names(limit, outcome) for outcome in said.values())
    return Result(f"{limit} {_TENTH[limit]}", "; ".join([f"{', '.join(worked) or 'nothing'} work", *told]), good)


async def _outcome(step: _Try, limit: str) -> str:
    """Try a step: what was said where it failed."""
    try:
        await step()
    except (WarmerError, AssertionError) as error:
        return f"{'names it' if _names(limit, str(error)) else 'fails'}: {str(error)[-300:]}"
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


async def _listed(index: Index, scored: list[Example]) -> list[Hit]:
    text = "how is bread baked"
    vector = load_embedder(read_settings().embedding_model).embed_query(text)
    query = compose([Wording("query", text, vector)], Params(), scored)
    return await rank(index, query, _SHOWN, without=[one.id for one in scored])


async def _warmer(folder: Path, *arguments: str) -> None:
    done = await anyio.run_process(
        [sys.executable, "-m", "warmer_server.cli", *arguments],
        env={"WARMER_DATA_DIR": str(folder / "data"), "PATH": ""},
        stderr=subprocess.STDOUT,
        check=False,
    )
    if done.returncode:
        raise WarmerError(" ".join(done.stdout.decode().split()))


def _write(pages: Path, edition: str) -> None:
    """Write pages of five passages each, of which those of another edition differ."""
    words = ["bread", "boats", "birds", "bells", "books"]
    for page in range(_PAGES):
        parts = [f"# {word} {page}\n\nThe {edition} page {page} says how {word} are made. " * 3 for word in words]
        (pages / f"{page}.md").write_text("\n\n".join(parts), encoding="utf-8")
