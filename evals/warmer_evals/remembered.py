"""`python -m warmer_evals.remembered DATASETS RECORDS`: what earlier threads give a search, by recorded agents.

RECORDS holds a file NAME.jsonl for each dataset (docs/evals.md); writes evals/results/remembered.md. For each recorded
question a thread is played and scored: its own wording, fifteen hits in three rounds. Then each of the model's other
wordings is searched alone, and the first five hits are measured.
"""

import asyncio
import sys
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np
from platformdirs import user_cache_path

from warmer.embedding import Embedder
from warmer.embedding.batch import embed_batch
from warmer.embedding.fastembedder import load as load_embedder
from warmer.index import Hit, Index
from warmer.journal import AGENT, Scored, Search, new_search_id
from warmer.journal.sqlite.database import Database
from warmer.journal.sqlite.searches import SqliteJournal
from warmer.memory.remembering import FOUND, Memory
from warmer.memory.threads import Threads
from warmer.steering.feedback import Example
from warmer.steering.params import Params
from warmer.steering.ranking import rank
from warmer.steering.scores import SCALE
from warmer.steering.thread import compose
from warmer.vectors import Vector, own_vector
from warmer_evals import beir
from warmer_evals.agent.records import Record, load_records
from warmer_evals.agent.scoring import ModelScores
from warmer_evals.agent.server import serve
from warmer_evals.bars import Bars
from warmer_evals.measures import measure
from warmer_evals.statistics import interval, resamples
from warmer_evals.threads import ROUND, SETS, indexed

