"""Extract the text of PDFs, one section per page."""

import io
import logging
from collections.abc import Iterator
from typing import Any

from pypdf import PasswordType, PdfReader

from warmer.errors import IngestError
from warmer.ingest.files import replace_surrogates
from warmer.ingest.section import Heading, Section, extend_path, title_of

logging.getLogger("pypdf").setLevel(logging.CRITICAL)


def pdf_sections(data: bytes) -> Iterator[Section]:
    """Extract the text of each page, titled by the document's title and the bookmarks that lead to the page.

    Raises:
        IngestError: The PDF is damaged, needs a password, or has no text (as with scans).
    """
    try:
        yield from _sections(data)
    except IngestError:
        raise
    except Exception as error:  # pypdf fails in many ways
        raise IngestError(f"damaged PDF: {replace_surrogates(str(error))}", "damaged") from error


def _sections(data: bytes) -> Iterator[Section]:
    reader = PdfReader(io.BytesIO(data))
    if reader.is_encrypted and reader.decrypt("") == PasswordType.NOT_DECRYPTED:
        raise IngestError("needs a password", "encrypted")
    titles = _page_titles(reader)
    empty = True
    for number, page in enumerate(reader.pages, start=1):
        text = page.extract_text()
        empty = empty and not text.strip()
        yield Section(titles.get(number, ""), text, range(1, text.count("\n") + 2), page=number)
    if empty:
        raise IngestError("a PDF without text, perhaps of scanned pages", "without text")


def _page_titles(reader: PdfReader) -> dict[int, str]:
    """Title each page by the first bookmark that leads to it, or else like the page before."""
    name = str(reader.metadata.title or "") if reader.metadata else ""
    path = [Heading(0, name, 0, 0)]
    bookmarks = _bookmarks(reader)
    titles = {}
    for number in range(1, len(reader.pages) + 1):
        paths = [path := extend_path(path, heading) for heading in bookmarks if heading.start == number]
        titles[number] = title_of(paths[0] if paths else path)
    return titles


def _bookmarks(reader: PdfReader) -> list[Heading]:
    """List the bookmarks in order, each starting at the page it leads to; none if they are damaged."""

    def flatten(entries: list[Any], level: int) -> Iterator[Heading]:
        for entry in entries:
            if isinstance(entry, list):
                yield from flatten(entry, level + 1)
            elif (page := reader.get_destination_page_number(entry)) is not None:
                yield Heading(level, str(entry.title), page + 1, page + 1)

    try:
        return list(flatten(reader.outline, 1))
    except Exception:  # noqa: BLE001  the pages are readable without bookmarks
        return []
