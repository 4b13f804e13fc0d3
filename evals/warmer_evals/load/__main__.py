"""`python -m warmer_evals.load DATASET`: run many agents at once and report throughput, latency and memory."""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import anyio
from platformdirs import user_cache_path

from warmer.embedding.fastembedder import load
from warmer.errors import WarmerError, innermost
from warmer_evals import EvalError
from warmer_evals.bench import collection, percentile
from warmer_evals.bench.report import machine
from warmer_evals.cli import count
from warmer_evals.load.agents import Tally, index, train, work
from warmer_evals.load.memory import sample_memory
from warmer_evals.load.server import RunningServer, environment, serve

_CONNECT_SECONDS, _POLL_SECONDS = 120.0, 0.05


def main(argv: Sequence[str] | None = None) -> None:
    """Run; exit with status 1 and one line on stderr on an error that the user can fix."""
    arguments = _parser().parse_args(argv)
    try:
        figures = run(arguments)
    except (WarmerError, BaseExceptionGroup) as error:
        cause = innermost(error)
        if not isinstance(cause, WarmerError):
            raise
        sys.exit(f"load: {cause}")
    text = markdown(figures)
    if arguments.out:
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        arguments.out.write_text(text, encoding="utf-8")
        arguments.out.with_suffix(".json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    else:
        sys.stdout.write(text)


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Make the collection, serve it, run the agents, and return the figures.

    Raises:
        EvalError: The dataset cannot be used, or the server does not start.
    """
    changing = "-changing" if arguments.reindex else ""  # not to change the collection of other measurements
    folder = arguments.work / f"{arguments.dataset.resolve().name}-{arguments.points}{changing}"
    data_dir = folder / "data"
    collection.make(arguments.dataset, arguments.points, data_dir, load())
    for journal in data_dir.glob("journal.sqlite3*"):
        journal.unlink()
    settings = environment(data_dir)
    (folder / "changing").mkdir(exist_ok=True)
    tally = Tally()
    with serve(settings, arguments.workers, folder / "load.log") as server:
        facts = anyio.run(partial(_run_agents, arguments, server, tally, settings, folder))
    return {"run": machine() | _run_facts(arguments)} | facts | _call_figures(tally, facts["seconds"])


async def _run_agents(
    arguments: argparse.Namespace, server: RunningServer, tally: Tally, settings: Mapping[str, str], folder: Path
) -> dict[str, Any]:
    queries = collection.queries(arguments.dataset)
    ready = anyio.Event()
    async with anyio.create_task_group() as tasks:
        for number in range(arguments.agents):
            tasks.start_soon(work, server.url, tally, number, queries, ready)
        await _wait_connected(tally, arguments.agents)
        if arguments.trainer:
            tasks.start_soon(train, server.url, tally)
        if arguments.reindex:
            tasks.start_soon(index, settings, tally, folder / "changing", collection.NAME)
        ready.set()
        started = perf_counter()
        memory = await sample_memory(server, arguments.seconds)
        seconds = perf_counter() - started
        tasks.cancel_scope.cancel()
    return {"seconds": round(seconds, 2), "memory": memory.figures()}


async def _wait_connected(tally: Tally, agents: int) -> None:
    with anyio.move_on_after(_CONNECT_SECONDS):
        while len(tally.connected) < agents:  # noqa: ASYNC110  an event could not wait for all agents
            await anyio.sleep(_POLL_SECONDS)
        return
    errors = "; ".join(tally.errors) or "no errors"
    raise EvalError(f"{len(tally.connected)} of {agents} agents could search in {_CONNECT_SECONDS:g} seconds: {errors}")


def _run_facts(arguments: argparse.Namespace) -> dict[str, Any]:
    return {
        "collection": f"{arguments.points:,} passages, from {arguments.dataset.resolve().name}",
        "agents": arguments.agents,
        "workers": arguments.workers,
        "beside them": ", ".join(name for name in ("trainer", "reindex") if getattr(arguments, name)) or "nothing",
    }


def _call_figures(tally: Tally, seconds: float) -> dict[str, Any]:
    calls = tally.calls.values()
    return {
        "tools": {
            tool: {
                "calls": len(durations),
                "calls/s": round(len(durations) / seconds, 1),
                **{f"p{q}, ms": round(1000 * percentile(durations, q), 1) for q in (50, 99)},
                "longest, ms": round(1000 * max(durations), 1),
            }
            for tool, durations in tally.seconds.items()
            if durations
        },
        "calls of an agent": {"least": min(calls), "most": max(calls)},
        "errors": dict(tally.errors),
        "trainings": dict(tally.trainings),
        "indexed": tally.indexed,
    }


def markdown(figures: Mapping[str, Any]) -> str:
    """Format the figures as Markdown."""
    lines = ["# Load", "", "`python -m warmer_evals.load` wrote this; its agents ran on the same cores.", ""]
    lines += [f"- {name}: {fact}" for name, fact in figures["run"].items() if fact is not None]
    lines += ["", "| tool | calls | calls/s | p50, ms | p99, ms | longest, ms |", "| --- |" + " --- |" * 5]
    lines += [f"| {tool} | {' | '.join(map(str, row.values()))} |" for tool, row in figures["tools"].items()]
    least, most = figures["calls of an agent"].values()
    lines += [
        "",
        f"- seconds: {figures['seconds']}",
        f"- calls of an agent: {least} to {most}",
        *(f"- {name}: {_format(value)}" for name, value in figures["memory"].items()),
        f"- errors: {sum(figures['errors'].values())}",
        *(f"  - {number} of {message}" for message, number in figures["errors"].items()),
        f"- trainings: {', '.join(f'{number} {status}' for status, number in figures['trainings'].items()) or 'none'}",
        f"- runs of `warmer index`: {figures['indexed']}",
    ]
    return "\n".join(lines) + "\n"


def _format(value: Any) -> str:  # noqa: ANN401  any figure
    return "; ".join(" ".join(map(str, curve)) for curve in value) if isinstance(value, list) else str(value)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m warmer_evals.load", description="Let many agents work at once.")
    parser.add_argument("dataset", type=Path, metavar="DATASET", help="folder in BEIR layout")
    for option, default, what in (
        ("--points", 10_000, "passages"),
        ("--agents", 32, "agents"),
        ("--workers", 2, "processes of the server"),
    ):
        parser.add_argument(option, type=count, default=default, metavar="N", help=f"{what} (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=30, metavar="N", help="how long (default: %(default)s)")
    parser.add_argument("--trainer", action="store_true", help="train on the agents' scores meanwhile")
    parser.add_argument("--reindex", action="store_true", help="index a changing document meanwhile")
    work_dir = user_cache_path("warmer", appauthor=False) / "bench"
    parser.add_argument(
        "--work", type=Path, default=work_dir, metavar="DIR", help="where the collection is (default: %(default)s)"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="write Markdown there, and JSON beside it")
    return parser


if __name__ == "__main__":
    main()
