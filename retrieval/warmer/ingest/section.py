"""Sections: the runs of text between the headings of a document."""

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

_LONGEST_HEADING = 200


@dataclass(frozen=True, slots=True)
class Section:
    """Text under one heading.

    Attributes:
        title: The path of headings that leads to it, outermost first, joined by " > ".
        text: The text, without the heading.
        lines: Which line of the document each line of the text is; the first one is 1.
        url: Where it can be read, if the document says so.
        page: The page of a PDF.
    """

    title: str
    text: str
    lines: Sequence[int]
    url: str = ""
    page: int = 0


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading.

    Attributes:
        level: How deep it is; smaller is further out.
        title: Its plain text.
        start: The index of its first line; the first line of the document is 0.
        end: The index of the line after it.
    """

    level: int
    title: str
    start: int
    end: int


def cut(text: str, headings: Iterable[Heading]) -> Iterator[Section]:
    """Cut a document at its headings, which are in order; what comes before the first has no title."""
    lines = io.StringIO(text).readlines()
    path: list[Heading] = []
    begin = 0
    for heading in [*headings, Heading(0, "", len(lines), len(lines))]:
        numbers = range(begin + 1, max(begin, heading.start) + 2)
        yield Section(title_of(path), "".join(lines[begin : heading.start]), numbers)
        path = below(path, heading)
        begin = heading.end


def below(path: Iterable[Heading], heading: Heading) -> list[Heading]:
    """Give the path of headings that ends with this one."""
    return [*(outer for outer in path if outer.level < heading.level), heading]


def title_of(path: Iterable[Heading]) -> str:
    """Join a path of headings."""
    short = (" ".join(heading.title.split())[:_LONGEST_HEADING] for heading in path)
    return " > ".join(title for title in short if title)
