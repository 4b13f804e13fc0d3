"""Ablation of the steering: `python -m warmer_evals.ablation DATASETS` writes evals/results/ablation.md.

Every variant changes one thing in the defaults. Nothing is trained, the judgments are the scores, five hits are seeds.
"""

import asyncio
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from platformdirs import user_cache_path

from warmer.embedding import Embedder
from warmer.embedding.fastembedder import load as load_embedder
from warmer.steering.params import Params
from warmer_evals import beir, budget, subject
from warmer_evals.bars import Bars
from warmer_evals.measures import measure, residual
from warmer_evals.methods import Method, feedback
from warmer_evals.retrieval import Query, Retriever, ScoredHit
from warmer_evals.scores import Judgments

_OUTPUT = Path("evals/results/ablation.md")
_DATASETS = ("med", "cisi", "cranfield", "cacm", "qdrant-docs", "scifact")
_CLASSIC_DATASETS = _DATASETS[:4]
_SEEDS, _DEPTH, _ROUNDS = 5, 10, (5, 5)
_SERVED = Params()
_NEGLIGIBLE = 1e-9  # too small a step to matter; at 0 feedback is off, and lists are fused another way
_VARIANTS: Mapping[str, Params] = {
    "as served": _SERVED,
    "nothing steered, fused and regularized as feedback is": replace(_SERVED, c=_NEGLIGIBLE, words=0),
    "neighbours do not count": replace(_SERVED, neighbours=0),
    "neighbours count half": replace(_SERVED, neighbours=0.5),
    "vectors alone steered": replace(_SERVED, words=0),
    "words alone steered": replace(_SERVED, c=_NEGLIGIBLE),
    "words weigh half": replace(_SERVED, share=0.5),
    "words weigh a third": replace(_SERVED, share=1 / 3),
    "bad hits alone: full steps": replace(_SERVED, caution=1),
    "bad hits alone: no steps": replace(_SERVED, caution=0),
    "neutral score 1 of 10": replace(_SERVED, neutral=0.1),
    "neutral score 2.5 of 10": replace(_SERVED, neutral=0.25),
    "c = 1.2": replace(_SERVED, c=1.2),
    "half as many words": replace(_SERVED, words=2),
}

Figures = dict[str, dict[str, tuple[float, float]]]


def main(datasets: Path) -> None:
    """Measure all variants on all datasets and write the tables."""
    embedder, figures = load_embedder(), Figures()
    with Bars() as bars:
        for name in _DATASETS:
            figures[name] = asyncio.run(_measure(beir.load(datasets / name), embedder, bars))
    _OUTPUT.write_text(_report(figures), encoding="utf-8")


async def _measure(dataset: beir.Dataset, embedder: Embedder, bars: Bars) -> dict[str, tuple[float, float]]:
    """Return (residual nDCG, nDCG of the union at 15 scores) by variant; "" is no feedback."""
    split = dataset.split()
    scores = Judgments(dataset, split)
    opened = await subject.from_dataset(
        dataset,
        scores,
        embedder,
        split=split,
        limit=None,
        indexed="",
        data_dir=user_cache_path("warmer", appauthor=False),
        progress=bars.steps(f"{dataset.name}: documents"),
    )
    assert opened.qrels is not None
    retriever, judged = Retriever(opened.index, opened.document), opened.qrels
    seen: dict[str, list[str]] = {}
    after: dict[str, dict[str, list[str]]] = {name: {} for name in ("", *_VARIANTS)}
    union: dict[str, dict[str, list[str]]] = {name: {} for name in ("", *_VARIANTS)}
    for done, id_ in enumerate(judged, start=1):
        query = Query(id_, dataset.queries[id_], embedder.embed_query(dataset.queries[id_]))
        seeds = await budget.score_first_list(retriever, scores, query, _SEEDS, hybrid=False)
        budgeted = await budget.score_first_list(retriever, scores, query, _SEEDS + sum(_ROUNDS), hybrid=True)
        seen[id_] = [seed.document for seed in seeds]
        plain = await retriever.search(query, _DEPTH, hybrid=True, without=seeds)
        after[""][id_] = [one.document for one in plain]
        union[""][id_] = _ranking(budgeted)
        for name, params in _VARIANTS.items():
            method = Method(True, feedback(retriever, params, hybrid=True))
            after[name][id_] = [one.document for one in await method.retrieve(query, seeds, _DEPTH)]
            union[name][id_] = (await budget.rank_rounds(scores, method, query, budgeted[:_SEEDS], _ROUNDS))[-1]
        bars.report(f"{dataset.name}: queries", done, len(judged))
    left = residual(judged, seen)
    return {name: (_mean_ndcg(left, after[name]), _mean_ndcg(judged, union[name])) for name in after}


def _ranking(read: Sequence[ScoredHit]) -> list[str]:
    return [one.document for one in sorted(read, key=lambda one: (-one.score, one.document))]


def _mean_ndcg(qrels: beir.Qrels, lists: Mapping[str, list[str]]) -> float:
    return float(np.mean([figures["ndcg"] for figures in measure(qrels, lists, _DEPTH).values()]))


def _report(figures: Figures) -> str:
    columns = ["", *_DATASETS, "mean of the first four"]
    lines = [
        "# What each part of the steering gives",
        "",
        "Defaults, nothing trained; scores are the judgments. Made by `python -m warmer_evals.ablation DATASETS`.",
    ]
    for title, measure_index in ("Residual nDCG@10", 0), ("nDCG@10 of the union at 15 scores, 5+5+5", 1):
        rows = [[name, *_lifts(figures, name, measure_index)] for name in _VARIANTS]
        lines += ["", f"## {title}, over the hybrid list without feedback", ""]
        lines += [f"| {' | '.join(row)} |" for row in [columns, ["---"] * len(columns), *rows]]
    return "\n".join(lines) + "\n"


def _lifts(figures: Figures, name: str, measure_index: int) -> list[str]:
    lifts = {
        dataset: variants[name][measure_index] / variants[""][measure_index] - 1
        for dataset, variants in figures.items()
    }
    mean = float(np.mean([lifts[dataset] for dataset in _CLASSIC_DATASETS]))
    return [f"{lift:+.1%}" for lift in [*lifts.values(), mean]]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
