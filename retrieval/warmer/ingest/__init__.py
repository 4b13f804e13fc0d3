"""Files to passages."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from warmer.errors import IngestError
from warmer.ingest.code import code_sections
from warmer.ingest.decode import MAX_BYTES, decode, decode_html, read_bytes
from warmer.ingest.files import SUFFIXES, Kind, SourceFile, find_files, kind_of, printable, root_labels
from warmer.ingest.html import html_sections
from warmer.ingest.markdown import markdown_sections
from warmer.ingest.mdx import markdown_of
from warmer.ingest.notebook import notebook_sections
from warmer.ingest.pdf import pdf_sections
from warmer.ingest.python import module_name, python_sections
from warmer.ingest.rst import rst_sections
from warmer.ingest.section import Section
from warmer.ingest.skipped import Skipped
from warmer.ingest.split import split
from warmer.ingest.text import text_sections
from warmer.passage import Passage, Window

__all__ = ["MAX_BYTES", "SUFFIXES", "Skipped", "SourceFile", "find_files", "read_passages", "root_labels"]

_READERS: dict[Kind, Callable[[bytes, Path], Iterable[Section]]] = {
    "markdown": lambda data, _: markdown_sections(decode(data)),
    "mdx": lambda data, _: markdown_sections(markdown_of(decode(data))),
    "rst": lambda data, _: rst_sections(decode(data)),
    "html": lambda data, _: html_sections(decode_html(data)),
    "notebook": lambda data, _: notebook_sections(decode(data)),
    "pdf": lambda data, _: pdf_sections(data),
    "python": lambda data, path: python_sections(decode(data, python=True), module_name(path)),
    "code": lambda data, path: code_sections(decode(data), printable(path.name)),
    "text": lambda data, _: text_sections(decode(data)),
}
_MARKDOWN = {"markdown", "mdx", "notebook"}
_RENDERED = {"markdown", "mdx", "rst"}  # servers show these without lines, unless asked for the plain text
_WITHOUT_LINES = {"notebook", "pdf"}


def read_passages(
    file: SourceFile, limit: int = 800, window: Window | None = None, most: int = MAX_BYTES
) -> Iterator[Passage]:
    """Read a file.

    Args:
        file: The file; its suffix tells how to read it.
        limit: The characters of a passage's text, at most.
        window: What the model reads; no passage is longer.
        most: The bytes that a file may have.

    Returns:
        The passages in the order in which they stand; none of an empty file.

    Raises:
        IngestError: The file cannot be read; the message names it and says why. Some passages may have come before.
    """
    kind = kind_of(file.path)
    try:
        sections = _READERS[kind](read_bytes(file.path, most), file.path)
        for passage in split(sections, file.source, limit, window, markdown=kind in _MARKDOWN):
            yield passage if passage.url or not file.link else replace(passage, url=_url(file, kind, passage.line))
    except IngestError as error:
        raise IngestError(f"{printable(file.path)}: {error}", error.reason) from error


def _url(file: SourceFile, kind: Kind, line: int) -> str:
    return file.link if kind in _WITHOUT_LINES else f"{file.link}{'?plain=1' * (kind in _RENDERED)}#L{line}"
