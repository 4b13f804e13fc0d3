"""Split Markdown into sections."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markdown_it.utils import EnvType

from warmer.ingest.section import Heading, Section, split_at_headings

_BLOCKS = MarkdownIt("commonmark").enable("table").disable("inline")
_INLINE = MarkdownIt("commonmark")
_FRONT_MATTER = re.compile(r"---[ \t]*\n([\w-]+[ \t]*:.*\n(?:.*\n)*?)(?:---|\.\.\.)[ \t]*(?:\n|\Z)")
_FRONT_TITLE = re.compile(r"^title[ \t]*:(?![ \t]*[>|])(.*)", re.MULTILINE)
_REPLACED = {"softbreak": " ", "hardbreak": " ", "html_inline": ""}


def markdown_sections(text: str) -> Iterator[Section]:
    """Split Markdown at the headings outside lists and quotes.

    YAML front matter is dropped, but its title is the outermost one unless there is a heading of level 1.
    """
    front = _FRONT_MATTER.match(text)
    begin = front[0].rstrip("\n").count("\n") + 1 if front else 0
    body = text[front.end() :] if front else text
    headings = list(markdown_headings(body, begin))
    if front:
        title = _FRONT_TITLE.search(front[1])
        outermost = title[1].strip("\"' \t") if title and all(heading.level > 1 for heading in headings) else ""
        headings.insert(0, Heading(0, outermost, 0, begin))
    return split_at_headings(text, headings)


def markdown_headings(text: str, first_line: int) -> Iterator[Heading]:
    """Find the headings outside lists and quotes; `first_line` is the index of the text's first line."""
    env: EnvType = {}
    tokens = _BLOCKS.parse(text, env)
    for token, inline in pairwise(tokens):
        if token.type == "heading_open" and token.level == 0 and token.map:
            title = _plain_text(_INLINE.parseInline(inline.content, env))
            start, end = token.map
            yield Heading(int(token.tag[1:]), title, first_line + start, first_line + end)


def _plain_text(tokens: Sequence[Token]) -> str:
    return "".join(
        _plain_text(token.children) if token.children else _REPLACED.get(token.type, token.content) for token in tokens
    )
