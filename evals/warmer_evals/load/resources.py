"""Memory and open files of a server's workers over time, and their growth."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import anyio
import numpy as np

from warmer_evals.load.server import RunningServer

_SAMPLES = 240
_PARTS = 12


@dataclass(frozen=True, slots=True)
class Resources:
    """Samples of what the workers use.

    Attributes:
        interval: Seconds between two samples.
        memory: The resident memory of each worker, in MB (10^6 bytes), by process id.
        files: How many files and sockets each worker has open, by process id.
    """

    interval: float
    memory: Sequence[dict[int, float]]
    files: Sequence[dict[int, int]]

    def figures(self) -> dict[str, Any]:
        """Return minimum and maximum of each twelfth of the time, for each worker that lived throughout.

        The slope is fitted to the minima of the second half, since a training uses more memory only while it runs.
        """
        lasting = sorted(set.intersection(*(set(sample) for sample in self.memory)))
        least, most = (_parts(self.memory, lasting, f) for f in (np.min, np.max))
        return {
            "resident memory of each worker over time, MB, at least": _whole(least),
            "at most": _whole(most),
            "slope of the least over the second half, MB a minute": [[round(self._slope(curve), 1)] for curve in least],
            "open files of each worker over time, at most": _whole(_parts(self.files, lasting, np.max)),
            "workers replaced": len(set.union(*(set(sample) for sample in self.memory)) - set(lasting)),
        }

    def _slope(self, least: Sequence[float]) -> float:
        half = least[_PARTS // 2 :]
        minutes = np.arange(len(half)) * self.interval * len(self.memory) / _PARTS / 60
        return float(np.polyfit(minutes, half, 1)[0])


def _parts(
    samples: Sequence[Mapping[int, float]], pids: Sequence[int], f: Callable[[np.ndarray], float]
) -> list[list[float]]:
    curves = (np.array([sample.get(pid, 0) for sample in samples]) for pid in pids)
    return [[float(f(part)) for part in np.array_split(curve, _PARTS)] for curve in curves]


def _whole(curves: Sequence[Sequence[float]]) -> list[list[int]]:
    return [[round(value) for value in curve] for curve in curves]


async def sample_resources(server: RunningServer, seconds: float) -> Resources:
    """Sample the memory and open files of all workers for `seconds` seconds."""
    interval = seconds / _SAMPLES
    memory, files = [server.memory()], [server.open_files()]
    started = anyio.current_time()
    for number in range(1, _SAMPLES + 1):
        await anyio.sleep_until(started + number * interval)
        memory.append(server.memory())
        files.append(server.open_files())
    return Resources(interval, memory, files)
