"""Split Word documents into sections; mammoth turns them into HTML."""

import io
import zipfile
from collections.abc import Iterator

import mammoth
from bs4 import BeautifulSoup

from warmer.errors import IngestError
from warmer.ingest.archive import check_size, member
from warmer.ingest.html import html_sections
from warmer.ingest.section import Section

_STYLES = """
p[style-name='Title'] => h1:fresh
p[style-name='Subtitle'] => p:fresh
p[style-name='Code'] => pre:separator('\\n')
"""


def docx_sections(data: bytes, name: str = "") -> Iterator[Section]:
    """Split a Word document at its headings, with tables, notes and accepted insertions; pictures are left out.

    Raises:
        IngestError: It is damaged.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            check_size(archive)
            properties = BeautifulSoup(member(archive, "docProps/core.xml"), "html.parser")
        without_pictures = mammoth.images.img_element(lambda _: {})
        html = mammoth.convert_to_html(io.BytesIO(data), style_map=_STYLES, convert_image=without_pictures).value
    except IngestError:
        raise
    except Exception as error:  # mammoth fails in many ways
        raise IngestError(f"damaged Word document: {type(error).__name__}: {error}", "damaged") from error
    title = properties.find("dc:title")
    for section in html_sections(html, (title.get_text(strip=True) if title else "") or name):
        yield Section(section.title, section.text, [1] * (section.text.count("\n") + 1))
