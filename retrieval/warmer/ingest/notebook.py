"""Split Jupyter notebooks into sections."""

import json
import re
from collections.abc import Iterator
from typing import Any

from warmer.errors import IngestError
from warmer.ingest.markdown import markdown_headings
from warmer.ingest.section import Heading, Section, split_at_headings

_FENCE = re.compile(r"^[ \t]*(`{3,})", re.MULTILINE)
_IMAGE = re.compile(r"(data:[\w/+.-]+;base64,)[A-Za-z0-9+/=]+")


def notebook_sections(text: str) -> Iterator[Section]:
    """Split a notebook of any version at the headings of its Markdown cells; fence code, drop outputs.

    Lines are numbered across cells, with an empty line after each cell.

    Raises:
        IngestError: The text is not a notebook.
    """
    try:
        cells = [(kind, source) for kind, source in _cells(json.loads(text)) if source.strip()]
    except (ValueError, RecursionError, TypeError, AttributeError, KeyError) as error:
        raise IngestError(f"not a Jupyter notebook: {type(error).__name__}: {error}", "damaged") from error
    parts: list[str] = []
    headings: list[Heading] = []
    line = 0
    for kind, source in cells:
        if kind == "markdown":
            headings += markdown_headings(source, line)
        parts.append(source + "\n\n")
        line += parts[-1].count("\n")
    return split_at_headings("".join(parts), headings)


def _cells(notebook: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the type of each cell and its source as Markdown.

    Up to version 3 of the format, cells are in worksheets and headings are cells.
    """
    language = notebook.get("metadata", {}).get("language_info", {}).get("name", "python")
    sheets = [notebook] if "cells" in notebook else notebook["worksheets"]
    for cell in (cell for sheet in sheets for cell in sheet["cells"]):
        source = cell.get("source", cell.get("input", ""))
        text = "".join(source).rstrip().replace("\r\n", "\n").replace("\r", "\n")
        match cell["cell_type"]:
            case "markdown":
                yield "markdown", _IMAGE.sub(r"\1", text)
            case "heading":
                yield "markdown", f"{'#' * int(cell.get('level', 1))} {' '.join(text.split())}"
            case "code" if text:
                fence = max(["```", *(found[1] + "`" for found in _FENCE.finditer(text))], key=len)
                yield "code", f"{fence}{language}\n{text}\n{fence}"
