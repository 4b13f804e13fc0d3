"""Memory of a server's workers over time, and its growth."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import anyio
import numpy as np

from warmer_evals.load.server import RunningServer

_SAMPLES = 240
_PARTS = 12


@dataclass(frozen=True, slots=True)
class Memory:
    """Samples of the workers' memory.

    Attributes:
        interval: Seconds between two samples.
        samples: The resident memory of each worker, in MB (10^6 bytes), by process id.
    """

    interval: float
    samples: Sequence[dict[int, float]]

    def figures(self) -> dict[str, Any]:
        """Return minimum and maximum of each twelfth of the time, for each worker that lived throughout.

        The slope is fitted to the minima of the second half, since a training uses more memory only while it runs.
        """
        lasting = set.intersection(*(set(sample) for sample in self.samples))
        curves = [np.array([sample[pid] for sample in self.samples]) for pid in sorted(lasting)]
        least, most = (
            [[f(part) for part in np.array_split(curve, _PARTS)] for curve in curves] for f in (np.min, np.max)
        )
        return {
            "resident memory of each worker over time, MB, at least": [_whole_megabytes(curve) for curve in least],
            "at most": [_whole_megabytes(curve) for curve in most],
            "slope of the least over the second half, MB a minute": [[round(self._slope(curve), 1)] for curve in least],
            "workers replaced": len(set.union(*(set(sample) for sample in self.samples)) - lasting),
        }

    def _slope(self, least: Sequence[float]) -> float:
        half = least[_PARTS // 2 :]
        minutes = np.arange(len(half)) * self.interval * len(self.samples) / _PARTS / 60
        return float(np.polyfit(minutes, half, 1)[0])


def _whole_megabytes(curve: Sequence[float]) -> list[int]:
    return [round(float(size)) for size in curve]


async def sample_memory(server: RunningServer, seconds: float) -> Memory:
    """Sample the memory of all workers for `seconds` seconds."""
    interval = seconds / _SAMPLES
    samples = [server.memory()]
    started = anyio.current_time()
    for number in range(1, _SAMPLES + 1):
        await anyio.sleep_until(started + number * interval)
        samples.append(server.memory())
    return Memory(interval, samples)
