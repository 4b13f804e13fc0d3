"""Sections to passages that are short enough for an agent, and for the model."""

import re
from collections.abc import Iterable, Iterator

from semantic_text_splitter import MarkdownSplitter, TextSplitter

from warmer.ingest.files import printable
from warmer.ingest.section import Section
from warmer.passage import Passage, Window, embedded_text

Splitter = MarkdownSplitter | TextSplitter

_CAUTION = 0.9  # some parts of a text take more tokens than others


def split(
    sections: Iterable[Section], source: str, limit: int, window: Window | None = None, *, markdown: bool = False
) -> Iterator[Passage]:
    """Split sections at the best boundaries: paragraphs, then lines, sentences, words, characters.

    Args:
        sections: What to split; sections without text give no passage.
        source: The document they are from.
        limit: The characters of a passage's text, at most.
        window: What the model reads; a passage that is longer, with its title, is split further.
        markdown: Whether the text is Markdown, whose blocks are then kept together.
    """
    kind: type[Splitter] = MarkdownSplitter if markdown else TextSplitter
    splitter = kind(limit)
    for section in sections:
        title = _short(section.title, window) if window else section.title
        for row, text in _pieces(printable(section.text), splitter, limit):
            for begin, part in _fitting(text, title, window, kind):
                line = section.lines[row + begin]
                yield Passage(part, title, source, line, section.url, section.page)


def _pieces(text: str, splitter: Splitter, limit: int) -> Iterator[tuple[int, str]]:
    """Split a text of any length; gives the index of the line at which each piece begins."""
    row = 0
    for block in _blocks(text, 10 * limit):
        at = 0
        for start, piece in splitter.chunk_indices(block):
            row += block.count("\n", at, start)
            at = start
            if piece.strip():
                indented = _indent(block, start) + piece
                yield row, indented if len(indented) <= limit else piece
        row += block.count("\n", at)


def _fitting(text: str, title: str, window: Window | None, kind: type[Splitter]) -> Iterator[tuple[int, str]]:
    """Split a text until the model can read each piece with the title; what it would take decides how long they are."""
    tokens = window.count(embedded_text(title, text)) if window else 0
    if window is None or tokens <= window.tokens or len(text) == 1:
        yield 0, text
        return
    taken = window.count(title)
    share = (window.tokens - taken) / max(tokens - taken, 1)
    limit = max(1, int(_CAUTION * share * len(text)))
    for row, piece in _pieces(text, kind(limit), limit):
        for more, part in _fitting(piece, title, window, kind):
            yield row + more, part


def _short(title: str, window: Window) -> str:
    """Leave out the outer headings of a title that would take more than half of what the model reads."""
    while window.count(title) > window.tokens // 2:
        title = title.partition(" > ")[2] or title[: len(title) // 2]
    return title


def _indent(text: str, start: int) -> str:
    """Give back the indentation that the splitter trims: without it a code block's first line sticks out."""
    before = text[text.rfind("\n", 0, start) + 1 : start]
    return "" if before.strip() else before


def _blocks(text: str, size: int) -> Iterator[str]:
    """Cut a long text beforehand: the splitter takes minutes for a million characters without a break."""
    some = rf"[\s\S]{{1,{size - 2}}}"
    return (match[0] for match in re.finditer(rf"{some}(?:\n\n|\Z)|{some}\n|{some}\s|{some}", text))
