"""`warmer-evals run`: evaluate feedback on a dataset or a collection, and write a report."""

import argparse
import asyncio
from collections.abc import Mapping

from rich.console import Console

from warmer.embedding import DEFAULT_MODEL, Embedder
from warmer.embedding.fastembedder import load as load_embedder
from warmer.embedding.pair import CLIP, load_pair
from warmer_evals import EvalError, beir, report, subject
from warmer_evals.bars import Bars
from warmer_evals.cost import Cost
from warmer_evals.figures import Figures, make_report
from warmer_evals.retrieval import Query
from warmer_evals.run import Setting, evaluate
from warmer_evals.scores import CachedJudge, Scores, load_scores
from warmer_evals.subject import Subject


def run(arguments: argparse.Namespace) -> None:
    """Evaluate, write the report, and print the headline."""
    cost = Cost()
    report.prepare(arguments.out)
    dataset = beir.load(arguments.dataset) if arguments.dataset else None
    split = dataset.split(arguments.split) if dataset else ""
    scores = load_scores(arguments.judge, dataset, split, arguments.cache)
    with Bars() as bars:
        made = asyncio.run(_run(arguments, dataset, scores, bars))
    report.write(made, arguments.out)
    usage = scores.usage if isinstance(scores, CachedJudge) else None
    console = Console(highlight=False, soft_wrap=True)
    for line in [*_headline(made), cost.write(arguments.out, usage)]:
        console.print(line, markup=False)


async def _run(arguments: argparse.Namespace, dataset: beir.Dataset | None, scores: Scores, bars: Bars) -> Figures:
    embedder, evaluated = await _open_subject(arguments, dataset, scores, bars)
    wanted = {id_ for fold in evaluated.folds for id_ in (*fold.train, *fold.test)}
    queries = _embed({id_: text for id_, text in evaluated.queries.items() if id_ in wanted}, embedder, bars)
    setting = Setting(arguments.k, arguments.n, arguments.budget, arguments.train_limit)
    return make_report(
        evaluated,
        scores.name,
        setting,
        await evaluate(evaluated, queries, scores, setting, bars.report),
        relevant=arguments.relevant_from,
        ids_only=arguments.ids_only,
    )


async def _open_subject(
    arguments: argparse.Namespace, dataset: beir.Dataset | None, scores: Scores, bars: Bars
) -> tuple[Embedder, Subject]:
    if dataset is not None:
        embedder = _load(dataset, arguments.model)
        return embedder, await subject.from_dataset(
            dataset,
            scores,
            embedder,
            split=dataset.split(arguments.split),
            limit=arguments.limit,
            indexed=arguments.text,
            data_dir=arguments.cache,
            progress=bars.steps("documents embedded"),
        )
    opened = await subject.from_collection(arguments.collection, arguments.queries, arguments.data_dir)
    embedder = load_embedder(arguments.model or str(opened.about["model"]))
    if embedder.name != opened.about["model"]:
        raise EvalError(
            f"collection {opened.name!r} was embedded by {opened.about['model']!r}, --model is {embedder.name!r}: name "
            "the former, by its folder if it is a local one"
        )
    return embedder, opened


def _load(dataset: beir.Dataset, model: str) -> Embedder:
    """Load the model that embeds a dataset.

    Raises:
        EmbeddingError: It cannot be loaded.
    """
    return load_pair(model or CLIP) if dataset.of_pictures else load_embedder(model or DEFAULT_MODEL)


def _embed(texts: Mapping[str, str], embedder: Embedder, bars: Bars) -> dict[str, Query]:
    queries = {}
    for id_, text in texts.items():
        queries[id_] = Query(id_, text, embedder.embed_query(text))
        bars.report("queries embedded", len(queries), len(texts))
    return queries


def _headline(made: Figures) -> list[str]:
    feedback = made["methods"]["feedback"]
    same, lift = feedback["same_list"], feedback["vs_same_list"]
    spent = made["budget"].get("feedback", {}).get("over_same_list")
    lines = [
        f"{made['dataset']}, judge {made['judge']}, K = {made['k']}: {feedback['queries']} queries compared, "
        f"{feedback['skipped']} skipped",
        "Over the same list without feedback:",
    ]
    if spent is not None:
        lines.append(f"nDCG at {made['about']['budget']} scores  {_percent(spent)}")
    if feedback["ndcg"] is not None:
        lines.append(f"nDCG@{made['n']}           {_percent(lift)} ({feedback['ndcg']:.3f} of what was not scored)")
    lines.append(f"relevance gain    {_percent(same['relevance_gain'])} in hits as good as the best seed")
    if feedback["queries"]:
        lines.append(
            f"DCG@{made['n']}            {same['dcg_wins']:.0%} wins, {same['dcg_losses']:.0%} losses, "
            f"p = {same['dcg_sign_test_p']:.2g}"
        )
    return lines


def _percent(fraction: float | None) -> str:
    return "none to compare with" if fraction is None else f"{fraction:+.0%}"
