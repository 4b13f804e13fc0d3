"""Read files into passages."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from warmer.errors import IngestError
from warmer.ingest.decode import MAX_BYTES
from warmer.ingest.files import SourceFile, find_files, replace_surrogates, require_kind, root_labels
from warmer.ingest.kinds import SUFFIXES, Kind
from warmer.ingest.readers import read_sections
from warmer.ingest.section import Section
from warmer.ingest.skipped import Skipped
from warmer.ingest.split import split
from warmer.passage import Passage, Window

__all__ = [
    "MAX_BYTES",
    "SUFFIXES",
    "Skipped",
    "SourceFile",
    "find_files",
    "read_passages",
    "root_labels",
    "split_sections",
]

_RENDERED = {"markdown", "mdx", "rst", "asciidoc", "org"}  # the server shows line numbers only in the plain view
_WITHOUT_LINES = {"notebook", "pdf", "docx", "epub"}


def read_passages(
    file: SourceFile, limit: int = 800, window: Window | None = None, max_bytes: int = MAX_BYTES, encoding: str = ""
) -> Iterator[Passage]:
    """Read the passages of a file, in this process: without limits of time and memory.

    Args:
        file: The file; its suffix selects the reader, unless it says which.
        limit: Maximum characters of a passage's text.
        window: The embedding model's window; no passage is longer.
        max_bytes: Maximum size of the file.
        encoding: Encoding of text that is not UTF-8 and does not say; Windows-1252 if empty.

    Yields:
        The passages in document order; none for an empty file.

    Raises:
        IngestError: The file cannot be read, perhaps only after some passages; the message names the file and the
            reason.
    """
    kind = file.kind or require_kind(file.path)
    try:
        sections = read_sections(file.path, kind, source=file.source, max_bytes=max_bytes, encoding=encoding)
        yield from split_sections(sections, file, limit, window)
    except IngestError as error:
        raise IngestError(f"{replace_surrogates(file.path)}: {error}", error.reason) from error


def split_sections(
    sections: Iterable[Section], file: SourceFile, limit: int = 800, window: Window | None = None
) -> Iterator[Passage]:
    """Split the sections of a file into passages, with their urls; arguments are those of `read_passages`."""
    kind = file.kind or require_kind(file.path)
    for passage in split(sections, file.source, limit, window):
        yield passage if passage.url or not file.url else replace(passage, url=_line_url(file, kind, passage.line))


def _line_url(file: SourceFile, kind: Kind, line: int) -> str:
    if kind in _WITHOUT_LINES:
        return file.url
    query = "?plain=1" if kind in _RENDERED else ""
    return f"{file.url}{query}#L{line}"
