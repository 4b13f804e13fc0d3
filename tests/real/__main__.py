"""Run the checks: `PYTHONPATH=tests python -m real REPORT BINARY`; see the package."""

import os
import platform
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from environment import SERVER, forget_settings

from real import Result, cluster, lists, recall
from real.nodes import Node, nodes

_TESTS = ["tests/retrieval/index", "tests/retrieval/journal", "tests/retrieval/publishing"]


def main() -> None:
    """Write the report; exit with status 1 if anything is not as it should be."""
    forget_settings()
    if len(sys.argv) < 3 or not Path(sys.argv[2]).is_file():
        raise SystemExit("there is no Qdrant binary, so nothing was tried: make server QDRANT_BIN=path/to/qdrant")
    report, binary = Path(sys.argv[1]), Path(sys.argv[2]).resolve()
    parts: dict[str, list[Result]] = {}
    with nodes(binary, 1) as (node,):
        version = node.version()
        one: dict[str, Callable[[Node], Iterator[Result]]] = {
            "The tests": suite,
            "Lists": lists.compare,
            "Feedback": recall.measure,
        }
        for title, measure in one.items():
            parts[title] = list(told(title, measure(node)))
    parts["Three nodes"] = list(told("Three nodes", cluster.run(binary)))
    report.write_text(write(version, parts), encoding="utf-8")
    sys.exit(any(result.good is False for results in parts.values() for result in results))


def suite(node: Node) -> Iterator[Result]:
    """Run the tests that know a real server."""
    environment = {**os.environ, SERVER: node.url}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *_TESTS],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = done.stdout.strip().splitlines()
    yield Result("tests of the engines, the journal and copying", lines[-1], done.returncode == 0)
    yield from (Result("failed", line, good=False) for line in lines if line.startswith("FAILED"))


def told(title: str, results: Iterator[Result]) -> Iterator[Result]:
    """Show each result when it is known."""
    for result in results:
        sys.stderr.write(f"{title}: {result.what}: {result.measured}\n")
        yield result


def write(version: str, parts: dict[str, list[Result]]) -> str:
    """Write the report as Markdown."""
    lines = [
        "# On a real Qdrant server",
        "",
        f"Qdrant {version}, {os.cpu_count()} cores, Python {platform.python_version()}: `make server QDRANT_BIN=...`.",
    ]
    marks = {True: "yes", False: "**no**", None: ""}
    for title, results in parts.items():
        lines += ["", f"## {title}", "", "| what | measured | as it should be |", "| --- | --- | --- |"]
        lines += [f"| {one.what} | {one.measured} | {marks[one.good]} |" for one in results]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
