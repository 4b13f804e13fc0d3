"""`warmer-evals agent`: let an agent search a dataset in each arm, and write a report."""

import argparse
import asyncio
from pathlib import Path
from typing import Any

from rich.console import Console

from warmer.embedding import DEFAULT_MODEL
from warmer.embedding.fastembedder import load as load_embedder
from warmer_evals import EvalError, beir, collection, report
from warmer_evals.agent.budgets import Budget
from warmer_evals.agent.comparison import THREAD
from warmer_evals.agent.recorded import run_recorded
from warmer_evals.agent.records import Records, load_records
from warmer_evals.agent.run import run_agents
from warmer_evals.agent.scoring import Kind
from warmer_evals.bars import Bars
from warmer_evals.cost import Cost
from warmer_evals.figures import Figures

_RECORDED = "recorded:"


def run(arguments: argparse.Namespace) -> None:
    """Ask all questions in each arm, write the report into a folder, and print the headline.

    Raises:
        EvalError: The agent, its scores or the dataset cannot be used.
    """
    if arguments.scores and not arguments.agent.startswith(_RECORDED):
        raise EvalError(
            f"--scores {arguments.scores} is for a recorded agent, and {arguments.agent!r} scores by itself: leave it "
            "out, or name --agent recorded:FILE"
        )
    budget, cost = _budget(arguments), Cost()
    report.prepare(arguments.out)
    dataset = beir.load(arguments.dataset)
    records = _records(arguments.agent, dataset)
    with Bars() as bars:
        name = asyncio.run(_index(arguments, dataset, bars))
        shared: dict[str, Any] = {
            "model": arguments.model or DEFAULT_MODEL,
            "split": arguments.split,
            "budget": budget,
            "n": arguments.n,
            "ids_only": arguments.ids_only,
            "limit": arguments.limit,
            "progress": bars.steps("questions, all arms"),
        }
        if records:
            scores: Kind = arguments.scores or "recorded"
            made = run_recorded(dataset, arguments.cache, name, records, scores=scores, **shared)
        else:
            made = run_agents(dataset, arguments.cache, name, arguments.agent, out=arguments.out, **shared)
    report.write(made, arguments.out)
    console = Console(highlight=False, soft_wrap=True)
    for line in [*_headline(made), cost.write(arguments.out)]:
        console.print(line, markup=False)


async def _index(arguments: argparse.Namespace, dataset: beir.Dataset, bars: Bars) -> str:
    embedder, steps = load_embedder(arguments.model or DEFAULT_MODEL), bars.steps("documents embedded")
    indexed = arguments.text or await collection.choose_text(dataset, embedder, arguments.cache, steps)
    return collection.build(dataset, indexed, embedder, arguments.cache, steps)


def _records(agent: str, dataset: beir.Dataset) -> Records | None:
    return load_records(Path(agent.removeprefix(_RECORDED)), dataset) if agent.startswith(_RECORDED) else None


def _budget(arguments: argparse.Namespace) -> Budget:
    if arguments.characters:
        return Budget(arguments.characters, "characters")
    return Budget(arguments.passages)


def _headline(made: Figures) -> list[str]:
    lines = [f"{made['dataset']}, agent {made['agent']}, {made['budget']} {made['unit']} a question"]
    lines += [f"{arm:<12}{_arm(figures, made['n'])}" for arm, figures in made["arms"].items()]
    for arm in made["arms"]:
        if arm != THREAD:
            compared = made["comparison"][arm]
            lift = "-" if compared["ndcg_lift"] is None else f"{compared['ndcg_lift']:+.1%}"
            lines.append(
                f"thread over {arm}: {lift}; {compared['ndcg_wins']} questions better, {compared['ndcg_losses']} "
                f"worse, p = {compared['sign_test_p']:.3g}"
            )
    return lines


def _arm(figures: Figures, n: int) -> str:
    told = (
        f"nDCG@{n} {figures['ndcg']:.3f} over {figures['queries']} questions, {figures['calls']:.1f} calls, "
        f"{figures['hits_read']:.1f} passages and {figures['characters']:,.0f} characters each"
    )
    if "failed" in figures:
        told += f", {figures['failed']} failed"
    if figures.get("input_tokens") and figures["cost"] is not None:
        told += f", ${figures['cost']:.2f}"
    return told
