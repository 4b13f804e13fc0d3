"""Sections to passages that are short enough."""

import re
from collections.abc import Iterable, Iterator

from semantic_text_splitter import MarkdownSplitter, TextSplitter

from warmer.ingest.files import printable
from warmer.ingest.section import Section
from warmer.passage import Passage


def split(sections: Iterable[Section], source: str, limit: int, *, markdown: bool = False) -> Iterator[Passage]:
    """Split sections at the best boundaries: paragraphs, then lines, sentences, words, characters.

    Args:
        sections: What to split; sections without text give no passage.
        source: The document they are from.
        limit: The characters of a passage's text, at most.
        markdown: Whether the text is Markdown, whose blocks are then kept together.
    """
    splitter = (MarkdownSplitter if markdown else TextSplitter)(limit)
    for section in sections:
        row = 0
        for block in _blocks(printable(section.text), 10 * limit):
            at = 0
            for start, text in splitter.chunk_indices(block):
                row += block.count("\n", at, start)
                at = start
                if text.strip():
                    indented = _indent(block, start) + text
                    line = section.line + row + (section.gap if row else 0)
                    yield Passage(indented if len(indented) <= limit else text, section.title, source, line)
            row += block.count("\n", at)


def _indent(text: str, start: int) -> str:
    """Give back the indentation that the splitter trims: without it a code block's first line sticks out."""
    before = text[text.rfind("\n", 0, start) + 1 : start]
    return "" if before.strip() else before


def _blocks(text: str, size: int) -> Iterator[str]:
    """Cut a long text beforehand: the splitter takes minutes for a million characters without a break."""
    some = rf"[\s\S]{{1,{size - 2}}}"
    return (match[0] for match in re.finditer(rf"{some}(?:\n\n|\Z)|{some}\n|{some}\s|{some}", text))
