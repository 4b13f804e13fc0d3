"""The documentation comments of code to sections; Pygments' lexers tell what is a comment."""

import re
from collections.abc import Iterator
from itertools import islice

from pygments.lexers import get_lexer_for_filename
from pygments.token import Comment, String

from warmer.ingest.section import Section

_COMMENTS = (Comment, String.Doc)
_MARKED = ("/**", "/*!", "///", "//!")
_NOTICE = re.compile(r"copyright|\blicen[sc]e|SPDX-", re.IGNORECASE)
_FRAME = re.compile(r"^[ \t]*(?:/\*[*!]?(?!/)|\*+/|\*(?!\w)|//[/!]?|#+)?[ \t]?|[ \t]*\*+/[ \t]*$")
_NAME = re.compile(
    r"""
    \b(?:class|struct|enum|interface|trait|protocol|type|typedef|union|record|object|module|mod|namespace|package|macro
        |func|fn|fun|function|def|const|let|var|val|message|service|rpc) \s+ (?:\([^)]*\)\s*)? (?P<kept>[\w$.:]+)
    | (?P<called>[\w$:~]+) \s* (?:<[^>]*>)? \s* \(
    """,
    re.VERBOSE,
)
_LONGEST_LINE = 5000  # of what people write; code beyond is made by programs, and lexers are slow on it
_LONGEST_SIGNATURE = 6  # lines


def code_sections(text: str, name: str) -> Iterator[Section]:
    """Take each documentation comment, with the signature of what it is about.

    That is a comment in a form for it (`/**`, `///` and the like), or one right above a definition that is not
    indented. Licences are left out.

    Args:
        text: The code.
        name: The name of the file; the suffix tells the language.
    """
    rows = text.split("\n")
    if max(map(len, rows)) > _LONGEST_LINE:
        return
    for first, last in _comments(text, name):
        comment = [_FRAME.sub("", row).rstrip() for row in rows[first : last + 1]]
        raw = "\n".join(rows[first : last + 1])
        signature = _signature(rows[last + 1 :][: _LONGEST_SIGNATURE + 1])
        found = _NAME.search(signature)
        about = (found["kept"] or found["called"]).strip(".:") if found else ""
        documents = raw.lstrip().startswith(_MARKED) or (about and not raw[0].isspace())
        said = [row for row, text in enumerate(comment) if text]
        if documents and said and not _NOTICE.search(raw):
            begin, end = said[0], said[-1] + 1
            title, head = (f"{name} > {about}", [signature]) if about else (name, [])
            lines = range(first + begin + 1, first + end + 1)
            yield Section(title, "\n".join([*head, *comment[begin:end]]), [first + 1] * len(head) + [*lines])


def _comments(text: str, name: str) -> Iterator[tuple[int, int]]:
    """Find the first and last line (from 0) of each run of comments that stand alone on their lines."""
    begin = end = -1
    row = at = 0
    for position, kind, value in get_lexer_for_filename(name).get_tokens_unprocessed(text):
        if kind in Comment.Preproc or not any(kind in wanted for wanted in _COMMENTS):  # type: ignore[comparison-overlap]
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
    """Take the code up to where its body begins; decorators and the like are no part of it."""
    taken: list[str] = []
    for row in islice(rows, _LONGEST_SIGNATURE):
        bare = row.strip()
        if not bare or bare.startswith(("}", "*/")):
            break
        if taken or not bare.startswith(("@", "#[", "[")):
            taken.append(re.sub(r"\s*\{.*$", "", bare))
        if "{" in bare or bare.endswith((";", ":")):
            break
    return " ".join(filter(None, taken))
