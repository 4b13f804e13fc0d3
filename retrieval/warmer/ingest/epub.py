"""Split books in EPUB into sections: their chapters in order, each as HTML."""

import io
import posixpath
import zipfile
from collections.abc import Iterator
from urllib.parse import unquote

from bs4 import BeautifulSoup
from bs4.element import Tag

from warmer.errors import IngestError
from warmer.ingest.archive import check_size, member
from warmer.ingest.decode import decode_html
from warmer.ingest.html import html_sections
from warmer.ingest.section import Section


def epub_sections(data: bytes, name: str = "") -> Iterator[Section]:
    """Split a book at the headings of its chapters; the book's title is outermost.

    Raises:
        IngestError: It is damaged, or encrypted.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            check_size(archive)
            title, chapters = _contents(archive)
            texts = [decode_html(member(archive, chapter)) for chapter in chapters]
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, RuntimeError) as error:
        raise IngestError(f"damaged EPUB: {error}", "damaged") from error
    for text in texts:
        for section in html_sections(text):
            yield Section(
                " > ".join(dict.fromkeys(filter(None, [title or name, section.title]))),
                section.text,
                [1] * (section.text.count("\n") + 1),
            )


def _contents(archive: zipfile.ZipFile) -> tuple[str, list[str]]:
    """Return the title and the paths of the chapters, as the package document lists them."""
    if "META-INF/encryption.xml" in archive.namelist() and "META-INF/rights.xml" in archive.namelist():
        raise IngestError("the book is encrypted", "encrypted")
    rootfile = BeautifulSoup(member(archive, "META-INF/container.xml"), "html.parser").find("rootfile")
    if not isinstance(rootfile, Tag):
        raise IngestError("damaged EPUB: it does not say where its contents are", "damaged")
    path = str(rootfile.get("full-path") or "")
    package = BeautifulSoup(member(archive, path), "html.parser")
    items = {str(item.get("id")): item for item in package.find_all(["item", "opf:item"])}
    spine = (items.get(str(entry.get("idref"))) for entry in package.find_all(["itemref", "opf:itemref"]))
    chapters = [
        item
        for item in spine
        if item and "html" in str(item.get("media-type")) and "nav" not in str(item.get("properties"))
    ]
    title = package.find("dc:title")
    folder = posixpath.dirname(path)
    paths = [posixpath.normpath(posixpath.join(folder, unquote(str(item.get("href"))))) for item in chapters]
    return title.get_text(strip=True) if title else "", paths
