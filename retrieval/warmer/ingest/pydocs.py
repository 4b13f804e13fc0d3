"""Read the documentation that ships with a Python interpreter."""

import ast
import contextlib
import sysconfig
from collections.abc import Container, Iterator
from pathlib import Path

from warmer.errors import IngestError
from warmer.ingest import read_passages
from warmer.ingest.decode import decode_python, read_bytes
from warmer.ingest.files import SourceFile, find_files, replace_surrogates
from warmer.ingest.rst import rst_sections
from warmer.ingest.split import split
from warmer.passage import Passage, Window

_EXCLUDED = {"test", "tests", "idle_test", "idlelib", "lib2to3", "turtledemo", "ensurepip", "site-packages"}
_EXCLUDED |= {"dist-packages", "distutils", "pydoc_data", "encodings"}


def python_passages(
    stdlib: Path | None = None, limit: int = 800, window: Window | None = None, only: Container[str] | None = None
) -> Iterator[Passage]:
    """Read the language reference (the topics of `help`) and the docstrings of the standard library.

    Duplicate texts are dropped, since topics repeat parts of each other.

    Args:
        stdlib: Folder of the standard library; this interpreter's by default.
        limit: Maximum characters of a passage's text.
        window: The embedding model's window; no passage is longer.
        only: Sources to read, as `shutil.py` or `topics/compound`; all by default.

    Raises:
        IngestError: The folder does not exist.
    """
    stdlib = stdlib or Path(sysconfig.get_path("stdlib"))
    if not stdlib.is_dir():
        raise IngestError(f"{replace_surrogates(stdlib)} is not the folder of a standard library")
    seen: set[str] = set()
    for passage in _all_passages(stdlib, limit, window, only):
        if passage.text not in seen:
            seen.add(passage.text)
            yield passage


def _all_passages(stdlib: Path, limit: int, window: Window | None, only: Container[str] | None) -> Iterator[Passage]:
    topics = stdlib / "pydoc_data" / "topics.py"
    if topics.exists():
        yield from _topic_passages(topics, limit, window, only)
    for file in _public_modules(stdlib):
        if only is None or file.source in only:
            with contextlib.suppress(IngestError):
                yield from read_passages(file, limit, window)


def _topic_passages(path: Path, limit: int, window: Window | None, only: Container[str] | None) -> Iterator[Passage]:
    for node in ast.parse(decode_python(read_bytes(path))).body:
        if isinstance(node, ast.Assign):
            for name, text in ast.literal_eval(node.value).items():
                if only is None or f"topics/{name}" in only:
                    yield from split(rst_sections(text), f"topics/{name}", limit, window)


def _public_modules(stdlib: Path) -> Iterator[SourceFile]:
    for root in sorted(stdlib.iterdir()):
        if _is_public(root) and (root.is_dir() or root.suffix == ".py"):
            for file in find_files(root, root.name):
                relative = file.path.relative_to(stdlib)
                if file.path.suffix == ".py" and all(_is_public(Path(part)) for part in relative.parts):
                    yield file


def _is_public(path: Path) -> bool:
    hidden = path.name.startswith(("_", ".", "config-")) and path.stem != "__init__"
    return not hidden and path.stem not in _EXCLUDED
