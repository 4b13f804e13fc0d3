"""How long handshake and list of tools take, with all cores busy: `python -m clients.handshake [TIMES]`.

Some clients give up after 2.5 seconds.
"""

import multiprocessing
import os
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

from stdio_server import SERVE, StdioServer

ROOT = Path(__file__).parents[2]


def main(times: int) -> None:
    """Print medians and the longest, on idle cores and on busy ones."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {"WARMER_DATA_DIR": folder}
        index = [*SERVE[:-1], "index", str(ROOT / "docs"), "--collection", "docs"]
        os.spawnve(os.P_WAIT, index[0], index, {**os.environ, **environment})
        for busy in (0, os.cpu_count() or 1):
            burners = [multiprocessing.Process(target=_burn, daemon=True) for _ in range(busy)]
            for burner in burners:
                burner.start()
            told = [_start(Path(folder) / "log", environment) for _ in range(times)]
            for burner in burners:
                burner.kill()
            for name, seconds in zip(("handshake", "list of tools"), zip(*told, strict=True), strict=True):
                told_of = f"{name}: median {median(seconds):.2f} s, longest {max(seconds):.2f} s"
                sys.stdout.write(f"{busy} cores kept busy, {told_of}\n")


def _start(log: Path, environment: dict[str, str]) -> tuple[float, float]:
    began = perf_counter()
    with StdioServer(log, environment) as server:
        server.initialize()
        greeted = perf_counter()
        server.ask("tools/list")
        return greeted - began, perf_counter() - greeted


def _burn() -> None:
    while True:
        pass


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
