"""What an evaluation cost: beside the report, since that must be the same twice."""

import json
import resource
from dataclasses import asdict
from pathlib import Path
from time import perf_counter

from warmer.judges.usage import Usage


class Cost:
    """Counts from when it is made."""

    def __init__(self) -> None:
        self._begun = perf_counter()

    def write(self, folder: Path, usage: Usage | None = None) -> str:
        """Write run.json: seconds, the peak memory of this process, and what a model's scores cost; says it, too."""
        seconds = round(perf_counter() - self._begun, 1)
        memory = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
        cost = {"seconds": seconds, "peak_memory_mb": memory, "usage": asdict(usage) if usage else None}
        (folder / "run.json").write_text(json.dumps(cost, indent=1) + "\n", encoding="utf-8")
        return f"{seconds} s, {memory} MB. Report: {folder / 'report.html'}"
