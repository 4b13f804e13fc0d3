"""This build beside another one: both served at once, called in turns, on an idle machine and on a busy one."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from warmer_evals import EvalError
from warmer_evals.bench import percentile, report, servers
from warmer_evals.bench.process import Process

THIS, OTHER = "this", "other"
_ROOMS = "retrieval", "tools", "server", "evals"
_HITS = 15
_ROUNDS, _EACH = 3, 5
_MANY = 40  # scored skims
_EMBEDDED = 300  # passages whose embedding is timed
_EMBED = """\
import json, sys, time
from warmer.embedding.fastembedder import load
embedder, texts = load(), json.load(sys.stdin)
dict(embedder.embed_passages(texts[:8]))
started = time.perf_counter()
dict(embedder.embed_passages(texts))
print(len(texts) / (time.perf_counter() - started))
"""
_MAKE = """\
import sys
from pathlib import Path
from warmer.embedding.fastembedder import load
from warmer_evals.bench import collection
collection.make(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]), load())
"""
_HEAD = """\
# Beside another build

`python -m warmer_evals.bench DATASET --against CHECKOUT` wrote this. Each build serves a collection of its own making
over stdio; both run at once and are called in turns, so that what else the machine does meets both. They do not
remember earlier threads (`WARMER_REMEMBER=off`), since the questions here resemble each other. Of each of the {runs}
runs the median is taken; a cell has the median of these, and in brackets the least and the most. A ratio is that of
two medians of one run. While the machine is busy, as many processes as it has cores do nothing but count.

