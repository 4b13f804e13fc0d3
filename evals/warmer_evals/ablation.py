"""What each part of the steering gives: `python -m warmer_evals.ablation DATASETS` writes evals/results/ablation.md.

Every variant changes one thing of the defaults. Nothing is trained, the judgments are the scores, five hits are seeds.
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
from warmer_evals.retrieval import Query, Retriever, Scored
from warmer_evals.scores import Judgments

_OUT = Path("evals/results/ablation.md")
_SETS = ("med", "cisi", "cranfield", "cacm", "qdrant-docs", "scifact")
_CLASSICS = _SETS[:4]
_SEEDS, _DEPTH, _ROUNDS = 5, 10, (5, 5)
_FULL = Params()
_NOTHING = 1e-9  # a step that changes nothing: feedback is not off, so that the fusion is that of feedback
_VARIANTS: Mapping[str, Params] = {
    "as served": _FULL,
    "nothing steered, fused and regularized as feedback is": replace(_FULL, c=_NOTHING, words=0),
    "neighbours do not count": replace(_FULL, neighbours=0),
    "neighbours count half": replace(_FULL, neighbours=0.5),
    "vectors alone steered": replace(_FULL, words=0),
    "words alone steered": replace(_FULL, c=_NOTHING),
    "words weigh half": replace(_FULL, share=0.5),
    "words weigh a third": replace(_FULL, share=1 / 3),
    "bad hits alone: full steps": replace(_FULL, caution=1),
    "bad hits alone: no steps": replace(_FULL, caution=0),
    "neutral score 1 of 10": replace(_FULL, neutral=0.1),
    "neutral score 2.5 of 10": replace(_FULL, neutral=0.25),
    "c = 1.2": replace(_FULL, c=1.2),
    "half as many words": replace(_FULL, words=2),
}

Figures = dict[str, dict[str, tuple[float, float]]]


def main(datasets: Path) -> None:
    """Measure all variants on all datasets and write the table."""
    embedder, figures = load_embedder(), dict[str, dict[str, tuple[float, float]]]()
    with Bars() as bars:
        for name in _SETS:
            figures[name] = asyncio.run(_measure(beir.load(datasets / name), embedder, bars))
    _OUT.write_text(_report(figures), encoding="utf-8")


async def _measure(dataset: beir.Dataset, embedder: Embedder, bars: Bars) -> dict[str, tuple[float, float]]:
    """Give residual nDCG and nDCG of the union at 15 scores, for each variant and for no feedback."""
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
        seeds = await budget.begin(retriever, scores, query, _SEEDS, hybrid=False)
        read = await budget.begin(retriever, scores, query, _SEEDS + sum(_ROUNDS), hybrid=True)
        seen[id_] = [seed.document for seed in seeds]
        plain = await retriever.search(query, _DEPTH, hybrid=True, without=seeds)
        after[""][id_] = [one.document for one in plain]
        union[""][id_] = _best(read)
        for name, params in _VARIANTS.items():
            method = Method(True, feedback(retriever, params, hybrid=True))
            after[name][id_] = [one.document for one in await method.retrieve(query, seeds, _DEPTH)]
            union[name][id_] = (await budget.go_on(scores, method, query, read[:_SEEDS], _ROUNDS))[-1]
        bars.report(f"{dataset.name}: queries", done, len(judged))
    left = residual(judged, seen)
    return {name: (_mean(left, after[name]), _mean(judged, union[name])) for name in after}


def _best(read: Sequence[Scored]) -> list[str]:
    return [one.document for one in sorted(read, key=lambda one: (-one.score, one.document))]


def _mean(qrels: beir.Qrels, lists: Mapping[str, list[str]]) -> float:
    return float(np.mean([figures["ndcg"] for figures in measure(qrels, lists, _DEPTH).values()]))


def _report(figures: Figures) -> str:
    columns = ["", *_SETS, "mean of the first four"]
    lines = [
        "# What each part of the steering gives",
        "",
        "Defaults, nothing trained; scores are the judgments. Made by `python -m warmer_evals.ablation DATASETS`.",
    ]
    for title, at in ("Residual nDCG@10", 0), ("nDCG@10 of the union at 15 scores, 5+5+5", 1):
        rows = [[name, *_lifts(figures, name, at)] for name in _VARIANTS]
        lines += ["", f"## {title}, over the hybrid list without feedback", ""]
        lines += [f"| {' | '.join(row)} |" for row in [columns, ["---"] * len(columns), *rows]]
    return "\n".join(lines) + "\n"


def _lifts(figures: Figures, name: str, at: int) -> list[str]:
    lifts = {of: found[name][at] / found[""][at] - 1 for of, found in figures.items()}
    return [f"{lift:+.1%}" for lift in [*lifts.values(), float(np.mean([lifts[of] for of in _CLASSICS]))]]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
