"""`python -m warmer_evals.words DATASETS RECORDS`: what words give where a collection has no vector for them.

Recorded agents go through threads of fifteen passages, as in `warmer_evals.threads`, over the same passages and
vectors: with Warmer's own sparse vector, by vectors alone, and as a collection that somebody else made, whose words are
read from its texts. Writes evals/results/words.md.
"""

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from platformdirs import user_cache_path
from qdrant_client import AsyncQdrantClient, models

from warmer.embedding import Embedder
from warmer.embedding.fastembedder import load as load_embedder
from warmer.index import Index
from warmer.index.edge.catalog import Catalog
from warmer.index.remote.client import Remote
from warmer.index.remote.engine import QdrantIndex
from warmer.index.remote.options import Options
from warmer.passage import native_id
from warmer.publishing.embedded.published import PublishedGeneration
from warmer.steering.params import Params
from warmer_evals import beir
from warmer_evals.agent.records import load_records
from warmer_evals.agent.scoring import ModelScores
from warmer_evals.bars import Bars
from warmer_evals.collection import build, choose_text
from warmer_evals.threads import ROUND, SETS, Lists, Variant, measured, thread, wordings_by_turn

_OUT = Path("evals/results/words.md")
_SPARSE, _DENSE = "a sparse vector", "vectors alone"
_READ = {"its texts, read whole": 1.0, "its texts, a tenth read": 0.1}
_MEASURED = ("first list, nDCG@5", "thread of 15, nDCG@10")


def main(datasets: Path, records: Path) -> None:
    """Measure all datasets and write the table."""
    embedder = load_embedder()
    with Bars() as bars:
        figures = {
            name: asyncio.run(_measure(beir.load(datasets / name), records / f"{name}.jsonl", embedder, bars))
            for name in SETS
        }
    _OUT.write_text(_report(figures), encoding="utf-8")


async def _measure(dataset: beir.Dataset, path: Path, embedder: Embedder, bars: Bars) -> dict[str, tuple[float, float]]:
    split, data_dir = dataset.split(), user_cache_path("warmer", appauthor=False)
    qrels, scores = dataset.qrels[split], ModelScores(dataset, split)
    progress = bars.steps(f"{dataset.name}: documents")
    catalog = Catalog(data_dir)
    name = build(dataset, await choose_text(dataset, embedder, data_dir, progress), embedder, data_dir, progress)
    stored = PublishedGeneration(catalog.generations(name))
    indexes: dict[str, tuple[Index, bool]] = {
        _SPARSE: (catalog.open(name), True),
        _DENSE: (catalog.open(name), False),
        **{arm: (await _foreign(stored, embedder.dim, share), True) for arm, share in _READ.items()},
    }
    played = [record for id_, record in load_records(path, dataset).of.items() if any(qrels.get(id_, {}).values())]
    lists: dict[str, tuple[Lists, Lists]] = {arm: ({}, {}) for arm in indexes}
    for done, record in enumerate(played, start=1):
        turns = wordings_by_turn(record, embedder)
        for arm, (index, lexical) in indexes.items():
            shown = await thread(index, Variant(Params(), lexical=lexical), turns, record, scores)
            documents = [str(hit.payload["source"]) for hit in shown]
            grades = qrels[record.id]
            lists[arm][0][record.id] = documents[:ROUND]
            lists[arm][1][record.id] = sorted(documents, key=lambda document: -grades.get(document, 0))
        bars.report(f"{dataset.name}: threads", done, len(played))
    judged = {record.id: qrels[record.id] for record in played}
    return {arm: measured(judged, *found) for arm, found in lists.items()}


async def _foreign(stored: PublishedGeneration, dim: int, share: float) -> QdrantIndex:
    """Store passages and vectors as LangChain does, and let a share of them be read for their words."""
    client = AsyncQdrantClient(":memory:")
    size = models.VectorParams(size=dim, distance=models.Distance.COSINE)
    await client.create_collection("theirs", vectors_config=size)
    payloads = dict(stored.payloads())
    vectors = stored.vectors(list(payloads))
    points = [
        models.PointStruct(
            id=native_id(id_),
            vector=vectors[id_].tolist(),
            payload={
                "page_content": payload["text"],
                "metadata": {"source": payload["source"], "title": payload.get("title") or ""},
            },
        )
        for id_, payload in payloads.items()
    ]
    await client.upsert("theirs", points)
    index = QdrantIndex(Remote.local(client), "theirs", Options(words=max(1, round(share * len(points)))))
    await index.read_words()
    return index


def _report(figures: Mapping[str, Mapping[str, tuple[float, float]]]) -> str:
    arms = [_SPARSE, _DENSE, *_READ]
    lines = [
        "# Words where there is no vector for them",
        "",
        "Recorded agents in threads of fifteen passages, over the same passages and vectors; made by",
        "`python -m warmer_evals.words DATASETS RECORDS`. The last column is the share of what a sparse vector gains.",
    ]
    for at, title in enumerate(_MEASURED):
        means = {arm: float(np.mean([figures[of][arm][at] for of in SETS])) for arm in arms}
        gained = means[_SPARSE] - means[_DENSE]
        rows = [
            [
                arm,
                *(f"{figures[of][arm][at]:.3f}" for of in SETS),
                f"{means[arm]:.3f}",
                f"{(means[arm] - means[_DENSE]) / gained:.0%}",
            ]
            for arm in arms
        ]
        columns = ["words from", *SETS, "mean", "of the gain"]
        lines += ["", f"## {title[0].upper()}{title[1:]}", ""]
        lines += [f"| {' | '.join(row)} |" for row in [columns, ["---"] * len(columns), *rows]]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:3]))
