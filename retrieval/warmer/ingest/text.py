"""Read plain text, and tell in which markup a text is written whose suffix does not say."""

import re
from collections.abc import Iterator

from warmer.ingest.kinds import Kind
from warmer.ingest.section import Section

_UNDERLINED = re.compile(r"^(?P<title>\S.{2,})\n(?P<mark>[=~^\"'`#*+:.-])(?P=mark){2,}[ \t]*$", re.MULTILINE)
_RST = re.compile(r"^\.\. [\w|\[_]|::[ \t]*$|^:[\w -]+: |``|`_", re.MULTILINE)
_MARKDOWN = re.compile(r"\A\s*# \S.*\n[\s\S]*(?:^##+ \S|\]\(\S+\)|^```)", re.MULTILINE)


def text_sections(text: str, name: str = "") -> Iterator[Section]:
    """Yield the whole text as one section, titled by `name`."""
    yield Section(name, text, range(1, text.count("\n") + 2))


def markup_of(text: str) -> Kind:
    """Tell Markdown, as in `llms.txt`, and reStructuredText, as in Django's documentation, from plain text."""
    if _MARKDOWN.match(text):
        return "markdown"
    underlined = [found for found in _UNDERLINED.finditer(text) if _fits(found[0])]
    return "rst" if len(underlined) > 1 or (underlined and _RST.search(text)) else "text"


def _fits(title: str) -> bool:
    above, below = title.split("\n")
    return len(below.rstrip()) >= len(above.rstrip())
