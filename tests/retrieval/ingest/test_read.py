"""Reading files of any kind, and refusals."""

import os
import socket
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from warmer.errors import IngestError
from warmer.ingest import MAX_BYTES, SUFFIXES, SourceFile, read_passages
from warmer.passage import Passage

LINES = st.sampled_from(
    [
        "# One",
        "Two",
        "===",
        "---",
        "~~~",
        "```",
        "* item",
        "> quote",
        "    code",
        "",
        "",
        ".. note::",
        "::",
        "äöü 😀 日本",
    ]
)
# Without HTML, whose paragraphs are written on one row.
DOCUMENTS = st.lists(LINES | st.text().map(lambda text: text.replace("<", "")), max_size=30).map("\n".join)
PLAIN_DOCUMENTS = st.lists(
    LINES.filter(lambda line: line != ".. note::") | st.text(alphabet="ab cäß日.,!?-\n"), max_size=30
).map("\n".join)


def _read(path: Path, data: bytes | str, limit: int = 800) -> list[Passage]:
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return list(read_passages(SourceFile(path, path.name), limit))


def _without_controls(text: str) -> str:
    return "".join(character for character in text if character >= " " or character in "\n\r\t")


def _visible(text: str) -> str:
    return "".join(text.split())


@example(document="~~~\n\n# One", limit=3, suffix=".md")
@example(document="# One\n" * 7 + "~~~\n\n# One", limit=15, suffix=".rst")
@settings(deadline=None)
@given(document=DOCUMENTS, limit=st.integers(1, 200), suffix=st.sampled_from([".md", ".rst", ".txt"]))
def test_passages_are_short_ordered_and_on_their_line(
    tmp_path_factory: pytest.TempPathFactory, document: str, limit: int, suffix: str
) -> None:
    document = _without_controls(document)
    passages = _read(tmp_path_factory.getbasetemp() / f"short{suffix}", document, limit)
    text = document.encode(errors="replace").decode().replace("\r\n", "\n").replace("\r", "\n")
    lines = text.split("\n")
    for passage in passages:
        rows = passage.text.split("\n")
        assert len(passage.text) <= limit
        assert any(row.strip() in lines[passage.line - 1] for row in rows)
        assert all(row.strip() in text for row in rows)
    assert [passage.line for passage in passages] == sorted(passage.line for passage in passages)


@example(document="?????a\n~~~\n# One", limit=5)
@example(document=".. \n# One", limit=1)
@settings(deadline=None)
@given(document=PLAIN_DOCUMENTS, limit=st.integers(1, 200))
def test_plain_text_loses_no_letter(tmp_path_factory: pytest.TempPathFactory, document: str, limit: int) -> None:
    path = tmp_path_factory.getbasetemp() / "whole.log"
    path.write_bytes(document.encode())
    passages = list(read_passages(SourceFile(path, path.name, kind="text"), limit))
    rest = iter("".join(passage.text for passage in passages))
    assert all(character in rest for character in document if character.isalnum())


@settings(deadline=None)
@given(data=st.binary() | DOCUMENTS.map(str.encode), suffix=st.sampled_from(sorted(SUFFIXES)))
def test_any_file_gives_passages_or_an_ingest_error(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, suffix: str
) -> None:
    path = tmp_path_factory.getbasetemp() / f"any{suffix}"
    try:
        _read(path, data)
    except IngestError as error:
        assert str(path) in str(error)


@pytest.mark.parametrize("suffix", sorted(SUFFIXES.keys() - {".pdf", ".ipynb", ".docx", ".epub"}))
@pytest.mark.parametrize("text", ["", " \n\n\t\n", "\ufeff"])
def test_a_file_without_text_gives_nothing(tmp_path: Path, suffix: str, text: str) -> None:
    assert _read(tmp_path / f"a{suffix}", text) == []


@pytest.mark.parametrize("name", ["a.txt", "a.MD", "a.rst"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_all_line_ends_are_counted(tmp_path: Path, name: str, end: str) -> None:
    passages = _read(tmp_path / name, end.join(["", "One", "two", "", "", "Three"]), 10)
    assert [(passage.text, passage.line) for passage in passages] == [("One\ntwo", 2), ("Three", 6)]


def test_a_byte_order_mark_is_dropped(tmp_path: Path) -> None:
    assert _read(tmp_path / "a.md", "\ufeff# Head\n\ntext") == [Passage("text", "Head", "a.md", 3)]


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.rst"])
@pytest.mark.parametrize("word", ["日本", "word ", "\n"])
def test_a_very_long_text_without_breaks_is_split(tmp_path: Path, name: str, word: str) -> None:
    text = word * 100_000
    passages = _read(tmp_path / name, text)
    assert _visible("".join(passage.text for passage in passages)) == _visible(text)
    assert all(len(passage.text) <= 800 and passage.line == 1 for passage in passages)


def test_a_lone_surrogate_is_replaced(tmp_path: Path) -> None:
    assert _read(tmp_path / "a.py", r'"""A \ud800."""')[0].text == "A ?."


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.md", b"text\0", "binary"),
        ("a.py", b"'caf\xe9'", "encoding"),
        ("a.py", b"# coding: klingon\n", "klingon"),
        ("a.py", b"# coding: rot13\n", "rot13"),
        ("a.py", b"x = 1\ny = = 2\n", "line 2: invalid syntax"),
        ("a.py", b"x = " + b"(" * 5000, "line 1"),
        ("a.py", b"x = " + b"-" * 50_000 + b"1", "cannot be parsed"),
        ("a.png", b"", "unsupported"),
    ],
)
def test_the_error_of_an_unreadable_file_names_it(tmp_path: Path, name: str, data: bytes, reason: str) -> None:
    with pytest.raises(IngestError, match=reason) as refused:
        _read(tmp_path / name, data)
    assert str(tmp_path / name) in str(refused.value)


def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    (tmp_path / "a.md").touch()
    os.truncate(tmp_path / "a.md", 10 * MAX_BYTES)
    with pytest.raises(IngestError, match="larger than 20 MB"):
        list(read_passages(SourceFile(tmp_path / "a.md", "a.md")))


def test_special_files_are_refused_unopened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe.md")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket.md")
        Path("folder.md").mkdir()
        Path("device.md").symlink_to(os.devnull)
        for name in ["pipe.md", "socket.md", "folder.md", "device.md"]:
            with pytest.raises(IngestError, match=f"{name}: not a regular file"):
                list(read_passages(SourceFile(Path(name), name)))


def test_a_file_that_vanished_is_refused(tmp_path: Path) -> None:
    with pytest.raises(IngestError, match=r"a\.md: No such file"):
        list(read_passages(SourceFile(tmp_path / "a.md", "a.md")))
