"""Split reStructuredText into sections."""

import re
from collections.abc import Iterator, Sequence
from functools import cache

from docutils import nodes
from docutils.frontend import Values, get_default_settings
from docutils.parsers.rst import Parser, states
from docutils.utils import new_document

from warmer.ingest.section import Heading, Section, split_at_headings

_QUIET_AND_SAFE = {
    "report_level": 5,
    "halt_level": 5,
    "warning_stream": False,
    "file_insertion_enabled": False,
    "raw_enabled": False,
    "syntax_highlight": "none",
}
# Docutils ends lines at these too, we do not; as spaces they leave its line numbers equal to ours.
_EXTRA_LINE_ENDS = str.maketrans(dict.fromkeys("\v\f\x1c\x1d\x1e\x85\u2028\u2029", " "))
_MAX_TITLE_LENGTH = 400
_UNKNOWN_ROLE = re.compile(r":[\w.:+-]+:`[~!]?([^`<]*?)\s*(?:<[^`]*>)?`")
_ADORNMENT = re.compile(r"([!-/:-@[-`{-~])\1+\s*")
_MARKUP = re.compile(r"[`*|_\\]")
_SUBSTITUTION = re.compile(r"^\.\. \|([^|\n]+)\| replace::[ \t]*(\S[^\n]*?)[ \t]*$", re.MULTILINE)
_REFERENCE = re.compile(r"(?P<defined>^\.\. )?(?<![\w|])\|(?P<name>[^|\s][^|\n]*)\|(?![\w|])", re.MULTILINE)
_SKIPPED_LEVEL = "Inconsistent title style"


def _titles_only() -> states.Inliner:
    """Make a parser of inline markup that leaves text as it is, since markup in paragraphs takes most of the time."""
    inliner = states.Inliner()  # an instance, since docutils reads the attributes of its own class only
    inliner.parse = lambda text, *_: ([nodes.Text(text)], [])  # type: ignore[method-assign, assignment]
    return inliner


def rst_sections(text: str, name: str = "") -> Iterator[Section]:
    """Split reStructuredText at its section titles; text that docutils cannot parse is one section."""
    text = _substituted(text)
    try:
        headings = list(_headings(text))
    except Exception:  # noqa: BLE001  docutils fails in many ways, and only the titles depend on it
        headings = []
    return split_at_headings(text, headings, title=name)


def _substituted(text: str) -> str:
    """Write what substitutions stand for, where the document says it in a line."""
    known = dict(_SUBSTITUTION.findall(text))
    if not known:
        return text
    return _REFERENCE.sub(lambda found: found[0] if found["defined"] else known.get(found["name"], found[0]), text)


def _headings(text: str) -> Iterator[Heading]:
    lines = text.translate(_EXTRA_LINE_ENDS).split("\n")
    document = _parse("\n".join(_outermost(lines)), _titles_only())
    numbered = ["", *lines]  # the index is the line number
    level = 0
    for node in document.findall(lambda node: isinstance(node, nodes.section | nodes.system_message)):
        if isinstance(node, nodes.section):
            level, underline = len(node.section_hierarchy()), node.line or 0
        elif isinstance(node, nodes.system_message) and _SKIPPED_LEVEL in node.astext():
            title = node["line"] + bool(_ADORNMENT.fullmatch(numbered[node["line"]]))
            underline = title + 1
            level += 1
        else:
            continue
        overlined = underline > 2 and numbered[underline - 2].rstrip() == numbered[underline].rstrip()  # noqa: PLR2004
        yield Heading(level, _plain(numbered[underline - 1]), underline - 2 - overlined, underline)


def _outermost(lines: Sequence[str]) -> Iterator[str]:
    """Empty the lines that are indented, and so cannot be titles, unless they are between two rules."""
    around = zip(["", *lines], lines, [*lines[1:], ""], strict=False)
    return (
        "" if line[:1].isspace() and not (_ADORNMENT.fullmatch(above) and above.rstrip() == below.rstrip()) else line
        for above, line, below in around
    )


def _plain(title: str) -> str:
    title = _UNKNOWN_ROLE.sub(r"\1", title.strip()[:_MAX_TITLE_LENGTH])
    if not _MARKUP.search(title):
        return title
    document = _parse(title, states.Inliner())
    return document.children[0].astext() if len(document.children) == 1 else title


def _parse(text: str, inliner: states.Inliner) -> nodes.document:
    document = new_document("", _settings())
    Parser(inliner=inliner).parse(text, document)
    return document


@cache
def _settings() -> Values:
    settings = get_default_settings(Parser)
    vars(settings).update(_QUIET_AND_SAFE)
    return settings
