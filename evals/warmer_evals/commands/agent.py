"""`warmer-evals agent`: let an agent search a dataset with feedback and without, and write a report."""

import argparse
import asyncio

from rich.console import Console

from warmer.embedding import DEFAULT_MODEL
from warmer.embedding.fastembedder import load as load_embedder
from warmer_evals import beir, collection, report
from warmer_evals.agent.run import run_agents
from warmer_evals.bars import Bars
from warmer_evals.cost import Cost
from warmer_evals.figures import Figures


def run(arguments: argparse.Namespace) -> None:
    """Ask all questions in both arms, write the report into a folder, and print the headline."""
    cost = Cost()
    report.prepare(arguments.out)
    dataset = beir.load(arguments.dataset)
    with Bars() as bars:
        name = asyncio.run(_index(arguments, dataset, bars))
        made = run_agents(
            dataset,
            arguments.cache,
            name,
            arguments.agent,
            model=arguments.model or DEFAULT_MODEL,
            split=arguments.split,
            budget=arguments.budget,
            n=arguments.n,
            out=arguments.out,
            ids_only=arguments.ids_only,
            limit=arguments.limit,
            progress=bars.steps("questions, both arms"),
        )
    report.write(made, arguments.out)
    console = Console(highlight=False, soft_wrap=True)
    for line in [*_headline(made), cost.write(arguments.out)]:
        console.print(line, markup=False)


async def _index(arguments: argparse.Namespace, dataset: beir.Dataset, bars: Bars) -> str:
    embedder, steps = load_embedder(arguments.model or DEFAULT_MODEL), bars.steps("documents embedded")
    indexed = arguments.text or await collection.choose_text(dataset, embedder, arguments.cache, steps)
    return collection.build(dataset, indexed, embedder, arguments.cache, steps)


def _headline(made: Figures) -> list[str]:
    compared = made["comparison"]
    lines = [f"{made['dataset']}, agent {made['agent']}, {made['budget']} passages a question"]
    for arm, figures in made["arms"].items():
        cost = "" if figures["cost"] is None or not figures["input_tokens"] else f", ${figures['cost']:.2f}"
        lines.append(
            f"{arm:<10}nDCG@{made['n']} {figures['ndcg']:.3f} over {figures['queries']} questions, "
            f"{figures['calls']:.1f} calls and {figures['hits_read']:.1f} passages each, "
            f"{figures['failed']} failed{cost}"
        )
    lift = compared["ndcg_lift"]
    lines.append(
        f"feedback  {'-' if lift is None else format(lift, '+.1%')}; {compared['ndcg_wins']} questions better, "
        f"{compared['ndcg_losses']} worse, p = {compared['sign_test_p']:.3g}"
    )
    return lines
