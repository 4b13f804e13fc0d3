"""Read plain text as a section."""

from collections.abc import Iterator

from warmer.ingest.section import Section


def text_sections(text: str, name: str = "") -> Iterator[Section]:
    """Yield the whole text as one section, titled by `name`."""
    yield Section(name, text, range(1, text.count("\n") + 2))
