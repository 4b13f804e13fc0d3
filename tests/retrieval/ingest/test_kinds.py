"""Readers of MDX, HTML, notebooks, PDFs and code."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

from warmer.errors import IngestError
from warmer.ingest import SourceFile, read_passages
from warmer.passage import Passage

Read = Callable[[str, str | bytes], list[Passage]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def read(name: str, data: str | bytes) -> list[Passage]:
        (tmp_path / name).write_bytes(data.encode() if isinstance(data, str) else data)
        return list(read_passages(SourceFile(tmp_path / name, name)))

    return read


def brief(passages: list[Passage]) -> list[tuple[str, str, int]]:
    return [(passage.title, passage.text, passage.line) for passage in passages]


def test_mdx_loses_its_code_and_tags(read: Read) -> None:
    text = """---
title: Front
---
import Tabs from '@theme/Tabs';
export const meta = {
  a: 1,
};

## Use

<Tabs items={["<a>", `b`]} note="x > y">
  Install it <Badge.New/> first, in `<Tabs>`.
</Tabs>

import the goods by ship, and export them. {/* a
comment */}

```jsx
import React from 'react';
<Tabs />
```
"""
    [passage] = read("a.mdx", text)
    assert passage.title == "Front > Use"
    assert " ".join(passage.text.split()) == (
        "Install it first, in `<Tabs>`. import the goods by ship, and export them. "
        "```jsx import React from 'react'; <Tabs /> ```"
    )
    assert passage.line == 12


@pytest.mark.parametrize("noise", ["<A " * 5000, "`" * 50_000, "{/*" * 5000, "``` " * 5000, "<A b={`" * 5000])
def test_unterminated_mdx_is_read(read: Read, noise: str) -> None:
    assert all("import x" not in passage.text for passage in read("a.mdx", f"import x from 'y';\n\n{noise}"))


PAGE = """<!DOCTYPE html>
<html><head><title>Page | Site</title><link rel="canonical" href="https://docs.example/page.html#top">
<style>p {}</style></head>
<body><header>Brand</header><nav><ul><li>Menu</ul></nav>
<main>
<header><h1 id="page">Page<a class="headerlink" href="#page">¶</a></h1></header>
<p>First   <b>bold</b><br>line.</p><aside>Ad</aside>
<section id="use"><h2>Use <a href="#use">#</a></h2>
<ul><li>One <li><p>Two</p></li></ul>
<table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr></table>
<pre>
def f():
    return "&lt;x&gt;"
