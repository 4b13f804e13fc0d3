"""Sections: the runs of text between the headings of a document."""

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

_MAX_HEADING_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Section:
    """Text under one heading.

    Attributes:
        title: The headings that lead to it, outermost first, joined by " > ".
        text: The text, without the heading.
        lines: Line number in the document of each line of the text, from 1.
        url: URL of the section, if the document declares one.
        page: Page number in a PDF, from 1; 0 elsewhere.
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
        level: Depth; smaller is further out.
        title: Plain text of the heading.
        start: Index of its first line, from 0.
        end: Index of the line after it.
    """

    level: int
    title: str
    start: int
    end: int


def split_at_headings(text: str, headings: Iterable[Heading]) -> Iterator[Section]:
    """Split a document at its headings, given in order; the text before the first has no title."""
    lines = io.StringIO(text).readlines()
    path: list[Heading] = []
    begin = 0
    for heading in [*headings, Heading(0, "", len(lines), len(lines))]:
        numbers = range(begin + 1, max(begin, heading.start) + 2)
        yield Section(title_of(path), "".join(lines[begin : heading.start]), numbers)
        path = extend_path(path, heading)
        begin = heading.end


def extend_path(path: Iterable[Heading], heading: Heading) -> list[Heading]:
    """Return the path of headings to the next heading: the outer ones of `path`, and itself."""
    return [*(outer for outer in path if outer.level < heading.level), heading]


def title_of(path: Iterable[Heading]) -> str:
    """Join the titles of a path of headings."""
    titles = (" ".join(heading.title.split())[:_MAX_HEADING_LENGTH] for heading in path)
    return " > ".join(title for title in titles if title)
