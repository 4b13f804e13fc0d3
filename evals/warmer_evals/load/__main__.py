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
from warmer_evals.load.agents import Tally, work
from warmer_evals.load.beside import INDEX, KINDS, Beside
from warmer_evals.load.resources import sample_resources
from warmer_evals.load.server import RunningServer, environment, serve

_CONNECT_SECONDS, _POLL_SECONDS = 120.0, 0.05
_SIXTH = 6


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
    changing = "-changing" if INDEX in arguments.beside else ""  # not to change the collection of other measurements
    folder = arguments.work / f"{arguments.dataset.resolve().name}-{arguments.points}{changing}"
    data_dir = folder / "data"
    collection.make(arguments.dataset, arguments.points, data_dir, load())
    for journal in data_dir.glob("journal.sqlite3*"):
        journal.unlink()
    settings = environment(data_dir)
    tally = Tally()
    with serve(settings, arguments.workers, folder / "load.log") as server:
        beside = Beside(server.url, settings, folder, collection.NAME, arguments.pause)
        facts = anyio.run(partial(_run_agents, arguments, server, tally, beside))
    return {"run": machine() | _run_facts(arguments)} | facts | _call_figures(tally, facts["seconds"])


async def _run_agents(
    arguments: argparse.Namespace, server: RunningServer, tally: Tally, beside: Beside
) -> dict[str, Any]:
    queries = collection.queries(arguments.dataset)
    ready = anyio.Event()
    async with anyio.create_task_group() as tasks:
        for number in range(arguments.agents):
            tasks.start_soon(work, server.url, tally, number, queries, ready, arguments.think)
        await _wait_connected(tally, arguments.agents)
        for kind in arguments.beside:
            tasks.start_soon(beside.repeat, kind, tally)
        ready.set()
        tally.started = perf_counter()
        resources = await sample_resources(server, arguments.seconds)
        seconds = perf_counter() - tally.started
        tasks.cancel_scope.cancel()
    return {"seconds": round(seconds, 2), "resources": resources.figures()}


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
        "before each call an agent thinks for, s": f"0 to {2 * arguments.think:g}" if arguments.think else None,
        "beside them": f"{', '.join(arguments.beside)}; {arguments.pause:g} s after the last run of each"
        if arguments.beside
        else "nothing",
    }


def _call_figures(tally: Tally, seconds: float) -> dict[str, Any]:
    calls = tally.calls.values()
    return {
        "tools": {tool: _times(times, tally.started, seconds) for tool, times in tally.seconds.items() if times},
        "calls of an agent": {"least": min(calls), "most": max(calls)},
        "errors": dict(tally.errors),
        "trainings": dict(tally.trainings),
        "runs": dict(tally.runs),
    }


def _times(times: Sequence[tuple[float, float]], started: float, seconds: float) -> dict[str, Any]:
    durations = [duration for _, duration in times]
    first = [duration for begin, duration in times if begin < started + seconds / _SIXTH]
    last = [duration for begin, duration in times if begin > started + seconds - seconds / _SIXTH]
    return {
        "calls": len(durations),
        "calls/s": round(len(durations) / seconds, 1),
        **{f"p{q}, ms": round(1000 * percentile(durations, q), 1) for q in (50, 99)},
        "longest, ms": round(1000 * max(durations), 1),
        **{
            f"p99 of the {which} sixth, ms": round(1000 * percentile(part, 99), 1) if part else None
            for which, part in (("first", first), ("last", last))
        },
    }


def markdown(figures: Mapping[str, Any]) -> str:
    """Format the figures as Markdown."""
    lines = ["# Load", "", "`python -m warmer_evals.load` wrote this; its agents ran on the same cores.", ""]
    lines += [f"- {name}: {fact}" for name, fact in figures["run"].items() if fact is not None]
    names = list(next(iter(figures["tools"].values())))
    lines += ["", f"| tool | {' | '.join(names)} |", "| --- |" + " --- |" * len(names)]
    lines += [f"| {tool} | {' | '.join(map(str, row.values()))} |" for tool, row in figures["tools"].items()]
    least, most = figures["calls of an agent"].values()
    lines += [
        "",
        f"- seconds: {figures['seconds']}",
        f"- calls of an agent: {least} to {most}",
        *(f"- {name}: {_format(value)}" for name, value in figures["resources"].items()),
        f"- errors: {sum(figures['errors'].values())}",
        *(f"  - {number} of {message}" for message, number in figures["errors"].items()),
        *(
            f"- {name}: {', '.join(f'{number} {what}' for what, number in figures[name].items()) or 'none'}"
            for name in ("trainings", "runs")
        ),
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
    parser.add_argument(
        "--think", type=float, default=0, metavar="SECONDS", help="before each call of an agent, mean (default: 0)"
    )
    parser.add_argument(
        "--beside",
        nargs="+",
        choices=KINDS,
        default=[],
        help="meanwhile, again and again: train on the scores, index a changing document, prune the journal, export "
        "and import it",
    )
    parser.add_argument(
        "--pause", type=float, default=5, metavar="SECONDS", help="between two runs of each (default: %(default)s)"
    )
    work_dir = user_cache_path("warmer", appauthor=False) / "bench"
    parser.add_argument(
        "--work", type=Path, default=work_dir, metavar="DIR", help="where the collection is (default: %(default)s)"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="write Markdown there, and JSON beside it")
    return parser


if __name__ == "__main__":
    main()