</pre>
<script>track()</script></section>
<a name="old"></a><h2>Old</h2>Bare&nbsp;text
</main><footer>Imprint</footer></body></html>
"""


def test_html_has_the_main_content_under_its_headings(read: Read) -> None:
    passages = read("a.html", PAGE)
    assert brief(passages) == [
        ("Page", "First bold\nline.\n\nAd", 7),
        ("Page > Use", '- One\n- Two\n\na | b\n--- | ---\n1 | 2\n\n```\ndef f():\n    return "<x>"\n```', 9),
        ("Page > Old", "Bare text", 16),
    ]
    assert [passage.url.removeprefix("https://docs.example/page.html") for passage in passages] == [
        "#page",
        "#use",
        "#old",
    ]


def test_html_without_a_first_heading_has_the_page_title(read: Read) -> None:
    [passage] = read("a.htm", "<title>Notes</title><meta property='og:url' content='/not/absolute'><h2>On</h2>text")
    assert (passage.title, passage.text, passage.url) == ("Notes > On", "text", "")


@pytest.mark.parametrize(
    "data",
    [
        "<p>Käse".encode("cp1252"),
        b"\xef\xbb\xbf" + "<p>Käse".encode(),
        "<meta charset=klingon><p>Käse".encode(),
        "<meta charset=iso-8859-1><p>Käse".encode("cp1252"),
        "<p>Käse".encode("utf-16"),
        "<meta charset=utf-16><p>Käse".encode(),
        b"<meta http-equiv=content-type content='text/html; charset=cp437'><p>K\x84se",
    ],
)
def test_html_in_odd_charsets(read: Read, data: bytes) -> None:
    assert [passage.text for passage in read("a.html", data)] == ["Käse"]


def test_html_nested_too_deep_is_refused(read: Read) -> None:
    assert [passage.text for passage in read("a.html", "<div>" * 3000 + "deep")] == ["deep"]
    with pytest.raises(IngestError, match=r"a\.html: nested deeper"):
        read("a.html", "<div>" * 20_000 + "deep")


def _cell(kind: str, source: str | list[str], **more: Any) -> dict[str, Any]:
    return {"cell_type": kind, "source": source, "metadata": {}, **more}


def test_notebooks_have_headings_and_code_but_no_outputs(read: Read) -> None:
    cells = [
        _cell("markdown", ["# Top\n", "Words ![i](data:image/png;base64,AAAA)"]),
        _cell("code", "# not a heading\nprint(1)", outputs=[{"text": "secret"}]),
        _cell("raw", "raw"),
        _cell("markdown", "## Sub\n```\nopen"),
        _cell("markdown", "### Deep\nEnd"),
        _cell("code", ""),
    ]
    assert brief(read("a.ipynb", json.dumps({"cells": cells, "metadata": {}, "nbformat": 4}))) == [
        ("Top", "Words ![i](data:image/png;base64,)\n\n```python\n# not a heading\nprint(1)\n```", 2),
        ("Top > Sub", "```\nopen\n```", 10),
        ("Top > Sub > Deep", "End", 14),
    ]


def test_notebooks_of_version_3(read: Read) -> None:
    cells = [
        {"cell_type": "heading", "level": 2, "source": "Old"},
        {"cell_type": "code", "input": ["x = 1\n", "y"], "language": "python", "outputs": []},
    ]
    notebook = {"nbformat": 3, "worksheets": [{"cells": cells}], "metadata": {"name": ""}}
    assert brief(read("a.ipynb", json.dumps(notebook))) == [("a > Old", "```python\nx = 1\ny\n```", 3)]


@pytest.mark.parametrize(
    "data",
    [
        *("", "{", "[]", "{}", "[" * 100_000, '{"cells": 1}'),
        '{"cells": [{"cell_type": "code", "source": 1}]}',
    ],
)
def test_damaged_notebooks_are_refused(read: Read, data: str) -> None:
    with pytest.raises(IngestError, match="not a Jupyter notebook") as refused:
        read("a.ipynb", data)
    assert refused.value.reason == "damaged"


def make_pdf(*pages: str, password: str = "") -> bytes:
    """Write a PDF with a line of text on each page, and a bookmark to the second."""
    writer = PdfWriter()
    font = {"/Type": "/Font", "/Subtype": "/Type1", "/BaseFont": "/Helvetica"}
    named = DictionaryObject({NameObject(key): NameObject(value) for key, value in font.items()})
    for text in pages:
        page = writer.add_blank_page(300, 300)
        page[NameObject("/Resources")] = DictionaryObject(
            {NameObject("/Font"): DictionaryObject({NameObject("/F"): named})}
        )
        stream = DecodedStreamObject()
        stream.set_data(f"BT /F 12 Tf 20 200 Td ({text}) Tj ET".encode())
        page[NameObject("/Contents")] = writer._add_object(stream)
    writer.add_metadata({"/Title": "Manual"})
    if len(pages) > 1:
        writer.add_outline_item(title="Baking", page_number=1)
    if password:
        writer.encrypt(password, algorithm="RC4-128")
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


def test_pdfs_have_pages_and_bookmarks(read: Read) -> None:
    passages = read("a.pdf", make_pdf("Knead the dough.", "Trap the steam.", "Cool it."))
    assert [(p.title, p.text, p.line, p.page) for p in passages] == [
        ("Manual", "Knead the dough.", 1, 1),
        ("Manual > Baking", "Trap the steam.", 1, 2),
        ("Manual > Baking", "Cool it.", 1, 3),
    ]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (make_pdf("Secret.", password="x"), "encrypted"),
        (make_pdf(""), "without text"),
        (make_pdf("Cut.")[:300], "damaged"),
        (b"", "damaged"),
        (b"%PDF-1.7 nonsense", "damaged"),
        (b"\x00" * 100, "damaged"),
    ],
)
def test_pdfs_that_cannot_be_read_are_refused(
    read: Read, data: bytes, reason: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(IngestError, match=r"a\.pdf: ") as refused:
        read("a.pdf", data)
    assert refused.value.reason == reason
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("name", "code", "expected"),
    [
        (
            "a.go",
            "// Copyright 2020\n\n// Package a adds.\npackage a\n\n// Add adds\n// two.\nfunc (r *R) Add(x int) int {\n"
            "\t// inner\n\treturn x\n}\n",
            [
                ("a.go > a", "package a\nPackage a adds.", 3),
                ("a.go > Add", "func (r *R) Add(x int) int\nAdd adds\ntwo.", 6),
            ],
        ),
        (
            "a.rs",
            "//! Module.\n\n/// # Adds\n///\n///   more\n#[inline]\npub fn add<T>(a: T) -> T {\n    // no\n    a\n}\n",
            [("a.rs", "Module.", 1), ("a.rs > add", "pub fn add<T>(a: T) -> T\n# Adds\n\n  more", 3)],
        ),
        (
            "a.ts",
            "// a note\n\n/** Licence: MIT */\n\nclass A {\n  /**\n   * Adds *both*.\n   */\n  @dec\n"
            "  add(\n    a: number,\n  ): A {\n    x = '/** no */'\n  }\n}\n",
            [("a.ts > A > add", "add( a: number, ): A\nAdds *both*.", 6)],
        ),
        ("a.c", "/* Adds. */\nint add(int a)\n{\n}\n", [("a.c > add", "int add(int a)\nAdds.", 1)]),
        ("a.js", "/** a */" + "x" * 6000, []),
    ],
)
def test_documentation_comments_of_code(read: Read, name: str, code: str, expected: list[tuple[str, str, int]]) -> None:
    assert brief(read(name, code)) == expected
