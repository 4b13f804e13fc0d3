"""`python -m warmer_evals.load DATASET`: let many agents work at once, and write down how it went."""

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
from warmer_evals.load.agents import Noted, index, train, work
from warmer_evals.load.memory import watch
from warmer_evals.load.server import Served, environment, serve

_CONNECT, _POLL = 120.0, 0.05


def main(arguments: Sequence[str] | None = None) -> None:
    """Run; exits with status 1 and one line on stderr for what a user can mend."""
    asked = _parser().parse_args(arguments)
    try:
        figures = run(asked)
    except (WarmerError, BaseExceptionGroup) as error:
        cause = innermost(error)
        if not isinstance(cause, WarmerError):
            raise
        sys.exit(f"load: {cause}")
    text = markdown(figures)
    if asked.out:
        asked.out.parent.mkdir(parents=True, exist_ok=True)
        asked.out.write_text(text, encoding="utf-8")
        asked.out.with_suffix(".json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    else:
        sys.stdout.write(text)


def run(asked: argparse.Namespace) -> dict[str, Any]:
    """Make the collection, serve it, let the agents work, and give the figures.

    Raises:
        EvalError: The dataset cannot be used, or the server does not start.
    """
    changing = "-changing" if asked.reindex else ""  # what is indexed anew is no more the collection of a benchmark
    folder = asked.work / f"{asked.dataset.resolve().name}-{asked.points}{changing}"
    data_dir = folder / "data"
    collection.make(asked.dataset, asked.points, data_dir, load())
    for journal in data_dir.glob("journal.sqlite3*"):
        journal.unlink()
    settings = environment(data_dir)
    (folder / "changing").mkdir(exist_ok=True)
    noted = Noted()
    with serve(settings, asked.workers, folder / "load.log") as served:
        facts = anyio.run(partial(_load, asked, served, noted, settings, folder))
    return {"run": machine() | _facts(asked)} | facts | _figures(noted, facts["seconds"])


async def _load(
    asked: argparse.Namespace, served: Served, noted: Noted, settings: Mapping[str, str], folder: Path
) -> dict[str, Any]:
    queries = collection.queries(asked.dataset)
    ready = anyio.Event()
    async with anyio.create_task_group() as tasks:
        for number in range(asked.agents):
            tasks.start_soon(work, served.url, noted, number, queries, ready)
        await _connected(noted, asked.agents)
        if asked.trainer:
            tasks.start_soon(train, served.url, noted)
        if asked.reindex:
            tasks.start_soon(index, settings, noted, folder / "changing", collection.NAME)
        ready.set()
        begun = perf_counter()
        memory = await watch(served, asked.seconds)
        seconds = perf_counter() - begun
        tasks.cancel_scope.cancel()
    return {"seconds": round(seconds, 2), "memory": memory.figures()}


async def _connected(noted: Noted, agents: int) -> None:
    with anyio.move_on_after(_CONNECT):
        while len(noted.connected) < agents:  # noqa: ASYNC110  it waits for several
            await anyio.sleep(_POLL)
        return
    said = "; ".join(noted.errors) or "no errors"
    raise EvalError(f"{len(noted.connected)} of {agents} agents could search in {_CONNECT:g} seconds: {said}")


def _facts(asked: argparse.Namespace) -> dict[str, Any]:
    return {
        "collection": f"{asked.points:,} passages, from {asked.dataset.resolve().name}",
        "agents": asked.agents,
        "workers": asked.workers,
        "beside them": ", ".join(name for name in ("trainer", "reindex") if getattr(asked, name)) or "nothing",
    }


def _figures(noted: Noted, seconds: float) -> dict[str, Any]:
    calls = noted.calls.values()
    return {
        "tools": {
            tool: {
                "calls": len(took),
                "calls/s": round(len(took) / seconds, 1),
                **{f"p{q}, ms": round(1000 * percentile(took, q), 1) for q in (50, 99)},
                "longest, ms": round(1000 * max(took), 1),
            }
            for tool, took in noted.seconds.items()
            if took
        },
        "calls of an agent": {"least": min(calls), "most": max(calls)},
        "errors": dict(noted.errors),
        "trainings": dict(noted.trainings),
        "indexed": noted.indexed,
    }


def markdown(figures: Mapping[str, Any]) -> str:
    """Set the figures in tables."""
    lines = ["# Load", "", "`python -m warmer_evals.load` wrote this; its agents ran on the same cores.", ""]
    lines += [f"- {name}: {fact}" for name, fact in figures["run"].items() if fact is not None]
    lines += ["", "| tool | calls | calls/s | p50, ms | p99, ms | longest, ms |", "| --- |" + " --- |" * 5]
    lines += [f"| {tool} | {' | '.join(map(str, row.values()))} |" for tool, row in figures["tools"].items()]
    least, most = figures["calls of an agent"].values()
    lines += [
        "",
        f"- seconds: {figures['seconds']}",
        f"- calls of an agent: {least} to {most}",
        *(f"- {name}: {_said(value)}" for name, value in figures["memory"].items()),
        f"- errors: {sum(figures['errors'].values())}",
        *(f"  - {number} of {said}" for said, number in figures["errors"].items()),
        f"- trainings: {', '.join(f'{number} {status}' for status, number in figures['trainings'].items()) or 'none'}",
        f"- runs of `warmer index`: {figures['indexed']}",
    ]
    return "\n".join(lines) + "\n"


def _said(value: Any) -> str:  # noqa: ANN401  any figure
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
