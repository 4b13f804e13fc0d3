"""Extract documentation comments from source code; Pygments finds the comments."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pygments.lexers import get_lexer_for_filename
from pygments.token import Comment, String

from warmer.ingest.declaration import Declaration, enclosing, read_declaration, trailing_declaration
from warmer.ingest.section import Section

_COMMENT_TOKENS = (Comment, String.Doc)
_DOC_COMMENT_STARTS = ("/**", "/*!", "///", "//!")
_TRAILING_STARTS = ("/**<", "/*!<", "///<", "//!<")
_MARKS_BEHIND = dict.fromkeys([".go", ".proto"], ("//",))  # where any comment behind a field is about it
_LICENCE = re.compile(r"copyright|\blicen[sc]e|SPDX-", re.IGNORECASE)
_COMMENT_SYNTAX = re.compile(
    r"^[ \t]*(?:=begin\b|=end\b|/\*[*!]?<?(?!/)|\*+/|\*(?!\w)|//[/!]?<?|#+)?[ \t]?|[ \t]*\*+/[ \t]*$"
)
_XML_REFERENCE = re.compile(
    r"<(?:see|seealso|paramref|typeparamref)\s[^>]*?(?:cref|name|langword)=\"(?:\w:)?([^\"]*)\"[^>]*?/?>"
)
_XML_PARAMETER = re.compile(r"<(?:type)?param\s+name=\"([^\"]*)\"\s*>")
_XML_TAG = re.compile(
    r"</?(?:summary|remarks|param|typeparam|returns?|value|example|exception|para|c|code|list|item|see|seealso"
    r"|description|term|inheritdoc|include|br)\b[^>]*>"
)
_MAGIC = re.compile(
    r"#!|(?:-\*-.*-\*-|(?:frozen_string_literal|encoding|coding|warn_indent|typed|shareable_constant_value)\s*[:=].*"
    r"|(?:eslint|tslint|jshint|prettier|istanbul|rubocop|noinspection|nolint|biome|ktlint|swiftlint|swiftformat"
    r"|clang-format|phpcs|phpstan|psalm|sourcery|deno-lint|c8|v8|ignore_for_file|ignore|globals?)\b[: -].*"
    r"|@ts-\w+.*|\+build .*|go:\w+.*|swift-tools-version.*|vim?:.*"
    r"|endregion.*|region\b.*|NOLINT.*|<reference .*|[-=*#/_~]{4,})$",
    re.IGNORECASE,
)
_ALIASES = {".cts": ".ts", ".mts": ".ts", ".cjs": ".js"}
_MAX_LINE_LENGTH = 5000  # longer lines are generated code, on which lexers are slow


@dataclass(frozen=True, slots=True)
class _Comment:
    """A run of comment lines: the first and the last (from 0), and the column where the first begins."""

    first: int
    last: int
    column: int


def code_sections(text: str, name: str) -> Iterator[Section]:
    """Extract each documentation comment, with the declaration that it is about.

    A documentation comment is written as one (`/**`, `///` and the like), or stands right above a declaration that is
    not inside a function. Licences are skipped, and lines for tools. The title has the names around the declaration.

    Args:
        text: The code.
        name: The file's name; its suffix selects the language.
    """
    rows = text.split("\n")
    if max(map(len, rows)) > _MAX_LINE_LENGTH:
        return
    comments = list(_comments(text, name))
    commented = {row for comment in comments for row in range(comment.first + (comment.column > 0), comment.last + 1)}
    bare = ["" if row in commented else line for row, line in enumerate(rows)]
    for comment in comments:
        yield from _section(comment, rows, bare, name)


def _section(comment: _Comment, rows: Sequence[str], bare: Sequence[str], name: str) -> Iterator[Section]:
    raw = [rows[comment.first][comment.column :], *rows[comment.first + 1 : comment.last + 1]]
    starts = raw[0].lstrip()
    if not (lines := _text_lines(raw)) or _LICENCE.search("\n".join(raw)):
        return
    suffix = name[name.rfind(".") :].lower()
    is_written = starts.startswith(_DOC_COMMENT_STARTS)
    marks = _MARKS_BEHIND.get(suffix, _TRAILING_STARTS)
    if comment.column:
        declaration = trailing_declaration(rows[comment.first][: comment.column], suffix)
        is_written = starts.startswith(marks)
        at = comment.first
    else:
        at = comment.last + 1
        inner = starts.startswith("//!") or (starts.startswith("/*!") and suffix == ".rs")
        declaration = Declaration() if inner else read_declaration(bare, at, suffix)
    around = enclosing(bare, at, suffix) if declaration.name or comment.column else []
    if not is_written and (not declaration.name or any(outer.is_function for outer in around)):
        return
    inside = any(outer.is_function for outer in around) or not around
    if comment.column and not (is_written and declaration.name and not (marks is not _TRAILING_STARTS and inside)):
        return
    title = " > ".join([name, *(outer.name for outer in around if outer.name), *filter(None, [declaration.name])])
    head = [declaration.signature] if declaration.name else []
    numbers = [comment.first + 1] * len(head) + [comment.first + row + 1 for row, _ in lines]
    yield Section(title, "\n".join([*head, *(text for _, text in lines)]), numbers)


def _text_lines(raw: Sequence[str]) -> list[tuple[int, str]]:
    """Return the rows of a comment without its marks, magic lines, and blank rows around."""
    xml = any("<summary" in row or "<param" in row or "<returns" in row or "<remarks" in row for row in raw)
    lines = []
    for row, line in enumerate(raw):
        text = _COMMENT_SYNTAX.sub("", line).rstrip()
        if xml:
            text = _XML_TAG.sub("", _XML_PARAMETER.sub(r"\1: ", _XML_REFERENCE.sub(r"\1", text))).strip()
        if not _MAGIC.match(text.strip()) and not line.startswith("#!"):
            lines.append((row, text))
    filled = [place for place, (_, text) in enumerate(lines) if text]
    return lines[filled[0] : filled[-1] + 1] if filled else []


def _comments(text: str, name: str) -> Iterator[_Comment]:
    """Find the runs of comments; one behind code is a run of its own, with the lines below that go on with it."""
    begin, end, column = -1, -1, 0
    row = at = 0
    mark = ""
    suffix = name[name.rfind(".") :].lower()
    lexer = get_lexer_for_filename(f"a{_ALIASES.get(suffix, suffix)}")
    for position, kind, value in lexer.get_tokens_unprocessed(text):
        if kind in Comment.Preproc or not any(kind in token for token in _COMMENT_TOKENS):  # type: ignore[comparison-overlap]
            continue
        row += text.count("\n", at, position)
        at = position
        last = row + value.rstrip("\n").count("\n")
        before = text[text.rfind("\n", 0, position) + 1 : position]
        behind = len(before) if before.strip() else 0
        before_mark, mark = mark, value[:3]
        is_other = (mark == "//!") != (before_mark == "//!") or value.startswith(("/**", "/*!"))
        if row > end + 1 or is_other or begin < 0 or behind or row == end:
            if begin >= 0:
                yield _Comment(begin, end, column)
            begin, column = row, behind
        elif column:
            yield _Comment(begin, end, column)
            begin, column = row, 0
        end = last
    if begin >= 0:
        yield _Comment(begin, end, column)
