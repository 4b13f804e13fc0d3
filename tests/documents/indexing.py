"""Run `warmer index` as a user does, and look at what it said, took and made."""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from threading import Event, Thread
from typing import Any

from warmer.index.edge.catalog import Catalog
from warmer.publishing.embedded.published import PublishedGeneration

_FENCE = re.compile(r"[ \t>]*(?:(?:[-*+]|\d+[.)])[ \t]+)*(`{3,}|~{3,})(.*)")


@dataclass(frozen=True, slots=True)
class Run:
    """A run of `warmer index`.

    Attributes:
        said: What it wrote.
        passages: How many passages it made.
        files: How many files it read.
        seconds: How long it took.
        memory: Peak of its memory with that of its children, in bytes: proportional set size, sampled.
    """

    said: str
    passages: int
    files: int
    seconds: float
    memory: int

    @property
    def left_out(self) -> list[str]:
        """What it said of what was left out: a count, a reason and examples."""
        return re.findall(r"^left out: (.*)$", self.said, re.MULTILINE)


def index(python: Path, folder: Path, data: Path, flags: Sequence[str] = ()) -> Run:
    """Index a folder as the new collection "docs" below `data`.

    Raises:
        AssertionError: The run failed, or showed a traceback.
    """
    shutil.rmtree(data, ignore_errors=True)
    command = [str(python), "-m", "warmer_server.cli", "index", str(folder), "--collection", "docs", *flags]
    environment = {**os.environ, "WARMER_DATA_DIR": str(data), "COLUMNS": "1000"}
    began = time.perf_counter()
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        assert process.stdout
        ended, peaks = Event(), [0]
        watch = Thread(target=_watch, args=(process.pid, ended, peaks))
        watch.start()
        said = process.stdout.read().decode()
        status = process.wait()
        seconds = time.perf_counter() - began
        ended.set()
        watch.join()
    assert not status, said
    assert "Traceback" not in said, said
    counts = re.search(r"docs: (\d+) passages, (\d+) files", said)
    assert counts, said
    return Run(said, int(counts[1]), int(counts[2]), seconds, max(peaks))


def stored(data: Path) -> Iterator[dict[str, Any]]:
    """Yield the payload of each passage."""
    yield from (payload for _, payload in PublishedGeneration(Catalog(data).generations("docs")).payloads())


def is_balanced(text: str) -> bool:
    """Tell whether each fence that opens in a text is closed in it; a rule below a title is no fence."""
    opening = ""
    for above, row in pairwise(["", *text.split("\n")]):
        mark = _FENCE.fullmatch(row)
        if not mark or (not opening and _is_underline(above, row)):
            continue
        if not opening:
            opening = "" if mark[1][0] == "`" and "`" in mark[2] else mark[1]
        elif mark[1].startswith(opening) and not mark[2].strip():
            opening = ""
    return not opening


def _is_underline(above: str, row: str) -> bool:
    is_as_long = len(above.rstrip()) == len(row.rstrip()) > len("```")
    return is_as_long and any(map(str.isalnum, above)) and not above[: len(row) - len(row.lstrip())].strip()


def _watch(pid: int, ended: Event, peaks: list[int]) -> None:
    while not ended.wait(0.05):
        peaks.append(sum(map(_size, _family(pid))))


def _family(pid: int) -> Iterator[int]:
    yield pid
    try:
        children = [path.read_text().split() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    except OSError:
        return
    for child in {int(child) for found in children for child in found}:
        yield from _family(child)


def _size(pid: int) -> int:
    try:
        found = re.search(r"^Pss:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    except OSError:
        return 0
    return int(found[1]) * 1024 if found else 0
