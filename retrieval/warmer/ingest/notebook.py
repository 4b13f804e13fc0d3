"""Split Jupyter notebooks into sections."""

import json
import re
from collections.abc import Iterator
from typing import Any

from warmer.errors import IngestError
from warmer.ingest.markdown import add_markdown
from warmer.ingest.noise import without_pictures
from warmer.ingest.rows import Rows
from warmer.ingest.section import Section

_FENCE = re.compile(r"^[ \t]*(`{3,})", re.MULTILINE)


def notebook_sections(text: str, max_bytes: int, name: str = "") -> Iterator[Section]:
    """Split a notebook of any version at the headings of its Markdown cells; fence code, drop outputs.

    Lines are numbered across cells, with an empty line after each cell. Outputs do not count for `max_bytes`.

    Raises:
        IngestError: The text is not a notebook, or is too large.
    """
    try:
        cells = [(kind, source) for kind, source in _cells(json.loads(text)) if source.strip()]
    except (ValueError, RecursionError, TypeError, AttributeError, KeyError) as error:
        raise IngestError(f"not a Jupyter notebook: {type(error).__name__}: {error}", "damaged") from error
    if sum(len(source.encode(errors="replace")) for _, source in cells) > max_bytes:
        raise IngestError(f"larger than {max_bytes / 2**20:g} MB without its outputs", "too large")
    rows = Rows()
    for kind, source in cells:
        number = len(rows.rows) + 1
        if kind == "markdown":
            add_markdown(rows, source, rows.numbers[-1] + 1 if rows.numbers else 1)
        else:
            for row, line in enumerate(source.split("\n")):
                rows.add(line, number + row)
        rows.add("", len(rows.rows) + 1)
    return rows.sections(name)


def _cells(notebook: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the type of each cell and its source as Markdown.

    Up to version 3 of the format, cells are in worksheets and headings are cells. What else a cell or the notebook says
    of itself may be missing or of any type.
    """
    language = _language(notebook)
    sheets = [notebook] if "cells" in notebook else notebook["worksheets"]
    for cell in (cell for sheet in sheets for cell in sheet["cells"]):
        source = cell.get("source", cell.get("input", ""))
        text = without_pictures("".join(source).rstrip().replace("\r\n", "\n").replace("\r", "\n"))
        match cell.get("cell_type"):
            case "markdown":
                yield "markdown", text
            case "heading":
                level = cell.get("level", 1)
                yield "markdown", f"{'#' * (level if isinstance(level, int) else 1)} {' '.join(text.split())}"
            case "code" if text:
                fence = max(["```", *(found[1] + "`" for found in _FENCE.finditer(text))], key=len)
                yield "code", f"{fence}{language}\n{text}\n{fence}"


def _language(notebook: dict[str, Any]) -> str:
    inner: Any = notebook
    for key in ("metadata", "language_info", "name"):
        inner = inner.get(key) if isinstance(inner, dict) else None
    return inner if isinstance(inner, str) and inner.isprintable() and " " not in inner else "python"
