"""Run the checks: `PYTHONPATH=tests python -m real REPORT BINARY [PART ...]`; see the package.

Without names of parts all are run. The others keep what the report says of them.
"""

import os
import platform
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from environment import SERVER, forget_settings

from real import Result, cluster, lists, recall, strict
from real.nodes import Node, nodes, version_of

_TESTS = [
    "tests/retrieval/index",
    "tests/retrieval/journal",
    "tests/retrieval/publishing",
    "tests/server/test_qdrant.py",
    "tests/server/test_shared_journal.py",
]
_TITLES = {
    "tests": "The tests",
    "lists": "Lists",
    "feedback": "Feedback",
    "strict": "Strict mode",
    "cluster": "Three nodes",
}
_NAMES = {title: name for name, title in _TITLES.items()}


def main() -> None:
    """Write the report; exit with status 1 if anything is not as it should be."""
    forget_settings()
    if len(sys.argv) < 3 or not Path(sys.argv[2]).is_file():
        raise SystemExit("there is no Qdrant binary, so nothing was tried: make server QDRANT_BIN=path/to/qdrant")
    report, binary = Path(sys.argv[1]), Path(sys.argv[2]).resolve()
    asked = sys.argv[3:] or list(_PARTS)
    if unknown := set(asked) - _PARTS.keys():
        raise SystemExit(f"no part is called {', '.join(sorted(unknown))}; there are {', '.join(_PARTS)}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by a signal"))  # so that nodes are stopped
    version = version_of(binary)
    sections = read(report)
    good = True
    for part in asked:
        results = list(told(part, _PARTS[part](binary)))
        sections[part] = table(results)
        good = good and all(result.good is not False for result in results)
        report.write_text(write(version, [(name, sections[name]) for name in _PARTS if name in sections]), "utf-8")
    sys.exit(not good)


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


def alone(measure: Callable[[Node], Iterator[Result]]) -> Callable[[Path], Iterator[Result]]:
    """Give a part that needs one node that node."""

    def run(binary: Path) -> Iterator[Result]:
        with nodes(binary, 1) as (node,):
            yield from measure(node)

    return run


_PARTS: dict[str, Callable[[Path], Iterator[Result]]] = {
    "tests": alone(suite),
    "lists": alone(lists.compare),
    "feedback": alone(recall.measure),
    "strict": alone(strict.measure),
    "cluster": cluster.run,
}


def told(title: str, results: Iterator[Result]) -> Iterator[Result]:
    """Show each result when it is known."""
    for result in results:
        sys.stderr.write(f"{title}: {result.what}: {result.measured}\n")
        yield result


def read(report: Path) -> dict[str, str]:
    """Give the parts of an earlier report, by name."""
    text = report.read_text(encoding="utf-8") if report.exists() else ""
    sections = [section.partition("\n") for section in text.split("\n## ")[1:]]
    return {_NAMES[title]: body.strip() for title, _, body in sections if title in _NAMES}


def table(results: Iterable[Result]) -> str:
    """Write a part as Markdown."""
    marks = {True: "yes", False: "**no**", None: ""}
    lines = ["| what | measured | as it should be |", "| --- | --- | --- |"]
    lines += [f"| {one.what} | {one.measured} | {marks[one.good]} |" for one in results]
    return "\n".join(lines)


def write(version: str, parts: Iterable[tuple[str, str]]) -> str:
    """Write the report as Markdown."""
    lines = [
        "# On a real Qdrant server",
        "",
        f"Qdrant {version}, {os.cpu_count()} cores, Python {platform.python_version()}: `make server QDRANT_BIN=...`; "
        "some parts alone: `PARTS=lists`. Times of lists are those of a client, times of feedback what the server "
        "says that it took for the median query, on a machine that others used meanwhile.",
    ]
    for name, body in parts:
        lines += ["", f"## {_TITLES[name]}", "", body]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
