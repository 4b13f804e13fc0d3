"""Sections: the runs of text between the headings of a document."""

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_LONGEST_HEADING = 200


@dataclass(frozen=True, slots=True)
class Section:
    """Text under one heading, as it stands in the document.

    Attributes:
        title: The path of headings that leads to it, outermost first, joined by " > ".
        text: The text, without the heading.
        line: The line of the document at which the text begins; the first line is 1.
        gap: How many lines of the document the text leaves out after its first line.
    """

    title: str
    text: str
    line: int
    gap: int = 0


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
        yield Section(_title(path), "".join(lines[begin : heading.start]), begin + 1)
        path = [outer for outer in path if outer.level < heading.level] + [heading]
        begin = heading.end


def _title(path: Iterable[Heading]) -> str:
    short = (" ".join(heading.title.split())[:_LONGEST_HEADING] for heading in path)
    return " > ".join(title for title in short if title)
