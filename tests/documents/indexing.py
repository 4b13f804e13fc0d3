"""Run `warmer index` as a user does, and measure what it takes."""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread


@dataclass(frozen=True, slots=True)
class Run:
    """A run of `warmer index`.

    Attributes:
        passages: How many passages it made.
        files: How many files it read.
        seconds: How long it took.
        processor: Processor time that it took with its children, in seconds: what another program on the machine
            changes least.
        memory: Peak of its memory with that of its children, in bytes: proportional set size, sampled.
    """

    passages: int
    files: int
    seconds: float
    processor: float
    memory: int


def index(python: Path, folder: Path, data: Path) -> Run:
    """Index a folder as the new collection "docs" below `data`.

    Raises:
        AssertionError: The run failed, or showed a traceback.
    """
    shutil.rmtree(data, ignore_errors=True)
    command = [str(python), "-m", "warmer_server.cli", "index", str(folder), "--collection", "docs"]
    environment = {**os.environ, "WARMER_DATA_DIR": str(data), "COLUMNS": "1000"}
    began = time.perf_counter()
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        assert process.stdout
        ended, peaks = Event(), [0]
        watch = Thread(target=_watch, args=(process.pid, ended, peaks))
        watch.start()
        said = process.stdout.read().decode()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - began
        ended.set()
        watch.join()
    assert not process.returncode, said
    assert "Traceback" not in said, said
    counts = re.search(r"docs: (\d+) passages, (\d+) files", said)
    assert counts, said
    return Run(int(counts[1]), int(counts[2]), seconds, used.ru_utime + used.ru_stime, max(peaks))


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
