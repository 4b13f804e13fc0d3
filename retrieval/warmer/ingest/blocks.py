"""Find what belongs together in a text: paragraphs, code, tables and directives."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

Kind = Literal["text", "code", "table", "directive"]

_QUOTE_OR_ITEM = r"[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*"
_FENCE = re.compile(rf"(?P<prefix>{_QUOTE_OR_ITEM})(?P<fence>`{{3,}}|~{{3,}})(?P<info>.*)")
_TABLE_RULE = re.compile(r"[ \t>]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*")
_GRID_RULE = re.compile(r"[ \t]*\+[-=+]+\+[ \t]*")
_SIMPLE_RULE = re.compile(r"[ \t]*=+(?:[ \t]+=+)+[ \t]*")
_DIRECTIVE = re.compile(r"[ \t]*\.\.[ \t]+\S.*")
_CODE_DIRECTIVE = re.compile(
    r"[ \t]*\.\.[ \t]+(?:code|code-block|sourcecode|parsed-literal|prompt|doctest|testcode)::.*"
)
_TRANSPARENT = re.compile(r"[ \t]*\.\.[ \t]+(?:only|container|rst-class|class|ifconfig|grid[\w-]*|tab-set)::.*")
_OPTION = re.compile(r"[ \t]+:[\w -]+:.*")
_ITEM = re.compile(r"[ \t>]*(?:[-*+•]|\d{1,9}[.)]|#\.)[ \t]")
_CODE_INDENT = 4
_SHORT_FENCE = 4  # a rule below a title is mostly longer
_WIDE = 120  # characters of a row of a table; wider ones are mostly padding
_PADDING = re.compile(r"(?<=\S) {3,}|^ {9,}")
_RULE = re.compile(r"([-=])\1{3,}")


@dataclass(frozen=True, slots=True)
class Block:
    """Rows that belong together.

    Attributes:
        kind: What they are.
        row: Index of the first.
        head: Rows that each part repeats if the block is split: a fence, a table's header, a directive.
        body: The other rows.
        tail: Rows at the end that each part repeats: the fence that closes.
    """

    kind: Kind
    row: int
    head: tuple[str, ...]
    body: tuple[str, ...]
    tail: tuple[str, ...] = ()

    @property
    def end(self) -> int:
        """Index of the row after it."""
        return self.row + len(self.head) + len(self.body) + len(self.tail)


def find_blocks(rows: Sequence[str]) -> Iterator[Block]:
    """Find the blocks of a text in Markdown, reStructuredText or none of both; blank rows lie between them."""
    at, before = 0, None
    while at < len(rows):
        if not rows[at].strip():
            at += 1
            continue
        block = _literal(rows, at, before) or _special(rows, at) or _paragraph(rows, at)
        yield block
        at, before = max(block.end, at + 1), block


def content(block: Block) -> list[str] | None:
    """Return what a directive holds that says nothing itself, such as `only`, in as many rows; None for others."""
    if block.kind != "directive" or not _TRANSPARENT.fullmatch(block.head[0]):
        return None
    indent = min((_indent(row) for row in block.body if row.strip()), default=0)
    return [*[""] * len(block.head), *(row[indent:] for row in block.body)]


def is_item(row: str) -> bool:
    """Tell whether an item of a list begins at a row."""
    return bool(_ITEM.match(row))


def _narrow(block: Block) -> Block:
    """Take the padding out of a wide table."""
    if max(map(len, (*block.head, *block.body))) <= _WIDE:
        return block
    return replace(block, head=tuple(map(_without_padding, block.head)), body=tuple(map(_without_padding, block.body)))


def _without_padding(row: str) -> str:
    return _PADDING.sub("  ", _RULE.sub(r"\1\1\1", row))


def _special(rows: Sequence[str], at: int) -> Block | None:
    return _fenced(rows, at) or _table(rows, at) or _rst_table(rows, at) or _directive(rows, at)


def _fenced(rows: Sequence[str], at: int) -> Block | None:
    opening = _FENCE.fullmatch(rows[at])
    if not opening or (opening["fence"][0] == "`" and "`" in opening["info"]):
        return None
    fence = opening["fence"]
    if not opening["info"].strip() and _is_underline(rows[at - 1 : at], rows[at]):
        return None
    closing = re.compile(rf"[ \t>]*{re.escape(fence[0])}{{{len(fence)},}}[ \t]*")
    end = next((row for row in range(at + 1, len(rows)) if closing.fullmatch(rows[row])), 0)
    if end:
        return Block("code", at, (rows[at],), tuple(rows[at + 1 : end]), (rows[end],))
    return Block(
        "code", at, (rows[at],), _trimmed(rows[at + 1 :]), (re.sub(r"[^\s>]", " ", opening["prefix"]) + fence,)
    )


def _is_underline(above: Sequence[str], row: str) -> bool:
    """Tell whether a row underlines a title of reStructuredText, as in a docstring, and so is no fence."""
    is_as_long = any(len(title.rstrip()) == len(row.rstrip()) > _SHORT_FENCE for title in above)
    return is_as_long and any(map(str.isalnum, above[0])) and _indent(above[0]) == _indent(row)


def _table(rows: Sequence[str], at: int) -> Block | None:
    if "|" not in rows[at] or at + 1 == len(rows) or not _TABLE_RULE.fullmatch(rows[at + 1]):
        return None
    end = next((row for row in range(at + 2, len(rows)) if "|" not in rows[row]), len(rows))
    return _narrow(Block("table", at, tuple(rows[at : at + 2]), tuple(rows[at + 2 : end])))


def _rst_table(rows: Sequence[str], at: int) -> Block | None:
    rule = next((rule for rule in (_GRID_RULE, _SIMPLE_RULE) if rule.fullmatch(rows[at])), None)
    if not rule:
        return None
    end = next((row for row in range(at, len(rows)) if not rows[row].strip()), len(rows))
    header = next((row for row in range(at + 1, end - 1) if _is_header_rule(rows[row])), at)
    return _narrow(Block("table", at, tuple(rows[at : header + 1]), tuple(rows[header + 1 : end])))


def _is_header_rule(row: str) -> bool:
    return bool(_SIMPLE_RULE.fullmatch(row) or (_GRID_RULE.fullmatch(row) and "=" in row))


def _directive(rows: Sequence[str], at: int) -> Block | None:
    if not _DIRECTIVE.fullmatch(rows[at]):
        return None
    end = _end_of_indented(rows, at + 1, _indent(rows[at]))
    body = at + 1
    while body < end and _OPTION.fullmatch(rows[body]):
        body += 1
    while body < end and not rows[body].strip():
        body += 1
    if any(block.end > end - body for block in find_blocks(rows[body:end])):
        return None  # a fence within it that nothing closes
    kind: Kind = "code" if _CODE_DIRECTIVE.fullmatch(rows[at]) else "directive"
    return Block(kind, at, tuple(rows[at:body]), tuple(rows[body:end]))


def _literal(rows: Sequence[str], at: int, before: Block | None) -> Block | None:
    """Read an indented block of code, as after "::" or in Markdown after a paragraph."""
    if not before or before.kind != "text":
        return None
    outer, last = before.body[0], before.body[-1]
    deeper = _indent(rows[at]) - _indent(outer)
    announced = last.rstrip().endswith("::") and deeper > 0
    if not announced and (deeper < _CODE_INDENT or _ITEM.match(outer) or at == before.end):
        return None
    literal = rows[at : _end_of_indented(rows, at, _indent(outer))]
    if not announced and any(_FENCE.fullmatch(row) for row in literal):
        return None  # text that is indented, as in an admonition
    return Block("code", at, (), tuple(literal))


def _paragraph(rows: Sequence[str], at: int) -> Block:
    is_doctest = rows[at].lstrip().startswith(">>> ")
    end = at + 1
    while end < len(rows) and rows[end].strip() and (is_doctest or not _special(rows, end)):
        end += 1
    return Block("code" if is_doctest else "text", at, (), tuple(rows[at:end]))


def _end_of_indented(rows: Sequence[str], at: int, indent: int) -> int:
    """Return the row after those that are indented deeper, without the blank ones at their end."""
    end = at
    for row in range(at, len(rows)):
        if rows[row].strip():
            if _indent(rows[row]) <= indent:
                break
            end = row + 1
    return end


def _trimmed(rows: Sequence[str]) -> tuple[str, ...]:
    end = len(rows)
    while end and not rows[end - 1].strip():
        end -= 1
    return tuple(rows[:end])


def _indent(row: str) -> int:
    return len(row) - len(row.lstrip())
