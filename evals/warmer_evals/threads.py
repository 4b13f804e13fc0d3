"""`python -m warmer_evals.threads DATASETS RECORDS`: what each part of a thread gives, by recorded agents.

RECORDS holds a file NAME.jsonl for each dataset (docs/evals.md); writes evals/results/threads.md. Every variant leaves
one thing out, or changes it. A thread shows five, five and five passages; the measure is nDCG@10 of their best order.
"""

import asyncio
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from platformdirs import user_cache_path

from warmer.embedding import Embedder
from warmer.embedding.batch import embed_batch
from warmer.embedding.fastembedder import load as load_embedder
from warmer.index import Hit, Index
from warmer.index.edge.catalog import Catalog
from warmer.steering.feedback import Example
from warmer.steering.params import OFF, Params
from warmer.steering.ranking import rank
from warmer.steering.scores import SCALE
from warmer.steering.thread import compose
from warmer.steering.wording import Kind, Wording
from warmer_evals import beir
from warmer_evals.agent.records import Record, load_records
from warmer_evals.agent.scoring import ModelScores, Scores
from warmer_evals.bars import Bars
from warmer_evals.collection import build, choose_text
from warmer_evals.measures import measure

_OUT = Path("evals/results/threads.md")
SETS = ("med", "cisi", "cranfield", "cacm", "qdrant-docs")
ROUND, _DEPTH = 5, 10
_SERVED = Params()


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to run a thread.

    Attributes:
        params: Its numbers.
        kinds: Which wordings count.
        later: Whether those that were written after reading count.
        lexical: Whether words are searched too.
        flat: A score that every hit gets, instead of the recorded model's; None for the latter.
    """

    params: Params = _SERVED
    kinds: frozenset[Kind] = frozenset({"query", "rewording", "passage"})
    later: bool = True
    flat: float | None = None
    lexical: bool = True


_VARIANTS: Mapping[str, Variant] = {
    "as served": Variant(),
    "no hypothetical passage": Variant(kinds=frozenset({"query", "rewording"})),
    "no wordings but the question": Variant(kinds=frozenset({"query", "passage"}), later=False),
    "the question alone": Variant(kinds=frozenset({"query"}), later=False),
    "no later wordings": Variant(later=False),
    "no scores": Variant(OFF),
    "all scores 5": Variant(flat=5),
    "all scores 7": Variant(flat=7),
    "vectors alone steered by scores": Variant(replace(_SERVED, words=0)),
    "neighbours do not count": Variant(replace(_SERVED, neighbours=0)),
    "passage and wordings weigh twice as much": Variant(replace(_SERVED, passage=1, rewording=0.5)),
    "passage and wordings weigh half as much": Variant(replace(_SERVED, passage=0.25, rewording=0.125)),
    "words weigh 0.3": Variant(replace(_SERVED, share=0.3)),
    "words weigh 0.5": Variant(replace(_SERVED, share=0.5)),
    "c = 0.75": Variant(replace(_SERVED, c=0.75)),
    "c = 3": Variant(replace(_SERVED, c=3)),
    "hits that resemble each other share nothing (ridge 20, c 15)": Variant(replace(_SERVED, ridge=20, c=15)),
    "neutral score 2 of 10": Variant(replace(_SERVED, neutral=0.2)),
}

Lists = dict[str, list[str]]  # query id -> documents
MEASURED = ("first list, nDCG@5", "thread of 15, nDCG@10")


def main(datasets: Path, records: Path) -> None:
    """Measure all variants on all datasets and write the table."""
    embedder = load_embedder()
    figures: dict[str, dict[str, tuple[float, float]]] = {}
    with Bars() as bars:
        for name in SETS:
            dataset = beir.load(datasets / name)
            figures[name] = asyncio.run(_measure(dataset, records / f"{name}.jsonl", embedder, bars))
    _OUT.write_text(_report(figures), encoding="utf-8")


async def _measure(dataset: beir.Dataset, path: Path, embedder: Embedder, bars: Bars) -> dict[str, tuple[float, float]]:
    catalog, name = await indexed(dataset, embedder, bars)
    index = catalog.open(name)
    return await play(dataset, path, embedder, bars, {arm: (index, variant) for arm, variant in _VARIANTS.items()})


async def indexed(dataset: beir.Dataset, embedder: Embedder, bars: Bars) -> tuple[Catalog, str]:
    """Index a dataset, unless that is done; gives where, and the collection's name."""
    data_dir, progress = user_cache_path("warmer", appauthor=False), bars.steps(f"{dataset.name}: documents")
    text = await choose_text(dataset, embedder, data_dir, progress)
    return Catalog(data_dir), build(dataset, text, embedder, data_dir, progress)