_OUT = Path("evals/results/remembered.md")
_SERVED, _ROUNDS, _RUBRIC, _DAY = Params(), 3, "r", 86400.0
_MANY, _DIM, _LOOKS, _SEARCHES = 100_000, 384, 200, 200
ARMS = ("without", "with", "own thread taken away", "careless scores")
_TAKES = ("took scores", "took scores, own thread away")


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question, its thread, and the other wordings."""

    record: Record
    search: Search
    others: Sequence[tuple[str, Vector]]
    hits: Sequence[Hit]


def main(datasets: Path, records: Path) -> None:
    """Measure all datasets and write the table."""
    embedder = load_embedder()
    with Bars() as bars:
        figures = {
            name: asyncio.run(_measure(beir.load(datasets / name), records / f"{name}.jsonl", embedder, bars))
            for name in SETS
        }
    overhead = asyncio.run(_overhead(beir.load(datasets / SETS[0]), embedder))
    _OUT.write_text(_report(figures, *_look_up(), overhead), encoding="utf-8")


async def _measure(dataset: beir.Dataset, path: Path, embedder: Embedder, bars: Bars) -> dict[str, list[float]]:
    catalog, name = await indexed(dataset, embedder, bars)
    index, split = catalog.open(name), dataset.split()
    qrels, scores = dataset.qrels[split], ModelScores(dataset, split)
    played = [record for id_, record in load_records(path, dataset).of.items() if any(qrels.get(id_, {}).values())]
    with TemporaryDirectory() as folder:
        stores = {}
        for careless in (False, True):
            database = Database(Path(folder) / f"{careless}.sqlite3")
            stores[careless] = database, SqliteJournal(database, _DAY)
        with closing(stores[False][0]), closing(stores[True][0]):
            asked = [await _ask(index, record, scores, embedder) for record in played]
            for careless, (_, journal) in stores.items():
                for one in asked:
                    await _keep(journal, one, scores, careless=careless)
            memories = {careless: _memory(journal) for careless, (_, journal) in stores.items()}
            figures: dict[str, list[float]] = {arm: [] for arm in (*ARMS, *_TAKES)}
            for done, one in enumerate(asked, start=1):
                for arm, values in zip(
                    figures, await _figures(index, one, memories, qrels[one.record.id]), strict=True
                ):
                    figures[arm].append(values)
                bars.report(f"{dataset.name}: searches", done, len(asked))
    return figures


def _memory(journal: SqliteJournal) -> Memory:
    return Memory(journal, _RUBRIC, lambda *_: True)


async def _ask(index: Index, record: Record, scores: ModelScores, embedder: Embedder) -> _Asked:
    texts = [record.query, *record.before.wordings, *record.after]
    first, *vectors = map(own_vector, embed_batch(embedder, texts, []))
    search = Search(new_search_id(), "c", "m", record.query, first, {}, True)
    shown: list[Hit] = []
    for _ in range(_ROUNDS):
        given = scores.of(record, [str(hit.payload["source"]) for hit in shown])
        examples = [Example(hit.id, hit.vector, given[hit.payload["source"]] / SCALE, hit.passage) for hit in shown]
        query = compose(search.wordings, _SERVED, examples)
        shown += await rank(index, query, ROUND, without=[hit.id for hit in shown])
    return _Asked(record, search, list(zip(texts[1:], vectors, strict=True)), shown)


async def _keep(journal: SqliteJournal, one: _Asked, scores: ModelScores, *, careless: bool) -> None:
    documents = [str(hit.payload["source"]) for hit in one.hits]
    given = scores.of(one.record, documents)
    blind = np.random.default_rng(0).integers(0, int(SCALE) + 1, len(documents))
    await journal.begin(one.search, one.hits)
    told = {n: float(blind[n - 1] if careless else given[document]) for n, document in enumerate(documents, start=1)}
    await journal.score(one.search.id, told, AGENT, _RUBRIC)


async def _figures(
    index: Index, one: _Asked, memories: Mapping[bool, Memory], grades: Mapping[str, int]
) -> tuple[float, ...]:
    """Give the mean nDCG@5 over the wordings, of each arm, and the shares that took scores."""
    rows = []
    for text, vector in one.others:
        search = replace(one.search, id="s_new", query=text, vector=vector)
        found = await rank(index, compose(search.wordings, _SERVED), FOUND)
        lists, takes = [found[:ROUND]], []
        for careless, away in ((False, False), (False, True), (True, False)):
            near = [kept for kept in await memories[careless].near(search) if not (away and kept.id == one.search.id)]
            told = await memories[careless].remember(index, search, near, found)
            takes.append(bool(told.examples))
            query = compose(search.wordings, _SERVED, told.examples)
            lists.append(await rank(index, query, ROUND) if told.examples else found[:ROUND])
        rows.append([*(_ndcg(grades, hits) for hits in lists), *takes[: len(_TAKES)]])
    return tuple(np.mean(rows, axis=0).tolist())


def _ndcg(grades: Mapping[str, int], hits: Sequence[Hit]) -> float:
    documents = [str(hit.payload["source"]) for hit in hits]
    return measure({"q": dict(grades)}, {"q": documents}, ROUND)["q"]["ndcg"]


def _look_up() -> tuple[float, float]:
    """Look up in many threads; gives the median in milliseconds, and megabytes."""
    generator, threads = np.random.default_rng(0), Threads(_DIM)
    for number in range(_MANY):
        vector = generator.standard_normal(_DIM).astype(np.float32)
        threads.put(Scored(f"s_{number:022}", 0.0, vector, {f"{number}-{hit}": 8.0 for hit in range(8)}))
    times = []
    for _ in range(_LOOKS):
        vector, begun = generator.standard_normal(_DIM).astype(np.float32), perf_counter()
        threads.near(vector, 16)
        times.append(perf_counter() - begun)
    return float(np.median(times)) * 1e3, threads.size_in_bytes / 1e6


async def _overhead(dataset: beir.Dataset, embedder: Embedder) -> float:
    """Search with memory beside without, over stdio, with an empty journal; gives the ratio of the medians."""
    with Bars() as bars:
        _, name = await indexed(dataset, embedder, bars)
    times: dict[str, list[float]] = {"on": [], "off": []}
    async with AsyncExitStack() as stack:
        servers = {}
        for setting in times:
            folder = Path(stack.enter_context(TemporaryDirectory()))
            (folder / "collections").symlink_to(user_cache_path("warmer", appauthor=False) / "collections")
            servers[setting] = await stack.enter_async_context(serve(folder, name, embedder.name, setting))
        for query in list(dataset.queries.values())[:_SEARCHES]:
            for setting, server in servers.items():
                begun = perf_counter()
                await server.call("search", {"query": query})
                times[setting].append(perf_counter() - begun)
    return float(np.median(times["on"]) / np.median(times["off"]))


def _report(
    figures: Mapping[str, Mapping[str, Sequence[float]]], milliseconds: float, megabytes: float, overhead: float
) -> str:
    lines = [
        "# What earlier threads give a search",
        "",
        "First list of another wording of a question, nDCG@5, after a thread on the question itself was scored as a",
        "language model scores: 15 hits in three rounds. The memory holds threads of all questions of a collection.",
        "Made by `python -m warmer_evals.remembered DATASETS RECORDS`; 95% intervals, by bootstrap over the questions.",
        "",
        f"| | {' | '.join((*figures, 'mean'))} |",
        "| --- " * (len(figures) + 2) + "|",
    ]
    without = [float(np.mean(of["without"])) for of in figures.values()]
    for arm in ARMS:
        means = [float(np.mean(of[arm])) for of in figures.values()]
        cells = [f"{mean:.3f}" for mean in (*means, float(np.mean(means)))]
        lines.append(f"| {arm} | {' | '.join(cells)} |")
        if arm != "without":
            gaps = [np.array(of[arm]) - np.array(of["without"]) for of in figures.values()]
            ranges = [interval(gap[resamples(len(gap))].mean(axis=1)) or (0.0, 0.0) for gap in gaps]
            lifts = [
                f"{mean / base - 1:+.1%} ({low / base:+.1%} to {high / base:+.1%})"
                for mean, base, (low, high) in zip(means, without, ranges, strict=True)
            ]
            lines.append(f"| | {' | '.join(lifts)} | {np.mean(means) / np.mean(without) - 1:+.1%} |")
    for arm in _TAKES:
        shares = [float(np.mean(of[arm])) for of in figures.values()]
        lines.append(f"| {arm} | {' | '.join(f'{share:.0%}' for share in (*shares, float(np.mean(shares))))} |")
    lines += [
        "",
        f"Looking up one question in {_MANY:,} threads takes {milliseconds:.1f} ms (median of {_LOOKS}, random",
        f"vectors of {_DIM} numbers), and they take {megabytes:.0f} MB. A search over stdio takes {overhead:.2f} times",
        f"as long with memory as without, while nothing was scored (medians of {_SEARCHES} each, in turn).",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:3]))
