"""Files to passages."""

from warmer.errors import IngestError
from warmer.ingest.decode import MAX_BYTES, read_text
from warmer.ingest.files import SUFFIXES, SourceFile, find_files, kind_of, printable, root_labels
from warmer.ingest.markdown import markdown_sections
from warmer.ingest.python import module_name, python_sections
from warmer.ingest.rst import rst_sections
from warmer.ingest.split import split
from warmer.ingest.text import text_sections
from warmer.passage import Passage

__all__ = ["MAX_BYTES", "SUFFIXES", "SourceFile", "find_files", "read_passages", "root_labels"]

_READERS = {"markdown": markdown_sections, "rst": rst_sections, "text": text_sections}


def read_passages(file: SourceFile, limit: int = 800) -> list[Passage]:
    """Read a file.

    Args:
        file: The file; its suffix tells how to read it.
        limit: The characters of a passage's text, at most.

    Returns:
        The passages in the order in which they stand; none of an empty file.

    Raises:
        IngestError: The file cannot be read; the message names it and says why.
    """
    kind = kind_of(file.path)
    text = read_text(file.path, python=kind == "python")
    if kind != "python":
        return list(split(_READERS[kind](text), file.source, limit, markdown=kind == "markdown"))
    try:
        sections = python_sections(text, module_name(file.path))
    except IngestError as error:
        raise IngestError(f"{printable(file.path)}: {error}") from error
    return list(split(sections, file.source, limit))