async def play(
    dataset: beir.Dataset, path: Path, embedder: Embedder, bars: Bars, arms: Mapping[str, tuple[Index, Variant]]
) -> dict[str, tuple[float, float]]:
    """Go through the recorded threads in each arm: a variant on an index; gives its two figures."""
    split = dataset.split()
    qrels, scores = dataset.qrels[split], ModelScores(dataset, split)
    played = [record for id_, record in load_records(path, dataset).of.items() if any(qrels.get(id_, {}).values())]
    lists: dict[str, tuple[Lists, Lists]] = {arm: ({}, {}) for arm in arms}
    for done, record in enumerate(played, start=1):
        turns = wordings_by_turn(record, embedder)
        for arm, (index, variant) in arms.items():
            shown = await thread(index, variant, turns, record, scores)
            documents = [str(hit.payload["source"]) for hit in shown]
            grades = qrels[record.id]
            lists[arm][0][record.id] = documents[:ROUND]
            lists[arm][1][record.id] = sorted(documents, key=lambda document: -grades.get(document, 0))
        bars.report(f"{dataset.name}: threads", done, len(played))
    judged = {record.id: qrels[record.id] for record in played}
    return {arm: _measured(judged, *found) for arm, found in lists.items()}


async def thread(
    index: Index, variant: Variant, turns: Sequence[Sequence[Wording]], record: Record, scores: Scores
) -> list[Hit]:
    """Show a first list and one for each later turn."""
    shown: list[Hit] = []
    said: list[Wording] = []
    for turn, wordings in enumerate(turns):
        said += [wording for wording in wordings if wording.kind in variant.kinds and (variant.later or not turn)]
        given = scores.of(record, [str(hit.payload["source"]) for hit in shown])
        examples = [
            Example(
                hit.id,
                hit.vector,
                (given[hit.payload["source"]] if variant.flat is None else variant.flat) / SCALE,
                hit.passage,
            )
            for hit in shown
        ]
        query = compose(said, variant.params, examples, lexical=variant.lexical)
        shown += await rank(index, query, ROUND, without=[hit.id for hit in shown])
    return shown


def wordings_by_turn(record: Record, embedder: Embedder) -> list[list[Wording]]:
    """Embed what was said, by turn."""
    texts = [record.query, *record.before.wordings, *record.after]
    *vectors, passage = embed_batch(embedder, texts, [record.before.ideal])
    kinds: list[Kind] = ["query", *["rewording"] * (len(texts) - 1)]  # type: ignore[list-item]
    wordings = [Wording(*one) for one in zip(kinds, texts, vectors, strict=True)]
    first = 1 + len(record.before.wordings)
    later = [[replace(wording, turn=turn)] for turn, wording in enumerate(wordings[first:], start=1)]
    return [[*wordings[:first], Wording("passage", record.before.ideal, passage)], *later]


def _measured(judged: beir.Qrels, first: Lists, best: Lists) -> tuple[float, float]:
    """Measure the first lists, and the best order of all that threads showed."""
    return _mean(judged, first, ROUND), _mean(judged, best, _DEPTH)


def _mean(qrels: beir.Qrels, lists: Lists, depth: int) -> float:
    return float(np.mean([figures["ndcg"] for figures in measure(qrels, lists, depth).values()]))


def _report(figures: Mapping[str, Mapping[str, tuple[float, float]]]) -> str:
    columns = ["", *SETS, "mean", "beside as served"]
    lines = [
        "# What each part of a thread gives",
        "",
        "Recorded agents: a language model's words, and its scores where they were recorded, elsewhere drawn alike.",
        "Made by `python -m warmer_evals.threads DATASETS RECORDS`; every variant leaves one thing out, or changes it.",
    ]
    for at, title in enumerate(MEASURED):
        lines += ["", f"## {title[0].upper()}{title[1:]}", ""]
        means = {name: float(np.mean([figures[of][name][at] for of in SETS])) for name in _VARIANTS}
        rows = [
            [
                name,
                *(f"{figures[of][name][at]:.3f}" for of in SETS),
                f"{mean:.3f}",
                f"{mean / means['as served'] - 1:+.1%}",
            ]
            for name, mean in means.items()
        ]
        lines += [f"| {' | '.join(row)} |" for row in [columns, ["---"] * len(columns), *rows]]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:3]))
