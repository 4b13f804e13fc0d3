"""`python -m warmer_evals.bench DATASET`: measure, and write `evals/results/bench.md`."""

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

from platformdirs import user_cache_path

from warmer.embedding.fastembedder import load
from warmer.errors import WarmerError
from warmer_evals.bench import Row, collection, engine, fit, report, servers
from warmer_evals.cli import count

_ENVIRONMENT = Path(__file__).parent / "environment.py"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run; exits with status 1 and one line on stderr for what a user can mend."""
    parsed = _parser().parse_args(arguments)
    try:
        run(parsed)
    except WarmerError as error:
        sys.exit(f"bench: {error}")


def run(asked: argparse.Namespace) -> None:
    """Make the collection, measure on it, and write the report."""
    begun = perf_counter()
    work = asked.work / f"{asked.dataset.resolve().name}-{asked.points}"
    data_dir = work / "data"
    embedder = load()
    made = collection.make(asked.dataset, asked.points, data_dir, embedder)
    for journal in data_dir.glob("journal.sqlite3*"):
        journal.unlink()
    compared = [servers.warmer(data_dir), servers.floor(data_dir)]
    if asked.peer:
        compared.insert(1, servers.peer(asked.peer, data_dir, work))
    queries = collection.queries(asked.dataset)
    rows = [
        *servers.measure(compared, queries, starts=asked.starts, calls=asked.calls, work=work),
        *engine.measure(data_dir, embedder, queries, opens=asked.starts, calls=asked.calls),
        Row("embedding", "passages/s", {servers.WARMER: [made.embedded / made.embedding]}),
        Row(f"index of {made.points:,} passages", "s", {servers.WARMER: [made.embedding + made.building]}),
        Row("the same, without embedding", "s", {servers.WARMER: [made.building]}),
        *fit.measure(asked.dataset, embedder, runs=asked.starts),
        *_environments(asked.peer),
    ]
    facts = report.machine() | {
        "collection": f"{made.points:,} passages, {made.embedded:,} of them documents of {made.dataset}, the rest "
        "variations of those",
        "minutes": round((perf_counter() - begun) / 60, 1),
    }
    report.write(asked.out, facts, rows)
    sys.stdout.write(f"{asked.out}\n")


def _environments(peer: str) -> list[Row]:
    size, packages = Row("environment", "MB"), Row("the same, by number", "packages")
    for name, python in ((servers.WARMER, sys.executable), (servers.PEER, peer)):
        if python:
            done = subprocess.run([python, _ENVIRONMENT, name], check=True, capture_output=True, text=True)  # noqa: S603
            found = json.loads(done.stdout)
            if found["packages"]:
                size.values[name], packages.values[name] = [found["MB"]], [found["packages"]]
    return [row for row in (size, packages) if row.values]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m warmer_evals.bench", description="Measure speed and size.")
    parser.add_argument("dataset", type=Path, metavar="DATASET", help="folder in BEIR layout")
    parser.add_argument("--points", type=count, default=10_000, metavar="N", help="passages (default: %(default)s)")
    parser.add_argument("--starts", type=count, default=11, metavar="N", help="starts of each (default: %(default)s)")
    parser.add_argument("--calls", type=count, default=200, metavar="N", help="calls of a tool (default: %(default)s)")
    parser.add_argument("--peer", default="", metavar="PYTHON", help="of an environment with mcp-server-qdrant")
    parser.add_argument(
        "--work",
        type=Path,
        default=user_cache_path("warmer", appauthor=False) / "bench",
        metavar="DIR",
        help="where the collection is kept for the next run (default: %(default)s)",
    )
    parser.add_argument(
        "--out", type=Path, default=Path("evals/results/bench.md"), metavar="FILE", help="default: %(default)s"
    )
    return parser


if __name__ == "__main__":
    main()
