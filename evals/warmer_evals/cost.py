"""What an evaluation cost, in a file of its own: the report itself must not differ between runs."""

import json
import resource
from dataclasses import asdict
from pathlib import Path
from time import perf_counter

from warmer.judges.usage import Usage


class Cost:
    """Measures time from its creation."""

    def __init__(self) -> None:
        self._begun = perf_counter()

    def write(self, folder: Path, usage: Usage | None = None) -> str:
        """Write run.json: seconds, peak memory of this process in MiB, and usage of a model.

        Returns:
            A line of text with time, memory and the path of the report.
        """
        seconds = round(perf_counter() - self._begun, 1)
        memory = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
        cost = {"seconds": seconds, "peak_memory_mb": memory, "usage": asdict(usage) if usage else None}
        (folder / "run.json").write_text(json.dumps(cost, indent=1) + "\n", encoding="utf-8")
        return f"{seconds} s, {memory} MB. Report: {folder / 'report.html'}"
