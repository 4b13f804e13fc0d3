"""Extract documentation comments from source code; Pygments finds the comments."""

import re
from collections.abc import Iterator
from itertools import islice

from pygments.lexers import get_lexer_for_filename
from pygments.token import Comment, String

from warmer.ingest.section import Section

_COMMENT_TOKENS = (Comment, String.Doc)
_DOC_COMMENT_STARTS = ("/**", "/*!", "///", "//!")
_LICENCE = re.compile(r"copyright|\blicen[sc]e|SPDX-", re.IGNORECASE)
_COMMENT_SYNTAX = re.compile(r"^[ \t]*(?:/\*[*!]?(?!/)|\*+/|\*(?!\w)|//[/!]?|#+)?[ \t]?|[ \t]*\*+/[ \t]*$")
_DEFINITION = re.compile(
    r"""
    \b(?:class|struct|enum|interface|trait|protocol|type|typedef|union|record|object|module|mod|namespace|package|macro
        |func|fn|fun|function|def|const|let|var|val|message|service|rpc) \s+ (?:\([^)]*\)\s*)? (?P<declared>[\w$.:]+)
    | (?P<called>[\w$:~]+) \s* (?:<[^>]*>)? \s* \(
    """,
    re.VERBOSE,
)
_MAX_LINE_LENGTH = 5000  # longer lines are generated code, on which lexers are slow
_MAX_SIGNATURE_LINES = 6


def code_sections(text: str, name: str) -> Iterator[Section]:
    """Extract each documentation comment, with the signature that follows it.

    A documentation comment is written as one (`/**`, `///` and the like), or stands unindented right above a
    definition. Licences are skipped.

    Args:
        text: The code.
        name: The file's name; its suffix selects the language.
    """
    rows = text.split("\n")
    if max(map(len, rows)) > _MAX_LINE_LENGTH:
        return
    for first, last in _comment_runs(text, name):
        comment = [_COMMENT_SYNTAX.sub("", row).rstrip() for row in rows[first : last + 1]]
        raw = "\n".join(rows[first : last + 1])
        signature = _signature(rows[last + 1 :][: _MAX_SIGNATURE_LINES + 1])
        definition = _DEFINITION.search(signature)
        symbol = (definition["declared"] or definition["called"]).strip(".:") if definition else ""
        is_documentation = raw.lstrip().startswith(_DOC_COMMENT_STARTS) or (symbol and not raw[0].isspace())
        filled = [row for row, text in enumerate(comment) if text]
        if is_documentation and filled and not _LICENCE.search(raw):
            begin, end = filled[0], filled[-1] + 1
            title, head = (f"{name} > {symbol}", [signature]) if symbol else (name, [])
            lines = range(first + begin + 1, first + end + 1)
            yield Section(title, "\n".join([*head, *comment[begin:end]]), [first + 1] * len(head) + [*lines])


def _comment_runs(text: str, name: str) -> Iterator[tuple[int, int]]:
    """Find the first and last line (from 0) of each run of comments that have their lines to themselves."""
    begin = end = -1
    row = at = 0
    for position, kind, value in get_lexer_for_filename(name).get_tokens_unprocessed(text):
        if kind in Comment.Preproc or not any(kind in token for token in _COMMENT_TOKENS):  # type: ignore[comparison-overlap]
            continue
        row += text.count("\n", at, position)
        at = position
        last = row + value.rstrip("\n").count("\n")
        if text[text.rfind("\n", 0, position) + 1 : position].strip():
            continue
        if row > end + 1 or value.startswith(("/**", "/*!")) or begin < 0:
            if begin >= 0:
                yield begin, end
            begin = row
        end = last
    if begin >= 0:
        yield begin, end


def _signature(rows: list[str]) -> str:
    """Return the code before the body, on one line and without decorators or attributes."""
    taken: list[str] = []
    for row in islice(rows, _MAX_SIGNATURE_LINES):
        bare = row.strip()
        if not bare or bare.startswith(("}", "*/")):
            break
        if taken or not bare.startswith(("@", "#[", "[")):
            taken.append(re.sub(r"\s*\{.*$", "", bare))
        if "{" in bare or bare.endswith((";", ":")):
            break
    return " ".join(filter(None, taken))
