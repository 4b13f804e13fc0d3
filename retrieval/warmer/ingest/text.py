"""Read plain text as a section."""

from collections.abc import Iterator

from warmer.ingest.section import Section


def text_sections(text: str) -> Iterator[Section]:
    """Yield the whole text as one section without a title."""
    yield Section("", text, range(1, text.count("\n") + 2))
