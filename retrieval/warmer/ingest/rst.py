"""Split reStructuredText into sections."""

import re
from collections.abc import Iterator

from docutils import nodes
from docutils.frontend import get_default_settings
from docutils.parsers.rst import Parser
from docutils.utils import new_document

from warmer.ingest.section import Heading, Section, split_at_headings
from warmer.ingest.text import text_sections

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


def rst_sections(text: str) -> Iterator[Section]:
    """Split reStructuredText at its section titles; text that docutils cannot parse is one section."""
    try:
        headings = list(_headings(text))
    except Exception:  # noqa: BLE001  docutils fails in many ways, and only the titles depend on it
        return text_sections(text)
    return split_at_headings(text, headings)


def _headings(text: str) -> Iterator[Heading]:
    settings = get_default_settings(Parser)
    vars(settings).update(_QUIET_AND_SAFE)
    document = new_document("", settings)
    Parser().parse(text.translate(_EXTRA_LINE_ENDS), document)
    lines = ["", *text.split("\n")]  # the index is the line number
    for section in document.findall(nodes.section):
        underline = section.line or 0
        overlined = lines[underline - 2].rstrip() == lines[underline].rstrip()
        title = _UNKNOWN_ROLE.sub(r"\1", section[0].astext()[:_MAX_TITLE_LENGTH])
        yield Heading(len(section.section_hierarchy()), title, underline - 2 - overlined, underline)
