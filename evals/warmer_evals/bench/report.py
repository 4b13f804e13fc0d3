"""Write the figures of a run as JSON and as Markdown."""

import json
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from typing import Any

from warmer import __version__
from warmer_evals.bench import Row, percentile

_PACKAGES = ("mcp", "qdrant-edge-py", "onnxruntime", "tokenizers", "fastembed", "numpy", "pydantic")
_TAIL_RUNS = 20  # the fewest for a 95th percentile
_HEAD = """\
# Speed and size

`python -m warmer_evals.bench` wrote this; [CONTRIBUTING.md](../../CONTRIBUTING.md) says how to run it. Every cell has
the median, in brackets the least and the most, and the number of runs. Servers are started in turns and talk over
stdio; nothing else ought to run meanwhile.
"""


def machine() -> dict[str, Any]:
    """Describe machine and software, without host or user names."""
    facts = {
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory, GB": _memory(),
        "python": platform.python_version(),
        "warmer": __version__,
    }
    return facts | {package: installed for package in _PACKAGES if (installed := _version(package))}


def write(file: Path, facts: Mapping[str, Any], rows: Sequence[Row]) -> None:
    """Write `file` in Markdown, and beside it JSON with the values of every run."""
    raw = {"run": facts, "rows": [asdict(row) for row in rows]}
    file.parent.mkdir(parents=True, exist_ok=True)
    file.with_suffix(".json").write_text(json.dumps(raw, indent=1) + "\n", encoding="utf-8")
    file.write_text(markdown(facts, rows), encoding="utf-8")


def markdown(facts: Mapping[str, Any], rows: Sequence[Row]) -> str:
    """Format facts and rows as Markdown; the table has a column for each server."""
    servers = list(dict.fromkeys(server for row in rows for server in row.values))
    lines = [table_line(["what", "unit", *servers]), table_line(["---"] * (2 + len(servers)))]
    for row in rows:
        lines.append(table_line([row.what, row.unit, *(_cell(row.values.get(server)) for server in servers)]))
        if row.unit == "ms" and all(len(values) >= _TAIL_RUNS for values in row.values.values()):
            tails = [number(percentile(row.values[server], 95)) if server in row.values else "" for server in servers]
            lines.append(table_line([f"{row.what}, 95th percentile", row.unit, *tails]))
    fact_lines = "\n".join(f"- {name}: {fact}" for name, fact in facts.items() if fact is not None)
    return f"{_HEAD}\n{fact_lines}\n\n" + "\n".join(lines) + "\n"


def _cell(values: Sequence[float] | None) -> str:
    if not values:
        return ""
    if len(values) == 1:
        return number(values[0])
    return f"{number(median(values))} ({number(min(values))} to {number(max(values))}; {len(values)})"


def number(value: float) -> str:
    """Write a number with three digits."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"  # noqa: PLR2004  three digits


def table_line(cells: Iterable[str]) -> str:
    """Write a line of a table in Markdown."""
    return f"| {' | '.join(cells)} |"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _processor() -> str | None:
    return _field("/proc/cpuinfo", "model name") or platform.processor() or None


def _memory() -> float | None:
    kilobytes = _field("/proc/meminfo", "MemTotal")
    return round(int(kilobytes.split()[0]) * 1024 / 1e9, 1) if kilobytes else None


def _field(file: str, name: str) -> str:
    try:
        lines = Path(file).read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "")
