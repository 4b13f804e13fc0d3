"""`warmer train`: call the tool train_params from the command line."""

import argparse
import asyncio
from pathlib import Path

import anyio

from warmer.errors import WarmerError
from warmer.judges.client import CLIENT
from warmer.publishing import Progress
from warmer.training.fit import FEWEST_HITS
from warmer_server.app import make_workspace
from warmer_server.engine import Engine, open_engine
from warmer_server.progress import progress_bar
from warmer_server.settings import Settings, read_settings
from warmer_server.terminal import echo
from warmer_tools import train_params
from warmer_tools.train_params import GOOD_QUERIES, MOST_HITS, TrainReply

_MAX_WAIT = 7 * 86400.0  # seconds
_NEXT_STEPS = {  # where they differ from those for an agent
    "needs_queries": f"`warmer train --queries FILE`, with about 50 queries, one a line: {GOOD_QUERIES}.",
    "needs_scores": "Ask an agent to call train_params with this job_id and to score what it is given, or run this "
    "again with a model as --judge.",
    "failed": "Fix what the reason names, then run this again: scores are kept.",
}


def run(arguments: argparse.Namespace) -> None:
    """Train with a progress bar on stderr, and print the outcome."""
    if not FEWEST_HITS <= arguments.limit <= MOST_HITS:
        raise WarmerError(f"--limit is {arguments.limit}: {FEWEST_HITS} to {MOST_HITS} hits of a query can be scored")
    if arguments.judge == CLIENT:
        raise WarmerError(
            "--judge client is the model of an MCP client, and this is none: choose agent, claude or fastembed:<model>"
        )
    queries = _read_queries(arguments.queries) if arguments.queries else []
    # The user of the command line may name any class.
    settings = read_settings().model_copy(update={"judges": arguments.judge})
    reply = asyncio.run(_train(settings, arguments.collection, queries, arguments.judge, arguments.limit))
    echo(*_lines(reply), stderr=False)


async def _train(settings: Settings, collection: str, queries: list[str], judge: str, limit: int) -> TrainReply:
    async with open_engine(settings) as engine:
        with progress_bar("queries scored") as progress:
            return await _follow(settings, engine, progress, collection, queries, judge, limit)


async def _follow(
    settings: Settings, engine: Engine, progress: Progress, collection: str, queries: list[str], judge: str, limit: int
) -> TrainReply:
    reported = 0

    async def report(done: int, total: int) -> None:
        nonlocal reported
        if total:
            progress(done - reported, total)
            reported = done

    async with anyio.create_task_group() as background:
        workspace = make_workspace(settings, engine, background)
        started = await train_params.start(workspace, collection, queries, judge, limit)
        if isinstance(started, TrainReply):
            reply = started
        else:
            reply = await train_params.follow(workspace, started, _MAX_WAIT, report)
    return reply


def _lines(reply: TrainReply) -> list[str]:
    lines = [f"status      {reply.status}", *([f"job         {reply.job_id}"] if reply.job_id else [])]
    if reply.reason:
        lines.append(f"reason      {reply.reason}")
    if reply.params and reply.held_out:
        params, held_out = reply.params, reply.held_out
        share = "" if params["share"] is None else f" share={params['share']:g}"
        gain, low, high = held_out["gain_over_vanilla"]
        lines += [
            f"parameters  c={params['c']:g} neutral={params['neutral']:g}{share}",
            f"held out    {held_out['queries']} queries: nDCG@10 {held_out['ndcg']:.3f}, "
            f"vanilla {held_out['vanilla']:.3f}, defaults {held_out['default']:.3f}; "
            f"over vanilla {gain:+.3f} (95% {low:+.3f} to {high:+.3f})",
            f"DCG@10      {held_out['dcg_wins']} wins, {held_out['dcg_losses']} losses against vanilla, "
            f"sign test p={held_out['sign_test']:.3f}",
            f"judge       prefers a hit beyond the first five in {held_out['disagreement']:.0%} of the queries",
        ]
    if reply.usage:
        lines.append("usage       " + ", ".join(f"{name} {value}" for name, value in reply.usage.items()))
    return [*lines, f"next        {_NEXT_STEPS.get(reply.status, reply.next)}"]


def _read_queries(path: Path) -> list[str]:
    try:
        return [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise WarmerError(f"cannot read queries from {path}: {error}") from error
