"""Split Markdown into sections."""

import re
from collections.abc import Iterator, Sequence
from html import unescape
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markdown_it.utils import EnvType

from warmer.ingest.front_matter import read_front_matter
from warmer.ingest.html import html_parts
from warmer.ingest.rows import Rows
from warmer.ingest.section import Heading, Section

_BLOCKS = MarkdownIt("commonmark").enable("table").disable("inline")
_INLINE = MarkdownIt("commonmark")
_REPLACED = {"softbreak": " ", "hardbreak": " ", "html_inline": ""}
_ATTRIBUTES = re.compile(r"[ \t]*(?:\[\]\(\))?\{(?::|[ \t]*[#.]|[ \t]*[\w-]+=|/\*)[^}\n]*\}[ \t]*$")
_ICON = re.compile(r"(?<!\w):(?:octicons|material|fontawesome|simple)-[\w-]+:")
_BLOCK = re.compile(
    r"^[ \t]*/{3,}[ \t]*$|^[ \t]*/{3,}[ \t]+(?:(?:tab|details|admonition)[ \t]*\|[ \t]*(?P<title>\S.*?)|"
    r"(?:html|define|caption|[a-z]+-caption)\b.*|details|"
    r"(?P<type>note|attention|caution|danger|error|example|tip|hint|info|important|warning|success|quote|new|settings)"
    r"(?:[ \t]*\|[ \t]*(?P<named>\S.*?))?)[ \t]*$"
)
_HTML_TEXT = re.compile(r"<!--[\s\S]*?-->|<[^<>]*>")
_HTML_HEADING = re.compile(r"<h[1-6]\b", re.IGNORECASE)
_TARGET = r"(?:\([^)\n]*\)|\[[^\]\n]*\])"
_BADGE = rf"\[[ ]*!\[[^\]\n]*\]{_TARGET}[ ]*\]{_TARGET}|!\[[^\]\n]*\]\([^)\n]*badge[^)\n]*\)"
_TAGS = "a|abbr|b|big|br|center|div|em|font|i|img|ins|del|kbd|p|picture|s|small|source|span|strong|sub|sup|u|video|wbr"
_INLINE_NOISE = re.compile(
    rf"(?P<code>(?P<tick>`+)(?!`)[^\n]*?(?<!`)(?P=tick)(?!`))|{_BADGE}|</?(?:{_TAGS})(?:\s[^<>\n]*)?/?>|<!--[^\n]*?-->"
    r"|(?<!\w):(?:octicons|material|fontawesome|simple)-[\w-]+:[ ]?|(?<=[)\]*_`])\{(?::[ ]?|[ ]?)[.#][\w:][^{}\n]*\}"
    r"|&(?:#\d{1,7}|#x[\da-f]{1,6}|[a-z][a-z\d]{1,30});",
    re.IGNORECASE,
)


def markdown_sections(text: str, name: str = "") -> Iterator[Section]:
    """Split Markdown at the headings outside lists and quotes, those written as HTML too.

    Front matter is dropped, but its title, or else `name`, is the outermost one unless there is a heading of level 1.
    """
    front = read_front_matter(text)
    body = text.split("\n", front.rows)[-1] if front.rows <= text.count("\n") else ""
    rows = Rows()
    add_markdown(rows, body, front.rows + 1)
    return rows.sections(front.title or name, front.tags)


def add_markdown(rows: Rows, text: str, number: int) -> None:
    """Add Markdown, whose first row has that number: HTML as text, and text without tags, badges and attributes."""
    env: EnvType = {}
    source = text.split("\n")
    done = 0
    tokens = _BLOCKS.parse(text, env)
    verbatim = _verbatim_rows(tokens)
    for token, inline in pairwise([*tokens, Token("", "", 0)]):
        if not token.map or token.type not in {"heading_open", "html_block"}:
            continue
        if token.type == "heading_open" and token.level:
            continue
        start, end = token.map
        _add_text(rows, source, done, start, number, verbatim)
        if token.type == "heading_open":
            title = _plain_text(_INLINE.parseInline(_ICON.sub("", _ATTRIBUTES.sub("", inline.content)), env))
            rows.headings.append(Heading(int(token.tag[1:]), title, len(rows.rows), len(rows.rows) + end - start))
            for row in range(start, end):
                rows.add(source[row], number + row)
        else:
            _add_html(rows, source[start:end], number + start)
        done = max(done, end)
    _add_text(rows, source, done, len(source), number, verbatim)


def _verbatim_rows(tokens: Sequence[Token]) -> set[int]:
    return {row for token in tokens if token.map and token.type in {"fence", "code_block"} for row in range(*token.map)}


def _add_text(rows: Rows, source: Sequence[str], start: int, end: int, number: int, verbatim: set[int]) -> None:
    for row in range(start, end):
        text = source[row]
        if row not in verbatim:
            text = _BLOCK.sub(_title_of_block, text) if "///" in text else text
            text = _INLINE_NOISE.sub(_denoise, text) if _is_noisy(text) else text
        rows.add(text, number + row)


def _title_of_block(found: re.Match[str]) -> str:
    """Return the title of a block of pymdownx, or its type, as a label of what is in it."""
    title = found["title"] or found["named"] or (found["type"] or "").capitalize()
    return f"{title}:" if title and title[-1].isalnum() else title


def _is_noisy(text: str) -> bool:
    return any(mark in text for mark in ("<", "&", "![", "{")) or (":" in text and "-" in text)


def _denoise(found: re.Match[str]) -> str:
    text = found[0]
    if found["code"]:
        return text
    if text.startswith("&"):
        return unescape(text)
    return " " if text[:3].lower() == "<br" else ""


def _without_badge(found: re.Match[str]) -> str:
    return "" if "![" in found[0] else found[0]


def _add_html(rows: Rows, source: Sequence[str], number: int) -> None:
    html = "\n".join(source)
    if not _HTML_HEADING.search(html) and not _HTML_TEXT.sub("", html).strip():
        for row in range(len(source)):
            rows.add("", number + row)
        return
    for part in html_parts(html):
        if part.heading:
            rows.add_heading(part.heading, part.text, number + part.lines[0] - 1)
        else:
            rows.add("", number + part.lines[0] - 1)
            for text, line in zip(part.text.split("\n"), part.lines, strict=True):
                rows.add(_INLINE_NOISE.sub(_without_badge, text), number + line - 1)
            rows.add("", number + part.lines[-1] - 1)


def _plain_text(tokens: Sequence[Token]) -> str:
    return "".join(
        _plain_text(token.children) if token.children else _REPLACED.get(token.type, token.content) for token in tokens
    )
