"""Sections: the runs of text between the headings of a document."""

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

_MAX_HEADING_LENGTH = 200
_CONTENTS = {"table of contents", "contents", "on this page"}  # what is below it in level is no part of it


@dataclass(frozen=True, slots=True)
class Section:
    """Text under one heading.

    Attributes:
        title: The headings that lead to it, outermost first, joined by " > ".
        text: The text, without the heading.
        lines: Line number in the document of each line of the text, from 1.
        url: URL of the section, if the document declares one.
        page: Page number in a PDF, from 1; 0 elsewhere.
        tags: Tags that the document gives itself.
        picture: Digest of a picture, whose caption `text` is; empty elsewhere.
        head: Rows at the beginning, a signature, that each passage of the section repeats.
    """

    title: str
    text: str
    lines: Sequence[int]
    url: str = ""
    page: int = 0
    tags: tuple[str, ...] = ()
    picture: str = ""
    head: int = 0


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


def split_at_headings(
    text: str,
    headings: Iterable[Heading],
    *,
    title: str = "",
    lines: Sequence[int] | None = None,
    tags: tuple[str, ...] = (),
) -> Iterator[Section]:
    """Split a document at its headings, given in order.

    Args:
        text: The document.
        headings: The headings.
        title: Title of the document, which is outermost unless there is a heading of level 1.
        lines: Number of each row of `text` in the file, if they are not the same.
        tags: Tags of the document.
    """
    rows = io.StringIO(text).readlines()
    numbers = lines if lines is not None else range(1, len(rows) + 2)
    headings = list(headings)
    own = [heading.title for heading in headings if heading.level == 1]
    path = [] if own else [Heading(0, title, 0, 0)]
    opening = own[0] if len(own) == 1 else title
    begin = 0
    for heading in [*headings, Heading(0, "", len(rows), len(rows))]:
        name = title_of(path) if path else title_of([Heading(0, opening, 0, 0)])
        part = numbers[begin : max(begin, heading.start) + 1] or numbers[-1:]
        yield Section(name, "".join(rows[begin : heading.start]), part, tags=tags)
        path = extend_path(path, heading)
        begin = heading.end


def extend_path(path: Iterable[Heading], heading: Heading) -> list[Heading]:
    """Return the path of headings to the next heading: the outer ones of `path`, and itself."""
    return [*(outer for outer in path if outer.level < heading.level), heading]


def title_of(path: Iterable[Heading]) -> str:
    """Join the titles of a path of headings."""
    titles = (" ".join(heading.title.split())[:_MAX_HEADING_LENGTH] for heading in path)
    said = [title for title in titles if title]
    return " > ".join([title for title in said if title.lower() not in _CONTENTS] or said)
