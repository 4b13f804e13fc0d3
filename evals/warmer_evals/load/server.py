"""Start and stop `warmer serve --http` with several workers, and measure their memory."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from threading import Thread
from typing import IO
from urllib.error import URLError
from urllib.request import urlopen

from warmer_evals import EvalError

_START_SECONDS = 120.0
_STOP_SECONDS = 60.0
_ANNOUNCEMENT = "warmer: serving "
COMMAND = [sys.executable, "-P", "-m", "warmer_server.cli"]


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server that is ready: its endpoint and the id of its main process."""

    url: str
    pid: int

    def memory(self) -> dict[int, float]:
        """Return the resident memory of each worker in MB (10^6 bytes) by process id; empty without /proc."""
        return {pid: size for pid in _workers(self.pid) if (size := _resident_megabytes(pid))}

    def open_files(self) -> dict[int, int]:
        """Return how many files and sockets each worker has open, by process id; empty without /proc."""
        return {pid: number for pid in _workers(self.pid) if (number := _open_files(pid))}


def environment(data_dir: Path) -> dict[str, str]:
    """Return the environment for a server on a data directory, without this process's Warmer and Qdrant settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("QDRANT_", "WARMER_"))}
    return {**kept, "WARMER_DATA_DIR": str(data_dir)}


@contextmanager
def serve(settings: Mapping[str, str], workers: int, log: Path) -> Iterator[RunningServer]:
    """Start a server, wait until it is ready, and stop it on exit.

    Raises:
        EvalError: It does not start.
    """
    command = [*COMMAND, "serve", "--http", "--port", "0", "--workers", str(workers)]
    with (
        log.open("w", encoding="utf-8") as file,
        subprocess.Popen(command, env=settings, stderr=subprocess.PIPE, text=True) as process,  # noqa: S603
    ):
        try:
            assert process.stderr
            url = _read_url(process.stderr, file)
            Thread(target=lambda: file.writelines(process.stderr or ()), daemon=True).start()
            _wait_ready(url.removesuffix("mcp") + "ready")
            yield RunningServer(url, process.pid)
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(_STOP_SECONDS)
            process.kill()


def _read_url(lines: IO[str], log: IO[str]) -> str:
    last = ""
    for line in lines:
        log.write(line)
        if line.startswith(_ANNOUNCEMENT):
            return line.removeprefix(_ANNOUNCEMENT).strip()
        last = line
    raise EvalError(f"the server did not start: {last.strip()}")


def _wait_ready(url: str) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        with suppress(URLError, HTTPException, OSError), urlopen(url, timeout=_START_SECONDS):  # noqa: S310
            return
        time.sleep(0.1)
    raise EvalError(f"the server was not ready in {_START_SECONDS:g} seconds")


def _workers(pid: int) -> list[int]:
    with suppress(OSError):
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
        workers = [int(child) for child in children if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]
        return workers or [pid]
    return []


def _resident_megabytes(pid: int) -> float:
    with suppress(OSError):
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
    return 0.0


def _open_files(pid: int) -> int:
    with suppress(OSError):
        return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
    return 0
