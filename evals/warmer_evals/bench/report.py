"""The figures of a run, as JSON and as Markdown."""

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
_TAIL = 20  # fewer runs have none
_HEAD = """\
# Speed and size

`python -m warmer_evals.bench` wrote this; [CONTRIBUTING.md](../../CONTRIBUTING.md) says how to run it. Every cell has
the median, in brackets the least and the most, and the number of runs. Servers are started in turns and talk over
stdio; nothing else ought to run meanwhile.
"""


def machine() -> dict[str, Any]:
    """Describe the machine and the software, without names of either's owner."""
    facts = {
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory, GB": _memory(),
        "python": platform.python_version(),
        "warmer": __version__,
    }
    return facts | {package: found for package in _PACKAGES if (found := _version(package))}


def write(file: Path, facts: Mapping[str, Any], rows: Sequence[Row]) -> None:
    """Write `file` in Markdown, and the same with every run beside it in JSON."""
    raw = {"run": facts, "rows": [asdict(row) for row in rows]}
    file.parent.mkdir(parents=True, exist_ok=True)
    file.with_suffix(".json").write_text(json.dumps(raw, indent=1) + "\n", encoding="utf-8")
    file.write_text(markdown(facts, rows), encoding="utf-8")


def markdown(facts: Mapping[str, Any], rows: Sequence[Row]) -> str:
    """Set the rows in a table with a column for each server."""
    servers = list(dict.fromkeys(server for row in rows for server in row.values))
    lines = [_line(["what", "unit", *servers]), _line(["---"] * (2 + len(servers)))]
    for row in rows:
        lines.append(_line([row.what, row.unit, *(_cell(row.values.get(server)) for server in servers)]))
        if row.unit == "ms" and all(len(values) >= _TAIL for values in row.values.values()):
            tails = [_number(percentile(row.values[server], 95)) if server in row.values else "" for server in servers]
            lines.append(_line([f"{row.what}, 95th percentile", row.unit, *tails]))
    described = "\n".join(f"- {name}: {fact}" for name, fact in facts.items() if fact is not None)
    return f"{_HEAD}\n{described}\n\n" + "\n".join(lines) + "\n"


def _cell(values: Sequence[float] | None) -> str:
    if not values:
        return ""
    if len(values) == 1:
        return _number(values[0])
    return f"{_number(median(values))} ({_number(min(values))} to {_number(max(values))}; {len(values)})"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"  # noqa: PLR2004  three digits


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _processor() -> str | None:
    return _after("/proc/cpuinfo", "model name") or platform.processor() or None


def _memory() -> float | None:
    kilobytes = _after("/proc/meminfo", "MemTotal")
    return round(int(kilobytes.split()[0]) * 1024 / 1e9, 1) if kilobytes else None


def _after(file: str, name: str) -> str:
    try:
        lines = Path(file).read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "")
