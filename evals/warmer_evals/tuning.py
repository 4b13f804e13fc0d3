"""`python -m warmer_evals.tuning DATASETS RECORDS`: what it gives to fit what wordings and a passage count.

RECORDS holds a file NAME.jsonl for each dataset (docs/evals.md); prints a table. Recorded threads are split into two
halves; the weights that `train_params` would fit to one are measured on the other, by the collection's judgments.
"""

import asyncio
import sys
from pathlib import Path

import numpy as np

from warmer.embedding import Embedder
from warmer.embedding.fastembedder import load as load_embedder
from warmer.index import Index
from warmer.steering.feedback import Example
from warmer.steering.params import Params
from warmer.steering.ranking import rank, share_of_words
from warmer.steering.scores import SCALE
from warmer.steering.thread import compose
from warmer.training.fit import Sample
from warmer.training.samples import make_sample
from warmer.training.wordings import fit_wordings
from warmer_evals import beir
from warmer_evals.agent.records import Record, load_records
from warmer_evals.agent.scoring import ModelScores
from warmer_evals.bars import Bars
from warmer_evals.measures import measure
from warmer_evals.threads import ROUND, SETS, Variant, indexed, thread, wordings_by_turn


def main(datasets: Path, records: Path) -> None:
    """Measure all datasets and print the table."""
    embedder = load_embedder()
    sys.stdout.write("| dataset | first list, nDCG@5, defaults | fitted | weights fitted to each half |\n")
    sys.stdout.write("| --- | --- | --- | --- |\n")
    with Bars() as bars:
        for name in SETS:
            row = asyncio.run(_measure(beir.load(datasets / name), records / f"{name}.jsonl", embedder, bars))
            sys.stdout.write(f"| {name} | {' | '.join(row)} |\n")


async def _measure(dataset: beir.Dataset, path: Path, embedder: Embedder, bars: Bars) -> list[str]:
    catalog, name = await indexed(dataset, embedder, bars)
    index, split = catalog.open(name), dataset.split()
    qrels, scores = dataset.qrels[split], ModelScores(dataset, split)
    played = [record for id_, record in load_records(path, dataset).of.items() if any(qrels.get(id_, {}).values())]
    share = share_of_words(Params(), (await index.info()).code)
    samples = [await _sample(index, record, scores, embedder) for record in played]
    fitted = [fit_wordings(samples[half::2], Params(), share) or Params() for half in (0, 1)]
    figures = np.array(
        [
            [await _first_list(index, record, embedder, params, qrels) for params in (Params(), fitted[1 - at % 2])]
            for at, record in enumerate(played)
        ]
    )
    said = ", ".join(f"{params.passage:g} and {params.rewording:g}" for params in fitted)
    return [*(f"{mean:.3f}" for mean in figures.mean(axis=0)), said]


async def _sample(index: Index, record: Record, scores: ModelScores, embedder: Embedder) -> Sample:
    turns = wordings_by_turn(record, embedder)
    shown = await thread(index, Variant(), turns, record, scores)
    given = scores.of(record, [str(hit.payload["source"]) for hit in shown])
    scored = [Example(hit.id, hit.vector, given[hit.payload["source"]] / SCALE, hit.passage) for hit in shown]
    return await make_sample(index, [wording for turn in turns for wording in turn], scored)


async def _first_list(index: Index, record: Record, embedder: Embedder, params: Params, qrels: beir.Qrels) -> float:
    shown = await rank(index, compose(wordings_by_turn(record, embedder)[0], params), ROUND)
    documents = [str(hit.payload["source"]) for hit in shown]
    return measure({"q": dict(qrels[record.id])}, {"q": documents}, ROUND)["q"]["ndcg"]


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:3]))
