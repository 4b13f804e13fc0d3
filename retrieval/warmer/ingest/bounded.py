"""Read files in child processes, each within limits of time and memory: no file ends a run."""

import json
import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from types import TracebackType
from typing import Any, Self

from warmer.errors import IngestError
from warmer.ingest.child import unpacked
from warmer.ingest.decode import MAX_BYTES
from warmer.ingest.files import SourceFile, replace_surrogates, require_kind
from warmer.ingest.section import Section

MAX_SECONDS = 60.0
MAX_MEMORY = 2 * 2**30  # bytes of address space, of which a child that has read nothing takes a tenth
_MAX_CHILDREN = 4
_FILES_A_CHILD = 8  # a folder of fewer files is read by one
_OUT_OF_TIME = 1, -getattr(signal, "SIGALRM", 1)  # exit statuses


@dataclass(frozen=True, slots=True)
class Limits:
    """What reading one file may take.

    Attributes:
        max_bytes: Size of the file; of a notebook, without its outputs.
        seconds: Time, in seconds.
        memory: Memory, in bytes, where the system can limit it.
        encoding: Encoding of text that is not UTF-8 and does not say; Windows-1252 if empty.
    """

    max_bytes: int = MAX_BYTES
    seconds: float = MAX_SECONDS
    memory: int = MAX_MEMORY
    encoding: str = ""


def read_files(
    files: Sequence[SourceFile], limits: Limits | None = None
) -> Iterator[tuple[SourceFile, list[Section] | IngestError]]:
    """Read files, some side by side; yield each in order with its sections, or with why there are none."""
    limits = limits or Limits()
    count = min(_MAX_CHILDREN, os.cpu_count() or 1, 1 + len(files) // _FILES_A_CHILD)
    with ExitStack() as stack:
        children = [stack.enter_context(_Child(limits)) for _ in range(count if files else 0)]
        waiting = iter(files)
        asked: deque[tuple[SourceFile, _Child]] = deque()
        for file, child in zip(islice(waiting, count), children, strict=False):
            child.ask(file)
            asked.append((file, child))
        while asked:
            file, child = asked.popleft()
            answer = child.answer(file)
            if (following := next(waiting, None)) is not None:
                child.ask(following)
                asked.append((following, child))
            yield file, answer


class _Child:
    """A child process, started again after it ended; a context manager that ends it."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process:
            self._process.kill()
            self._process.communicate()

    def ask(self, file: SourceFile) -> None:
        """Send a file to read."""
        request = {
            "path": str(file.path),
            "source": file.source,
            "kind": file.kind or require_kind(file.path),
            "max_bytes": self._limits.max_bytes,
            "encoding": self._limits.encoding,
        }
        if self._process is None:
            self._process = self._start()
        assert self._process.stdin
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # it has ended, which `answer` finds out

    def answer(self, file: SourceFile) -> list[Section] | IngestError:
        """Wait for what was asked last."""
        assert self._process
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line.endswith(b"\n"):
            return self._ended(file)
        reply: dict[str, Any] = json.loads(line)
        if "error" in reply:
            return _error(file, reply["error"], reply["reason"])
        return [unpacked(fields) for fields in reply["sections"]]

    def _start(self) -> subprocess.Popen[bytes]:
        # -P keeps a json.py in the current folder from being imported.
        arguments = (str(self._limits.seconds), str(self._limits.memory))
        command = [sys.executable, "-P", "-m", "warmer.ingest.child", *arguments]
        return subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )

    def _ended(self, file: SourceFile) -> IngestError:
        assert self._process
        self._process.communicate()
        status = self._process.returncode
        self._process = None
        if status in _OUT_OF_TIME:
            return _error(file, f"takes more than {self._limits.seconds:g} seconds to read", "takes too long")
        return _error(file, f"its reader ended with exit status {status}", "reader failed")


def _error(file: SourceFile, message: str, reason: str) -> IngestError:
    return IngestError(f"{replace_surrogates(file.path)}: {message}", reason)
