"""Readers of Markdown, reStructuredText and Python."""

from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from warmer.ingest import SourceFile, read_passages
from warmer.ingest.markdown import markdown_sections
from warmer.ingest.python import module_name, python_sections
from warmer.ingest.rst import rst_sections
from warmer.ingest.section import Section


def _markdown(text: str) -> list[tuple[str, str, int]]:
    return [_stripped(section) for section in markdown_sections(text) if section.text.strip()]


def _rst(text: str) -> list[tuple[str, str, int]]:
    return [_stripped(section) for section in rst_sections(text) if section.text.strip()]


def _stripped(section: Section) -> tuple[str, str, int]:
    blank = len(section.text) - len(section.text.lstrip("\n"))
    return section.title, section.text.strip("\n"), section.lines[blank]


def test_markdown_headings_lead_to_their_text() -> None:
    text = "before\n\n# Top\na\n## Sub\n### Deep\nb\n\n## Sub\nc\n# Next #\nd"
    assert _markdown(text) == [
        ("", "before", 1),
        ("Top", "a", 4),
        ("Top > Sub > Deep", "b", 7),
        ("Top > Sub", "c", 10),
        ("Next", "d", 12),
    ]


def test_markdown_setext_headings() -> None:
    assert _markdown("Top\n===\na\n\nSub on\ntwo lines\n---\nb") == [
        ("Top", "a", 3),
        ("Top > Sub on two lines", "b", 8),
    ]


@pytest.mark.parametrize(
    "inner",
    [
        "```sh\n# no heading\nno\n===\n```",
        "~~~\n# no heading\n~~~",
        "    # no heading",
        "- # no heading",
        "> # no heading\n> a",
        "| a |\n|---|\n| b |\n---",
        "\\# no heading",
        "#no heading",
    ],
)
def test_markdown_headings_in_blocks_are_text(inner: str) -> None:
    assert _markdown(f"# Top\n\n{inner}") == [("Top", inner, 3)]


@pytest.mark.parametrize(
    ("heading", "title"),
    [
        ("`code` *em* **strong**", "code em strong"),
        ("[link](http://a) [ref] ![an *alt*](i.png)", "link ref an alt"),
        ("a &amp; b \\* <br> c", "a & b * c"),
        ("", ""),
        ("x" * 300, "x" * 200),
    ],
)
def test_markdown_headings_are_plain(heading: str, title: str) -> None:
    assert _markdown(f"# {heading}\na\n\n[ref]: http://a") == [(title, "a\n\n[ref]: http://a", 2)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("---\ntitle: 'Front: x'\ntags: [a]\n---\na\n## Sub\nb", [("Front: x", "a", 5), ("Front: x > Sub", "b", 7)]),
        ("---\nTitle: no\ntitle: Front\n...\n# Top\nb", [("Top", "b", 6)]),
        ("---\ntitle: >-\n  Folded\n---\nb", [("Folded", "b", 5)]),
        ("---\nname: a\n---", []),
        ("---\n\ntext\n\n---\nb", [("", "---\n\ntext\n\n---\nb", 1)]),
        ("a\n\n---\ntitle: x\n\n---\n", [("", "a\n\n---\ntitle: x\n\n---", 1)]),
    ],
)
def test_markdown_front_matter(text: str, expected: list[tuple[str, str, int]]) -> None:
    assert _markdown(text) == expected


def test_rst_titles_lead_to_their_text() -> None:
    text = "before\n\n=====\n Top\n=====\n\na\n\nSub\n===\nb\n\nDeep\n----\n\nSub\n===\nc\n\n====\nNext\n====\nd"
    assert _rst(text) == [
        ("", "before", 1),
        ("Top", "a", 7),
        ("Top > Sub", "b", 11),
        ("Top > Sub", "c", 18),
        ("Next", "d", 23),
    ]


def test_rst_titles_are_plain() -> None:
    text = ":mod:`json` --- ``x`` *y* :func:`the z <a.z>` |s| `l <http://a>`_\n" + "=" * 70 + "\n\na"
    assert [title for title, _, _ in _rst(text)] == ["json --- x y the z s l"]


