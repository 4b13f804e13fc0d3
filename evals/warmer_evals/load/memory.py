"""The memory of a server's workers over time, and whether it grows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import anyio
import numpy as np

from warmer_evals.load.server import Served

_SAMPLES = 240
_SHOWN = 12


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
        """Give a curve for each worker that was there all the time, and its slope over the second half."""
        all_the_time = set.intersection(*(set(sample) for sample in self.samples))
        curves = [np.array([sample[pid] for sample in self.samples]) for pid in sorted(all_the_time)]
        shown = np.linspace(0, len(self.samples) - 1, min(_SHOWN, len(self.samples))).astype(int)
        return {
            "resident memory of each worker over time, MB": [
                np.rint(curve[shown]).astype(int).tolist() for curve in curves
            ],
            "its slope over the second half, MB a minute": [[round(self._slope(curve), 1)] for curve in curves],
            "workers replaced": len(set.union(*(set(sample) for sample in self.samples)) - all_the_time),
        }

    def _slope(self, curve: np.ndarray) -> float:
        half = curve[curve.size // 2 :]
        return float(np.polyfit(np.arange(half.size) * self.every / 60, half, 1)[0])


async def watch(served: Served, seconds: float) -> Memory:
    """Measure for so long."""
    every = seconds / _SAMPLES
    samples = [served.memory()]
    begun = anyio.current_time()
    for number in range(1, _SAMPLES + 1):
        await anyio.sleep_until(begun + number * every)
        samples.append(served.memory())
    return Memory(every, samples)
