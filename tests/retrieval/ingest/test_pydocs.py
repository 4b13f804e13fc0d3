"""Documentation of the Python interpreter."""

from itertools import takewhile
from pathlib import Path

import pytest

from warmer.errors import IngestError
from warmer.ingest.pydocs import python_passages
from warmer.passage import Passage


def _library(root: Path, *modules: str) -> Path:
    for module in modules:
        (root / module).parent.mkdir(parents=True, exist_ok=True)
        (root / module).write_text(f'"""In {module}."""')
    return root


def test_topics_and_public_modules(tmp_path: Path) -> None:
    _library(tmp_path, "zlib.py", "json/__init__.py", "json/decoder.py", "json/tests/a.py", "json/_b.py")
    _library(tmp_path, "test/c.py", "site-packages/d.py", "_pyio.py", "config-3.11/e.py", "encodings/f.py")
    (tmp_path / "LICENSE.txt").write_text("Text.")
    (tmp_path / "broken.py").write_text("x = = 1")
    _library(tmp_path, "pydoc_data/topics.py")
    (tmp_path / "pydoc_data" / "topics.py").write_text(
        "topics = {'if': r'''The \"if\" statement\n******************\n\nIt tests.\n\n\nElse\n====\n\nMore.\n'''}"
    )
    assert list(python_passages(tmp_path)) == [
        Passage("It tests.", 'The "if" statement', "topics/if", 4),
        Passage("More.", 'The "if" statement > Else', "topics/if", 10),
        Passage("In json/__init__.py.", "json", "json/__init__.py", 1),
        Passage("In json/decoder.py.", "json.decoder", "json/decoder.py", 1),
        Passage("In zlib.py.", "zlib", "zlib.py", 1),
    ]


def test_a_library_may_lack_the_topics(tmp_path: Path) -> None:
    assert [passage.source for passage in python_passages(_library(tmp_path, "abc.py"))] == ["abc.py"]


def test_a_folder_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(IngestError, match="standard library"):
        next(python_passages(tmp_path / "missing"))


def test_the_topics_of_this_interpreter() -> None:
    topics = list(takewhile(lambda passage: passage.source.startswith("topics/"), python_passages()))
    assert len({passage.source for passage in topics}) > 60
    assert all(passage.title for passage in topics)
    assert any(passage.title == "Format String Syntax > Format examples" for passage in topics)
