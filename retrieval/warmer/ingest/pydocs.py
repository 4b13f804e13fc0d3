"""The documentation that comes with a Python interpreter."""

import ast
import contextlib
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from warmer.errors import IngestError
from warmer.ingest import read_passages
from warmer.ingest.decode import decode, read_bytes
from warmer.ingest.files import SourceFile, find_files, printable
from warmer.ingest.rst import rst_sections
from warmer.ingest.split import split
from warmer.passage import Passage, Window

_LEFT_OUT = {"test", "tests", "idle_test", "idlelib", "lib2to3", "turtledemo", "ensurepip", "site-packages"}
_LEFT_OUT |= {"dist-packages", "distutils", "pydoc_data", "encodings"}


def python_passages(stdlib: Path | None = None, limit: int = 800, window: Window | None = None) -> Iterator[Passage]:
    """Read the language reference (the topics of `help`) and the docstrings of the standard library.

    A text that came before is left out: topics repeat parts of each other.

    Args:
        stdlib: The folder of the standard library; by default that of this interpreter.
        limit: The characters of a passage's text, at most.
        window: What the model reads; no passage is longer.

    Raises:
        IngestError: There is no such folder.
    """
    stdlib = stdlib or Path(sysconfig.get_path("stdlib"))
    if not stdlib.is_dir():
        raise IngestError(f"{printable(stdlib)} is not the folder of a standard library")
    seen: set[str] = set()
    for passage in _all(stdlib, limit, window):
        if passage.text not in seen:
            seen.add(passage.text)
            yield passage


def _all(stdlib: Path, limit: int, window: Window | None) -> Iterator[Passage]:
    topics = stdlib / "pydoc_data" / "topics.py"
    if topics.exists():
        yield from _topics(topics, limit, window)
    for file in _modules(stdlib):
        with contextlib.suppress(IngestError):
            yield from read_passages(file, limit, window)


def _topics(path: Path, limit: int, window: Window | None) -> Iterator[Passage]:
    for node in ast.parse(decode(read_bytes(path), python=True)).body:
        if isinstance(node, ast.Assign):
            for name, text in ast.literal_eval(node.value).items():
                yield from split(rst_sections(text), f"topics/{name}", limit, window)


def _modules(stdlib: Path) -> Iterator[SourceFile]:
    for root in sorted(stdlib.iterdir()):
        if _public(root) and (root.is_dir() or root.suffix == ".py"):
            for file in find_files(root, root.name):
                below = file.path.relative_to(stdlib)
                if file.path.suffix == ".py" and all(_public(Path(part)) for part in below.parts):
                    yield file


def _public(path: Path) -> bool:
    hidden = path.name.startswith(("_", ".", "config-")) and path.stem != "__init__"
    return not hidden and path.stem not in _LEFT_OUT
