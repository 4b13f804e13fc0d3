"""The memory of a server's workers over time, and whether it grows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import anyio
import numpy as np

from warmer_evals.load.server import Served

_SAMPLES = 240
_PARTS = 12


@dataclass(frozen=True, slots=True)
class Memory:
    """What was measured.

    Attributes:
        every: Seconds between two samples.
        samples: The resident memory of each worker, in MB (10^6 bytes), by process id.
    """

    every: float
    samples: Sequence[dict[int, float]]

    def figures(self) -> dict[str, Any]:
        """Give the least and the most of each twelfth of the time, for each worker that was there all of it.

        The slope is that of the least over the second half: a training holds more only while it goes on.
        """
        all_the_time = set.intersection(*(set(sample) for sample in self.samples))
        curves = [np.array([sample[pid] for sample in self.samples]) for pid in sorted(all_the_time)]
        least, most = (
            [[f(part) for part in np.array_split(curve, _PARTS)] for curve in curves] for f in (np.min, np.max)
        )
        return {
            "resident memory of each worker over time, MB, at least": [_rounded(curve) for curve in least],
            "at most": [_rounded(curve) for curve in most],
            "slope of the least over the second half, MB a minute": [[round(self._slope(curve), 1)] for curve in least],
            "workers replaced": len(set.union(*(set(sample) for sample in self.samples)) - all_the_time),
        }

    def _slope(self, least: Sequence[float]) -> float:
        half = least[_PARTS // 2 :]
        minutes = np.arange(len(half)) * self.every * len(self.samples) / _PARTS / 60
        return float(np.polyfit(minutes, half, 1)[0])


def _rounded(curve: Sequence[float]) -> list[int]:
    return [round(float(size)) for size in curve]


async def watch(served: Served, seconds: float) -> Memory:
    """Measure for so long."""
    every = seconds / _SAMPLES
    samples = [served.memory()]
    begun = anyio.current_time()
    for number in range(1, _SAMPLES + 1):
        await anyio.sleep_until(begun + number * every)
        samples.append(served.memory())
    return Memory(every, samples)
