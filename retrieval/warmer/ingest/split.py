"""Split sections into passages short enough for an agent to read and for the model to embed."""

import re
from collections.abc import Iterable, Iterator

from semantic_text_splitter import MarkdownSplitter, TextSplitter

from warmer.ingest.files import replace_surrogates
from warmer.ingest.section import Section
from warmer.passage import Passage, Window, embedded_text

Splitter = MarkdownSplitter | TextSplitter

_SAFETY_FACTOR = 0.9  # tokens are not spread evenly over a text


def split(
    sections: Iterable[Section], source: str, limit: int, window: Window | None = None, *, markdown: bool = False
) -> Iterator[Passage]:
    """Split sections at the best boundaries: paragraphs, then lines, sentences, words, characters.

    Args:
        sections: The sections; those without text are dropped.
        source: Name of the document.
        limit: Maximum characters of a passage's text.
        window: The embedding model's window; a passage that exceeds it, with its title, is split further.
        markdown: Whether to keep Markdown blocks together.
    """
    splitter_class: type[Splitter] = MarkdownSplitter if markdown else TextSplitter
    splitter = splitter_class(limit)
    for section in sections:
        title = _shorten_title(section.title, window) if window else section.title
        for row, text in _split_text(replace_surrogates(section.text), splitter, limit):
            for begin, part in _split_to_window(text, title, window, splitter_class):
                line = section.lines[row + begin]
                yield Passage(part, title, source, line, section.url, section.page)


def _split_text(text: str, splitter: Splitter, limit: int) -> Iterator[tuple[int, str]]:
    """Split a text of any length into pairs: index of the first line, piece."""
    row = 0
    for block in _presplit(text, 10 * limit):
        at = 0
        for start, piece in splitter.chunk_indices(block):
            row += block.count("\n", at, start)
            at = start
            if piece.strip():
                indented = _indentation(block, start) + piece
                yield row, indented if len(indented) <= limit else piece
        row += block.count("\n", at)


def _split_to_window(
    text: str, title: str, window: Window | None, splitter_class: type[Splitter]
) -> Iterator[tuple[int, str]]:
    """Split like `_split_text`, until each piece fits into the window with the title."""
    tokens = window.count_tokens(embedded_text(title, text)) if window else 0
    if window is None or tokens <= window.max_tokens or len(text) == 1:
        yield 0, text
        return
    title_tokens = window.count_tokens(title)
    fraction = (window.max_tokens - title_tokens) / max(tokens - title_tokens, 1)
    limit = max(1, int(_SAFETY_FACTOR * fraction * len(text)))
    for row, piece in _split_text(text, splitter_class(limit), limit):
        for offset, part in _split_to_window(piece, title, window, splitter_class):
            yield row + offset, part


def _shorten_title(title: str, window: Window) -> str:
    """Drop the outer headings of a title that takes more than half of the window."""
    while window.count_tokens(title) > window.max_tokens // 2:
        title = title.partition(" > ")[2] or title[: len(title) // 2]
    return title


def _indentation(text: str, start: int) -> str:
    """Return the indentation that the splitter trimmed, so that a code block's first line stays aligned."""
    before = text[text.rfind("\n", 0, start) + 1 : start]
    return "" if before.strip() else before


def _presplit(text: str, size: int) -> Iterator[str]:
    """Cut a long text into blocks; the splitter takes minutes for a million characters without a break."""
    some = rf"[\s\S]{{1,{size - 2}}}"
    return (match[0] for match in re.finditer(rf"{some}(?:\n\n|\Z)|{some}\n|{some}\s|{some}", text))
