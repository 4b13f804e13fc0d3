"""reStructuredText to sections."""

import re
from collections.abc import Iterator

from docutils import nodes
from docutils.frontend import get_default_settings
from docutils.parsers.rst import Parser
from docutils.utils import new_document

from warmer.ingest.section import Heading, Section, cut
from warmer.ingest.text import text_sections

_QUIET_AND_SAFE = {
    "report_level": 5,
    "halt_level": 5,
    "warning_stream": False,
    "file_insertion_enabled": False,
    "raw_enabled": False,
    "syntax_highlight": "none",
}
# Docutils would end lines at these too; spaces keep its line numbers ours.
_LINE_ENDS = str.maketrans(dict.fromkeys("\v\f\x1c\x1d\x1e\x85\u2028\u2029", " "))
_LONGEST_TITLE = 400
_UNKNOWN_ROLE = re.compile(r":[\w.:+-]+:`[~!]?([^`<]*?)\s*(?:<[^`]*>)?`")


def rst_sections(text: str) -> Iterator[Section]:
    """Cut reStructuredText at its section titles; what docutils cannot parse is one section."""
    try:
        headings = list(_headings(text))
    except Exception:  # noqa: BLE001 - docutils fails in many ways, and its parse only serves the titles
        return text_sections(text)
    return cut(text, headings)


def _headings(text: str) -> Iterator[Heading]:
    settings = get_default_settings(Parser)
    vars(settings).update(_QUIET_AND_SAFE)
    document = new_document("", settings)
    Parser().parse(text.translate(_LINE_ENDS), document)
    lines = ["", *text.split("\n")]  # the index is the line number
    for section in document.findall(nodes.section):
        underline = section.line or 0
        overlined = lines[underline - 2].rstrip() == lines[underline].rstrip()
        title = _UNKNOWN_ROLE.sub(r"\1", section[0].astext()[:_LONGEST_TITLE])
        yield Heading(len(section.section_hierarchy()), title, underline - 2 - overlined, underline)
