"""`python -m warmer_evals.bench DATASET`: measure speed and size, and write `evals/results/bench.md`."""

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
from warmer_evals.bench import Row, against, collection, engine, fit, report, servers
from warmer_evals.cli import count

_ENVIRONMENT = Path(__file__).parent / "environment.py"


def main(argv: Sequence[str] | None = None) -> None:
    """Run; exit with status 1 and one line on stderr on an error that the user can fix."""
    arguments = _parser().parse_args(argv)
    try:
        run(arguments)
    except WarmerError as error:
        sys.exit(f"bench: {error}")


def run(arguments: argparse.Namespace) -> None:
    """Make the collection, measure on it, and write the report."""
    started = perf_counter()
    work = arguments.work / f"{arguments.dataset.resolve().name}-{arguments.points}"
    data_dir = work / "data"
    embedder = load()
    built = collection.make(arguments.dataset, arguments.points, data_dir, embedder)
    _forget(data_dir)
    if arguments.against:
        _compare(arguments, data_dir)
        return
    compared = [servers.warmer(data_dir), servers.floor(data_dir)]
    if arguments.peer:
        compared.insert(1, servers.peer(arguments.peer, data_dir, work))
    queries = collection.queries(arguments.dataset)
    rows = [
        *servers.measure(compared, queries, starts=arguments.starts, calls=arguments.calls, work=work),
        *engine.measure(data_dir, embedder, queries, opens=arguments.starts, calls=arguments.calls),
        Row("embedding", "passages/s", {servers.WARMER: [built.embedded / built.embedding]}),
        Row(f"index of {built.points:,} passages", "s", {servers.WARMER: [built.embedding + built.building]}),
        Row("the same, without embedding", "s", {servers.WARMER: [built.building]}),
        *fit.measure(arguments.dataset, embedder, runs=arguments.starts),
        *_environments(arguments.peer),
    ]
    facts = report.machine() | {
        "collection": f"{built.points:,} passages, {built.embedded:,} of them documents of {built.dataset}, the rest "
        "variations of those",
        "minutes": round((perf_counter() - started) / 60, 1),
    }
    report.write(arguments.out, facts, rows)
    sys.stdout.write(f"{arguments.out}\n")


def _compare(arguments: argparse.Namespace, data_dir: Path) -> None:
    checkout = arguments.against.resolve()
    texts = collection.passages(arguments.dataset)
    other = data_dir.with_name(f"data-{checkout.name}")
    against.make(checkout, arguments.dataset, arguments.points, other)
    _forget(other)
    options = {"runs": arguments.starts, "calls": arguments.calls, "work": data_dir.parent}
    data_dirs = {against.THIS: data_dir, against.OTHER: other}
    found = against.measure(checkout, data_dirs, collection.queries(arguments.dataset), texts, **options)
    file = arguments.out.with_name("against.md")
    file.write_text(against.markdown(_commit(checkout), found), encoding="utf-8")
    sys.stdout.write(f"{file}\n")


def _forget(data_dir: Path) -> None:
    for journal in data_dir.glob("journal.sqlite3*"):
        journal.unlink()


def _commit(checkout: Path) -> str:
    command = ["git", "-C", str(checkout), "log", "-1", "--format=%h (%s)"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip() or "unnamed"  # noqa: S603


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
        "--against", type=Path, metavar="CHECKOUT", help="compare with another build instead; --starts runs of --calls"
    )
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
