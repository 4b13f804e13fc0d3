"""Reports of evaluations: figures as JSON, a summary as Markdown, and an HTML page."""

import json
import math
import os
from pathlib import Path
from typing import Any

from warmer_evals import EvalError
from warmer_evals.report.agent_view import agent_view
from warmer_evals.report.markdown import render_markdown
from warmer_evals.report.page import render_page
from warmer_evals.report.recorded_view import recorded_view
from warmer_evals.report.run_view import run_view
from warmer_evals.report.view import View

__all__ = ["prepare", "write"]


def prepare(folder: Path) -> None:
    """Create the folder for a report, to fail before the work begins.

    Raises:
        EvalError: The folder cannot be created or written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write_atomically(folder / ".writable", "")
        (folder / ".writable").unlink()
    except OSError as error:
        raise EvalError(f"cannot write a report to {folder}: {error}. Choose another --out") from error


def write(report: dict[str, Any], folder: Path) -> None:
    """Write report.json, report.md and report.html, each atomically; the same report gives the same bytes.

    Args:
        report: The figures of `warmer-evals run` or `warmer-evals agent` (`kind` is "run" or "agent"). Figures that
            are not finite are written as null.
        folder: Folder for the three files; created if it does not exist.

    Raises:
        EvalError: The folder cannot be written to.
    """
    finite = _finite(report)
    view = _view(finite)
    files = {
        "report.json": _json(finite),
        "report.md": render_markdown(view),
        "report.html": render_page(view),
    }
    prepare(folder)
    for name, text in files.items():
        _write_atomically(folder / name, text)


def _view(report: dict[str, Any]) -> View:
    if report.get("kind") != "agent":
        return run_view(report)
    return recorded_view(report) if "recorded" in report else agent_view(report)


def _json(report: dict[str, Any]) -> str:
    """Serialise with indentation, but with one line per query."""
    entries = []
    for key, value in report.items():
        if key == "per_query":
            rows = ",\n".join("  " + json.dumps(row, ensure_ascii=False, allow_nan=False) for row in value)
            serialised = f"[\n{rows}\n ]" if rows else "[]"
        else:
            serialised = json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False).replace("\n", "\n ")
        entries.append(f" {json.dumps(key)}: {serialised}")
    return "{\n" + ",\n".join(entries) + "\n}\n"


def _finite(value: Any) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _write_atomically(path: Path, text: str) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        partial.write_bytes(text.encode("utf-8", "replace"))  # a passage may contain a lone surrogate
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
