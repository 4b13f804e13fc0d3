"""Rows of text that a reader writes, with the line of each in the file."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from warmer.ingest.section import Heading, Section, split_at_headings


@dataclass(slots=True)
class Rows:
    """Rows of a document, the number of each in the file, and the headings among them."""

    rows: list[str] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    headings: list[Heading] = field(default_factory=list)

    def add(self, row: str, number: int) -> None:
        """Add a row."""
        self.rows.append(row)
        self.numbers.append(number)

    def add_heading(self, level: int, title: str, number: int) -> None:
        """Add a heading in a row of its own, which is empty."""
        self.headings.append(Heading(level, title, len(self.rows), len(self.rows) + 1))
        self.add("", number)

    def sections(self, title: str, tags: tuple[str, ...] = ()) -> Iterator[Section]:
        """Split the rows at the headings."""
        text = "\n".join(self.rows)
        return split_at_headings(
            text, self.headings, title=title, lines=[*self.numbers, (self.numbers or [1])[-1]], tags=tags
        )
