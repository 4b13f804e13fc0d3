"""Code stays whole with its introduction, parts repeat what they need, and what says nothing is no passage."""

import re
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from warmer.ingest import SourceFile, read_passages
from warmer.passage import Passage, Window


def test_indented_text_with_code_in_it_is_text(tmp_path: Path) -> None:
    tab = '=== "A"\n\n    Words.\n\n    ```py\n' + "    call()\n\n" * 20 + "    ```\n\n"
    passages = read(tmp_path / "a.md", f'!!! warning "No"\n    Words.\n\n{tab * 2}', 300)
    assert passages[0].text.startswith("!!! warning")
    assert all(passage.text.count("```") % 2 == 0 for passage in passages)


RULE = "==== ===\n"
WORDS = Window(40, lambda text: len(re.findall(r"\w+|[^\w\s]", text)))


def read(path: Path, text: str, limit: int = 800, window: Window | None = None) -> list[Passage]:
    path.write_text(text)
    return list(read_passages(SourceFile(path, path.name), limit, window))


def code(rows: int, every: int = 4) -> str:
    return "\n".join(f"call_{row}(argument)" if (row + 1) % every else "" for row in range(rows))


def test_code_stays_whole_with_the_sentence_before_it(tmp_path: Path) -> None:
    text = f"# A\n\n{'Many words. ' * 50}Some last words.\n\nFor example:\n\n```py\n{code(20)}\n```\n\nAfter it."
    before, with_code = read(tmp_path / "a.md", text)
    assert before.text.endswith("Some last words.")
    assert with_code.text == f"For example:\n\n```py\n{code(20)}\n```\n\nAfter it."
    assert with_code.line == 5


def test_a_sentence_within_a_paragraph_goes_with_its_code(tmp_path: Path) -> None:
    text = f"{'Many words. ' * 60}Now run this:\n\n```\n{code(10)}\n```\n"
    first, second = read(tmp_path / "a.md", text)
    assert first.text.endswith("Many words.")
    assert second.text.startswith("Now run this:\n\n```\ncall_0")


def test_long_code_is_split_at_blank_lines_with_fence_and_introduction(tmp_path: Path) -> None:
    passages = read(tmp_path / "a.md", f"Text.\n\nDo this:\n\n```py\n{code(120)}\n```\n", 400)
    assert [passage.text for passage in passages[:1]] == ["Text."]
    assert len(passages) > 3
    for passage in passages[1:]:
        head, body = passage.text.removesuffix("\n```").split("\n```py\n")
        assert head == "Do this:\n"
        assert len((body + "\n").split("\n\n")[0].split("\n")) in {3, 4}
    assert "\n".join(passages[1].text.split("\n")[3:4]) == "call_0(argument)"
    lines = (tmp_path / "a.md").read_text().split("\n")
    assert [lines[passage.line - 1] for passage in passages[2:]] == [p.text.split("\n")[3] for p in passages[2:]]


@pytest.mark.parametrize(
    ("name", "text", "head"),
    [
        ("a.md", "| Name | Use |\n| --- | --- |\n" + "| one | two |\n" * 60, "| Name | Use |\n| --- | --- |\n"),
        ("a.rst", f"{RULE}Name Use\n{RULE}" + "one  two\n" * 80 + RULE, f"{RULE}Name Use\n{RULE}"),
        (
            "a.html",
            "<table>" + "<tr><td>Name<td>Use</tr>" + "<tr><td>one<td>two</tr>" * 80 + "</table>",
            "Name | Use\n",
        ),
        ("a.rst", ".. code-block:: py\n\n" + "   run()\n\n" * 80, ".. code-block:: py\n\n"),
        ("a.rst", ".. function:: run(it)\n\n" + "   Some words.\n\n" * 80, ".. function:: run(it)\n\n"),
    ],
)
def test_parts_of_tables_and_directives_repeat_their_head(tmp_path: Path, name: str, text: str, head: str) -> None:
    passages = read(tmp_path / name, text, 300)
    assert len(passages) > 1
    assert all(passage.text.startswith(head) for passage in passages)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *(("a.rst", text) for text in (".. _label:\n", ".. automodule:: a.b\n   :members:\n", ".. |x| image:: y\n")),
        (
            "a.rst",
            ".. toctree::\n   :maxdepth: 2\n\n   one\n   two <three>\n\n.. currentmodule:: a\n\n.. Only a comment.\n",
        ),
        ("a.rst", "* :ref:`search`\n* `Home <https://a.org>`_\n* :doc:`/intro`\n"),
        ("a.md", "- [One](a.md)\n- [Two](b.md)\n\n[x]: http://a.org\n"),
        ("a.md", "[![CI](https://a.org/b.svg)](https://c)\n\n<a name='x'></a>\n\n---\n\n![](y.png)\n"),
        ("a.md", "(target)=\n\n[](){#anchor}\n\n<!-- words -->\n\n[TOC]\n\n::: package.module\n    options: x\n"),
        ("a.md", "```\n```\n"),
    ],
)
def test_what_says_nothing_is_no_passage(tmp_path: Path, name: str, text: str) -> None:
    assert read(tmp_path / name, text) == []


@pytest.mark.parametrize("text", [".. note:: Careful.\n", ".. warning::\n\n   Hot.\n", ".. [1] A footnote.\n", "7\n"])
def test_short_text_is_kept(tmp_path: Path, text: str) -> None:
    assert [passage.text for passage in read(tmp_path / "a.rst", text)] == [text.strip()]


ROWS = st.sampled_from(
    [
        *(
            "```",
            "```py",
            "~~~",
            "  ```",
            "- ```sh",
            "> ```",
            "````",
            "Words here.",
            "For example:",
            "- item",
            "| a | b |",
        ),
        *("|---|---|", "    indented", "", "", ".. note::", "   more", "word " * 30, "x" * 120, "::", "# Title"),
    ]
)


@example(["Words here. " * 3, "```py", *["call(a)", ""] * 30, "```"], 60)
@example([".. note::", "  ```"], 40)
@settings(max_examples=80)
@given(rows=st.lists(ROWS, max_size=30), limit=st.integers(40, 300))
def test_fences_are_balanced(tmp_path_factory: pytest.TempPathFactory, rows: list[str], limit: int) -> None:
    text = "\n".join(rows)
    for passage in read(tmp_path_factory.getbasetemp() / "fences.md", text, limit, WORDS):
        opening = ""
        for row in passage.text.split("\n"):
            mark = re.match(r"[ \t>]*(?:- )?(`{3,}|~{3,})(.*)", row)
            if mark and not opening:
                opening = mark[1]
            elif mark and mark[1].startswith(opening) and not mark[2]:
                opening = ""
        assert not opening, passage.text
        assert len(passage.text) <= limit
