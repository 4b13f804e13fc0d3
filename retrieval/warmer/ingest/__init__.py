"""Read files into passages."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from warmer.errors import IngestError
from warmer.ingest.code import code_sections
from warmer.ingest.decode import MAX_BYTES, decode, decode_html, read_bytes
from warmer.ingest.files import SUFFIXES, Kind, SourceFile, find_files, kind_of, replace_surrogates, root_labels
from warmer.ingest.html import html_sections
from warmer.ingest.markdown import markdown_sections
from warmer.ingest.mdx import mdx_to_markdown
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
    "mdx": lambda data, _: markdown_sections(mdx_to_markdown(decode(data))),
    "rst": lambda data, _: rst_sections(decode(data)),
    "html": lambda data, _: html_sections(decode_html(data)),
    "notebook": lambda data, _: notebook_sections(decode(data)),
    "pdf": lambda data, _: pdf_sections(data),
    "python": lambda data, path: python_sections(decode(data, python=True), module_name(path)),
    "code": lambda data, path: code_sections(decode(data), replace_surrogates(path.name)),
    "text": lambda data, _: text_sections(decode(data)),
}
_SPLIT_AS_MARKDOWN = {"markdown", "mdx", "notebook"}
_RENDERED = {"markdown", "mdx", "rst"}  # the server shows line numbers only in the plain view
_WITHOUT_LINES = {"notebook", "pdf"}


def read_passages(
    file: SourceFile, limit: int = 800, window: Window | None = None, max_bytes: int = MAX_BYTES
) -> Iterator[Passage]:
    """Read the passages of a file.

    Args:
        file: The file; its suffix selects the reader.
        limit: Maximum characters of a passage's text.
        window: The embedding model's window; no passage is longer.
        max_bytes: Maximum size of the file.

    Yields:
        The passages in document order; none for an empty file.

    Raises:
        IngestError: The file cannot be read, perhaps only after some passages; the message names the file and the
            reason.
    """
    kind = kind_of(file.path)
    try:
        sections = _READERS[kind](read_bytes(file.path, max_bytes), file.path)
        for passage in split(sections, file.source, limit, window, markdown=kind in _SPLIT_AS_MARKDOWN):
            yield passage if passage.url or not file.url else replace(passage, url=_line_url(file, kind, passage.line))
    except IngestError as error:
        raise IngestError(f"{replace_surrogates(file.path)}: {error}", error.reason) from error


def _line_url(file: SourceFile, kind: Kind, line: int) -> str:
    if kind in _WITHOUT_LINES:
        return file.url
    query = "?plain=1" if kind in _RENDERED else ""
    return f"{file.url}{query}#L{line}"
