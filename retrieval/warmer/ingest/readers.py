"""A reader for each kind of file; its libraries are loaded when the first such file is read."""

from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path
from typing import Any

from warmer.ingest.decode import MAX_BYTES, decode, decode_html, decode_python, read_bytes
from warmer.ingest.files import replace_surrogates
from warmer.ingest.kinds import Kind
from warmer.ingest.naming import name_of
from warmer.ingest.noise import without_pictures
from warmer.ingest.section import Section

_BINARY = {"pdf", "docx", "epub"}
_RAW_SIZE = 10  # times the limit: a notebook's outputs are not counted, as they are not read


def read_sections(
    path: Path, kind: Kind, *, source: str = "", max_bytes: int = MAX_BYTES, encoding: str = ""
) -> Iterable[Section]:
    """Read the sections of a file.

    Args:
        path: The file.
        kind: Its kind.
        source: Name of the document, whose last part titles it if it has no title of its own.
        max_bytes: Maximum size of the file; of a notebook, without its outputs.
        encoding: Encoding of text that is not UTF-8 and does not say.

    Raises:
        IngestError: The file cannot be read, perhaps only after some sections.
    """
    if kind in {"picture", "shown"}:
        return _part("pictures", f"{kind}_sections")(path, max_bytes, encoding)  # type: ignore[no-any-return]
    data = read_bytes(path, max_bytes * (_RAW_SIZE if kind == "notebook" else 1))
    name = name_of(source or replace_surrogates(path.name))
    if kind in _BINARY:
        return _reader(kind)(data, name)
    if kind == "python":
        return _reader(kind)(decode_python(data), _part("python", "module_name")(path))
    if kind == "notebook":
        return _reader(kind)(decode(data, encoding), max_bytes, name)
    text = decode_html(data, encoding) if kind == "html" else decode(data, encoding)
    if kind not in {"html", "data"}:
        text = without_pictures(text)
    if kind == "markdown" and "import " in text and _part("mdx", "is_mdx")(text):
        kind = "mdx"
    if kind == "text" and path.suffix.lower() in {".txt", ".text"}:
        kind = _part("text", "markup_of")(text)
    if kind == "mdx":
        text = _part("mdx", "mdx_to_markdown")(text)
    if kind in {"code", "data"}:
        return _reader(kind)(text, replace_surrogates(path.name))
    return _reader(kind)(text, name)


def _reader(kind: Kind) -> Callable[..., Iterable[Section]]:
    module = "markdown" if kind == "mdx" else kind
    reader: Callable[..., Iterable[Section]] = _part(module, f"{module}_sections")
    return reader


def _part(module: str, name: str) -> Any:  # noqa: ANN401
    return getattr(import_module(f"warmer.ingest.{module}"), name)