The other build is {other}.
"""
_PLAIN, _WORDED = "search, 10 hits", "search, two rewordings and a passage"
_SKIMS, _WHOLE = "search, 15 skims", "search, 5 whole passages"
_FIVE_SCORES, _MANY_SCORES = "give_feedback, five scores", f"give_feedback, {_MANY} scores"
_THREE_ROUNDS = "give_feedback, fifteen scores in three rounds"
_BESIDE = {
    "search, two rewordings and a passage, beside a plain one": (
        "search, two rewordings and a passage",
        "search, 10 hits",
    ),
    f"give_feedback, {_MANY} scores, beside five": (f"give_feedback, {_MANY} scores", "give_feedback, five scores"),
    "search, 15 skims, beside 5 whole passages": ("search, 15 skims", "search, 5 whole passages"),
}

Medians = Mapping[str, Mapping[str, float]]  # build -> what -> value


@dataclass(frozen=True, slots=True)
class _Build:
    """A server of one build, and the times of its calls in ms."""

    process: Process
    times: dict[str, list[float]] = field(default_factory=dict)

    def call(self, what: str, tool: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        started = perf_counter()
        result = self.process.call(tool, arguments)
        self.times.setdefault(what, []).append(1000 * (perf_counter() - started))
        content: dict[str, Any] = result["structuredContent"]
        return content


def paths(checkout: Path) -> dict[str, str]:
    """Give what PYTHONPATH is for each build.

    Raises:
        EvalError: The folder holds no other build.
    """
    if not all((checkout / room).is_dir() for room in _ROOMS):
        raise EvalError(f"{checkout} is not a checkout of Warmer: it lacks one of {', '.join(_ROOMS)}")
    return {THIS: "", OTHER: os.pathsep.join(str(checkout / room) for room in _ROOMS)}


def make(checkout: Path, dataset: Path, points: int, data_dir: Path) -> None:
    """Let the other build make the collection in a data directory, or reuse that of an earlier run."""
    command = [sys.executable, "-c", _MAKE, str(dataset), str(points), str(data_dir)]
    subprocess.run(command, env=os.environ | {"PYTHONPATH": paths(checkout)[OTHER]}, check=True)  # noqa: S603


def measure(
    checkout: Path,
    data_dirs: Mapping[str, Path],
    queries: Sequence[str],
    passages: Sequence[str],
    *,
    runs: int,
    calls: int,
    work: Path,
) -> dict[str, list[Medians]]:
    """Measure both builds; gives the medians of each run, on an idle machine and on a busy one.

    Args:
        checkout: The other build's folder; it runs in this environment.
        data_dirs: Of each build, its data directory with the collection.
        queries: Queries, used in turn.
        passages: Texts whose embedding is timed.
        runs: How often both servers are started.
        calls: How many queries each is asked in a run.
        work: Folder for logs.
    """
    builds = {}
    for name, path in paths(checkout).items():
        own = servers.warmer(data_dirs[name])
        builds[name] = replace(own, environment={**own.environment, "PYTHONPATH": path, "WARMER_REMEMBER": "off"})
    found: dict[str, list[Medians]] = {"idle": [], "busy": []}
    for state, medians in found.items():
        with _counting(os.cpu_count() or 1 if state == "busy" else 0):
            medians += [_run(builds, queries, passages, calls, work) for _ in range(runs)]
    return found


def _run(
    servers_: Mapping[str, servers.Server],
    queries: Sequence[str],
    passages: Sequence[str],
    calls: int,
    work: Path,
) -> Medians:
    speeds = {name: _embedding_speed(server.environment, passages) for name, server in servers_.items()}
    with ExitStack() as stack:
        builds = {
            name: _Build(stack.enter_context(Process(server.command, server.environment, work / f"{name}.log")))
            for name, server in servers_.items()
        }
        for build in builds.values():
            build.process.call("search", {"query": "to load the model"})
        memory = {name: build.process.memory for name, build in builds.items()}
        for number in range(calls):
            for build in builds.values():
                _ask(build, queries, number)
    return {
        name: {
            "spawn to the reply to initialize, s": build.process.handshake,
            "resident memory after the first search, MB": memory[name] or 0.0,
            "embedding, passages/s": speeds[name],
            **{f"{what}, ms": median(times) for what, times in build.times.items()},
            f"{_FIVE_SCORES}, 95th percentile, ms": percentile(build.times[_FIVE_SCORES], 95),
        }
        for name, build in builds.items()
    }


def _embedding_speed(environment: Mapping[str, str], passages: Sequence[str]) -> float:
    command = [sys.executable, "-c", _EMBED]
    told = json.dumps(list(passages[:_EMBEDDED]))
    done = subprocess.run(  # noqa: S603
        command, input=told, env=os.environ | environment, check=True, capture_output=True, text=True
    )
    return float(done.stdout)


def _ask(build: _Build, queries: Sequence[str], number: int) -> None:
    """Make one call of each kind, about a query that was not asked before."""
    query = f"{queries[number % len(queries)]} {number}"
    ten = build.call(_PLAIN, "search", {"query": query, "limit": 10})
    build.call(_WORDED, "search", servers.worded({"query": f"{query} so", "limit": 10}, queries, number))
    scored = {"search_id": ten["search_id"], "scores": servers.SCORES, "limit": 10}
    build.call(_FIVE_SCORES, "give_feedback", scored)
    build.call(_WHOLE, "search", {"query": f"{query} whole", "limit": 5, "detail": "full"})
    reply = build.call(_SKIMS, "search", {"query": f"{query} skims", "limit": _HITS})
    for _ in range(_ROUNDS):
        scores = _scores(reply["hits"][:_EACH])
        arguments = {"search_id": reply["search_id"], "scores": scores, "limit": _HITS}
        reply = build.call(_THREE_ROUNDS, "give_feedback", arguments)
    many = build.process.call("search", {"query": f"{query} many", "limit": _MANY})["structuredContent"]
    all_scored = {"search_id": many["search_id"], "scores": _scores(many["hits"]), "limit": 10}
    build.call(_MANY_SCORES, "give_feedback", all_scored)


def _scores(hits: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    return {str(hit["hit"]): hit["hit"] * 7 % 11 for hit in hits}


@contextmanager
def _counting(processes: int) -> Iterator[None]:
    """Keep some cores busy."""
    started = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(processes)]
    try:
        yield
    finally:
        for process in started:
            process.kill()
            process.wait()


def markdown(other: str, found: Mapping[str, Sequence[Medians]]) -> str:
    """Format the medians of all runs as tables."""
    runs = len(found["idle"])
    parts = [_HEAD.format(runs=runs, other=other)]
    parts.append("\n".join(f"- {name}: {fact}" for name, fact in report.machine().items() if fact is not None) + "\n")
    for state, medians in found.items():
        parts.append(f"## {state.capitalize()}\n\n" + "\n".join(_lines(medians)) + "\n")
    return "\n".join(parts)


def _lines(medians: Sequence[Medians]) -> Iterator[str]:
    yield report.table_line(["what", f"{OTHER} build", f"{THIS} build", "ratio"])
    yield report.table_line(["---"] * 4)
    for what in medians[0][THIS]:
        before, now = ([run[build][what] for run in medians] for build in (OTHER, THIS))
        yield report.table_line([what, _spread(before), _spread(now), _ratios(now, before)])
    for what, (one, other) in _BESIDE.items():
        ratios = [
            _ratios([run[build][f"{one}, ms"] for run in medians], [run[build][f"{other}, ms"] for run in medians])
            for build in (OTHER, THIS)
        ]
        yield report.table_line([what, *ratios, ""])


def _ratios(values: Sequence[float], others: Sequence[float]) -> str:
    return _spread([value / other for value, other in zip(values, others, strict=True)])


def _spread(values: Sequence[float]) -> str:
    return f"{report.number(median(values))} ({report.number(min(values))} to {report.number(max(values))})"
