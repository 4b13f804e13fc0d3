"""Pictures: each is checked by decoding it, and is found by what stands beside it or in documents that show it."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup
from markdown_it import MarkdownIt
from markdown_it.token import Token

from warmer.errors import IngestError
from warmer.ingest.decode import decode, decode_html, read_bytes
from warmer.ingest.files import replace_surrogates
from warmer.ingest.section import Section
from warmer.pictures.decode import decode_picture, digest_of, read_picture

_BESIDE = (".txt", ".json", ".TXT", ".JSON")
_CAPTION = 4000  # characters
_TEXTS = ("caption", "text", "description", "alt")


@dataclass(frozen=True, slots=True)
class _Caption:
    title: str = ""
    text: str = ""


def picture_sections(path: Path, max_bytes: int, encoding: str = "") -> list[Section]:
    """Check a picture by decoding it; its caption is what stands beside it, in `x.png.txt`, `x.txt` or their `.json`.

    Raises:
        IngestError: It is too large, damaged, or of no known format.
    """
    data = read_picture(path, max_bytes)
    decode_picture(data)
    caption = _beside(path, max_bytes, encoding)
    title, text = replace_surrogates(caption.title), replace_surrogates(caption.text)
    return [Section(title, text, range(1, 2), picture=digest_of(data))]


def shown_sections(path: Path, max_bytes: int, encoding: str = "") -> list[Section]:
    """List the pictures that a Markdown or HTML document shows: where each is, as a title, and its alternative text.

    Raises:
        IngestError: The document cannot be read.
    """
    data = read_bytes(path, max_bytes)
    if path.suffix.lower() in {".html", ".htm", ".xhtml"}:
        tags = BeautifulSoup(decode_html(data, encoding), "html.parser").find_all("img")
        shown = [(str(tag.get("src") or ""), str(tag.get("alt") or "")) for tag in tags]
    else:
        shown = list(_images(MarkdownIt().parse(decode(data, encoding))))
    return [Section(target, _one_line(alt), range(1, 2)) for where, alt in shown if (target := _file_of(where)) and alt]


def _images(tokens: Sequence[Token]) -> Iterator[tuple[str, str]]:
    for token in tokens:
        if token.type == "image":
            yield str(token.attrs.get("src") or ""), token.content
        elif token.type in {"html_inline", "html_block"}:
            for tag in BeautifulSoup(token.content, "html.parser").find_all("img"):
                yield str(tag.get("src") or ""), str(tag.get("alt") or "")
        yield from _images(token.children or ())


def _file_of(where: str) -> str:
    """Take the path of a relative address; empty for any other."""
    try:
        address = urlsplit(where)
    except ValueError:
        return ""
    return "" if address.scheme or address.netloc else unquote(address.path)


def _beside(path: Path, max_bytes: int, encoding: str) -> _Caption:
    names = [path.name + suffix for suffix in _BESIDE] + [path.stem + suffix for suffix in _BESIDE]
    for file in (path.with_name(name) for name in names):
        try:
            text = decode(read_bytes(file, max_bytes), encoding)
        except IngestError:
            continue
        return _from_json(text) if file.suffix.lower() == ".json" else _Caption(text=text.strip()[:_CAPTION])
    return _Caption()


def _from_json(text: str) -> _Caption:
    """Read a caption and a title from JSON: a text, or an object with either; anything else says nothing."""
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        return _Caption()
    if isinstance(told, str):
        return _Caption(text=told.strip()[:_CAPTION])
    if not isinstance(told, dict):
        return _Caption()
    texts = [told[name].strip() for name in _TEXTS if isinstance(told.get(name), str)]
    title = told.get("title")
    return _Caption(_one_line(title) if isinstance(title, str) else "", next(filter(None, texts), "")[:_CAPTION])


def _one_line(text: str) -> str:
    return " ".join(text.split())[:_CAPTION]
