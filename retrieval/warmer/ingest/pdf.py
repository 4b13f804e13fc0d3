"""Extract the text of PDFs, one section per page."""

import io
import logging
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from pypdf import PageObject, PasswordType, PdfReader

from warmer.errors import IngestError
from warmer.ingest.files import replace_surrogates
from warmer.ingest.pdf_text import clean_pages
from warmer.ingest.section import Heading, Section, extend_path, title_of

logging.getLogger("pypdf").setLevel(logging.CRITICAL)

_USELESS_TITLE = re.compile(
    r"(?:microsoft (?:word|powerpoint|excel)|powerpoint presentation|presentation|slide|document|untitled"
    r"|unbenannt|title|no title|sans titre|none|null|print)\b[ -]*\d*"
    r"|.*\.(?:docx?|pptx?|xlsx?|pdf|indd|tex|dvi|qxd|odt|rtf|html?)"
    r"|[\W\d_]*",
    re.IGNORECASE,
)
_PROGRAM = re.compile(r"^microsoft (?:word|powerpoint|excel) - ", re.IGNORECASE)
Fragment = tuple[float, float, str]


def pdf_sections(data: bytes, name: str = "") -> Iterator[Section]:
    """Extract the text of each page, titled by the document's title, or else `name`, and the bookmarks that lead to it.

    Raises:
        IngestError: The PDF is damaged, needs a password, or has no text (as with scans).
    """
    try:
        yield from _sections(data, name)
    except IngestError:
        raise
    except Exception as error:  # pypdf fails in many ways
        raise IngestError(f"damaged PDF: {replace_surrogates(str(error))}", "damaged") from error


def _sections(data: bytes, name: str) -> Iterator[Section]:
    reader = PdfReader(io.BytesIO(data))
    if reader.is_encrypted and reader.decrypt("") == PasswordType.NOT_DECRYPTED:
        raise IngestError("needs a password", "encrypted")
    titles = _page_titles(reader, name)
    pages = [_page_text(page) for page in reader.pages]
    if not any(text.strip() for text in pages):
        raise IngestError("a PDF without text, perhaps of scanned pages", "without text")
    for number, text in enumerate(clean_pages(pages), start=1):
        yield Section(titles.get(number, name), text, range(1, text.count("\n") + 2), page=number)


def _page_text(page: PageObject) -> str:
    """Return the text of a page, column by column even where a program drew it row by row."""
    fragments: list[Fragment] = []

    def note(text: str, _: Any, matrix: Any, *__: Any) -> None:  # noqa: ANN401
        if text.strip():
            fragments.append((matrix[4], matrix[5], text.strip("\n")))

    text = page.extract_text(visitor_text=note)
    return _by_column(fragments, float(page.mediabox.width)) or text


def _by_column(fragments: list[Fragment], width: float) -> str:
    """Return the text by columns if lines alternate between two of them; empty if they do not.

    Each fragment is a line that begins at one of two places, left and right of the middle, on a height that it shares
    with one on the other side.
    """
    lefts = [one for one in fragments if one[0] < width / 2]
    rights = [one for one in fragments if one[0] >= width / 2]
    if min(len(lefts), len(rights)) < 2 or len({round(x) for x, _, _ in rights}) > 2:  # noqa: PLR2004
        return ""
    sides = [x >= width / 2 for x, _, _ in fragments]
    changes = sum(side != other for side, other in pairwise(sides))
    if changes < min(len(lefts), len(rights)) or any("\n" in text for _, _, text in fragments):
        return ""
    columns = (sorted(side, key=lambda one: -one[1]) for side in (lefts, rights))
    return "\n\n".join("\n".join(text for _, _, text in column) for column in columns)


def _page_titles(reader: PdfReader, name: str) -> dict[int, str]:
    """Title each page by the first bookmark that leads to it, or else like the page before."""
    own = _PROGRAM.sub("", str(reader.metadata.title or "").strip()) if reader.metadata else ""
    path = [Heading(0, name if _USELESS_TITLE.fullmatch(own) else own, 0, 0)]
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