@pytest.mark.parametrize(
    "inner",
    [
        ".. versionadded:: 3.2\n   Use :class:`this` and |that|.",
        ".. automodule:: warmer\n   :members:\n\n   Text.\n\n   Not a title\n   -----------",
        ".. toctree::\n\n   a\n   b",
        ".. include:: /etc/passwd",
        ".. raw:: html\n   :file: /etc/passwd",
        ".. code-block:: python\n\n   # code\n   ===",
        "::\n\n   Literal\n   =======",
        "* Item\n\n  Not a title\n  -----------",
        "Unfinished *emphasis and `role",
        "=== ===\na   b\n=== ===\n1   2\n=== ===",
    ],
)
def test_rst_directives_lose_no_text(inner: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert _rst(f"Top\n===\n\n{inner}\n\nSub\n---\n\nb")[0] == ("Top", inner, 4)
    assert capfd.readouterr() == ("", "")


def test_rst_that_docutils_cannot_parse_is_text(monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr("docutils.parsers.rst.Parser.parse", crash)
    assert _rst("Top\n===\na") == [("", "Top\n===\na", 1)]


@example(["Title", "=====", "Title", "====="])
@settings(deadline=None)
@given(st.lists(st.sampled_from(["Title", "=====", "-----", "a\x85b\u2028c", "\x0c", "", "* x", ".. x::", "   y"])))
def test_rst_drops_only_titles(lines: list[str]) -> None:
    kept: set[int] = set()
    for section in rst_sections("\n".join(lines)):
        rows = section.text.removesuffix("\n").split("\n") if section.text else []
        begin = section.lines[0] - 1
        assert rows == lines[begin : begin + len(rows)]
        kept.update(range(begin, begin + len(rows)))
    dropped = [row for row, line in enumerate(lines) if line and row not in kept]
    adorned = {row for row in dropped if lines[row] in {"=====", "-----"}}
    assert all(row in adorned or row + 1 in adorned for row in dropped)


CODE = '''
    """The module."""

    import abc

    def plain(a, *, b: int = 1, c=(1111111111, 2222222222, 3333333333, 4444444444)) -> int:
        """Add."""

        def inner():
            """Local."""

    def undocumented(): ...

    if abc:
        class Child(dict, metaclass=abc.ABCMeta):
            """
            A child.

              Indented.
            """

            @property
            async def size(
                self,
            ):

                """Its size.

                More.
                """

            def _hidden(self):
                """Hidden."""

            def __private(self):
                """Hidden."""

            def __len__(self):
                """Length."""

    class _Hidden:
        """Hidden."""

        def method(self):
            """Hidden."""
'''


def test_python_docstrings_have_signatures() -> None:
    sections = python_sections(dedent(CODE), "pkg.mod")
    assert [(section.title, section.text, section.lines[0]) for section in sections] == [
        ("pkg.mod", "The module.", 2),
        ("pkg.mod > plain", "def plain(a, *, b: int=1, c=...) -> int\nAdd.", 6),
        ("pkg.mod > Child", "class Child(dict, metaclass=abc.ABCMeta)\nA child.\n\n  Indented.", 15),
        ("pkg.mod > Child > size", "async def size(self)\nIts size.\n\nMore.", 23),
        ("pkg.mod > Child > __len__", "def __len__(self)\nLength.", 38),
    ]


def test_python_lines_are_those_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "mod.py").write_bytes(dedent(CODE).replace("\n", "\r\n").encode())
    passages = list(read_passages(SourceFile(tmp_path / "mod.py", "mod.py"), 30))
    assert [(passage.text, passage.line) for passage in passages][4:8] == [
        ("abc.ABCMeta)\nA child.", 15),
        ("  Indented.", 19),
        ("async def size(self)\nIts size.", 23),
        ("More.", 29),
    ]


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("# -*- coding: latin-1 -*-\n'''caf\xe9'''".encode("latin-1"), "café"),
        (b"\xef\xbb\xbf'''caf\xc3\xa9'''", "café"),
        (b"'''A \\d escape.'''\nassert (1, 'always')\n1 is 1", "A \\d escape."),
        (b"f'''not a docstring'''", None),
        (b"b'''not a docstring'''", None),
    ],
)
def test_python_encodings_and_warnings_are_handled(tmp_path: Path, code: bytes, text: str | None) -> None:
    (tmp_path / "mod.py").write_bytes(code)
    passages = read_passages(SourceFile(tmp_path / "mod.py", "mod.py"))
    assert [passage.text for passage in passages] == ([text] if text else [])


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("src/json/decoder.py", "json.decoder"),
        ("src/json/__init__.py", "json"),
        ("src/json/tool/deep.py", "deep"),
        ("src/script.py", "script"),
    ],
)
def test_modules_have_their_import_name(tmp_path: Path, path: str, name: str) -> None:
    (tmp_path / "src" / "json" / "tool").mkdir(parents=True)
    (tmp_path / "src" / "json" / "__init__.py").touch()
    assert module_name(tmp_path / path) == name
