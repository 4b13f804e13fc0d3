"""Faults seen in real documentation, each by a small copy of its kind."""

from pathlib import Path
from textwrap import indent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warmer.ingest import SourceFile, read_passages


def read(path: Path, text: str, limit: int = 800) -> list[tuple[str, str]]:
    path.write_text(text)
    return [(passage.title, passage.text) for passage in read_passages(SourceFile(path, path.name), limit)]


def test_text_files_in_a_markup_are_read_as_such(tmp_path: Path) -> None:
    rst = "=====\nPumps\n=====\n\nWords.\n\nStart\n=====\n\nTurn it.\n\nStop\n====\n\nTurn it back.\n"
    assert read(tmp_path / "a.txt", rst) == [
        ("Pumps", "Words."),
        ("Pumps > Start", "Turn it."),
        ("Pumps > Stop", "Turn it back."),
    ]
    llms = "# Pump\n\n> A pump.\n\n## Docs\n\n- [Start](https://example.com): how to start\n"
    assert read(tmp_path / "llms.txt", llms)[1] == ("Pump > Docs", "- [Start](https://example.com): how to start")


@pytest.mark.parametrize(
    "text", ["# pinned\nnumpy==2.0\n", "Dear all,\n\nit runs.\n-----\nJo\n", "# a\n# b\n", "a\n=\n"]
)
def test_text_files_without_markup_stay_text(tmp_path: Path, text: str) -> None:
    assert read(tmp_path / "a.txt", text) == [("a", text.rstrip())]


def test_a_wide_table_loses_its_padding(tmp_path: Path) -> None:
    row = f"pump-{{}}{' ' * 200}runs{' ' * 90}yes"
    rule = f"{'=' * 150}  {'=' * 90}  ==="
    table = "\n".join([rule, row.format("name"), rule, *map(row.format, range(30)), rule])
    for text in (table, f".. only:: not latex\n\n{indent(table, '   ')}"):
        passages = read(tmp_path / "a.rst", text)
        assert len(passages) < 3
        assert all(text.startswith("===  ===  ===\npump-name  runs  yes\n") for _, text in passages)


def test_what_a_directive_without_words_holds_is_text(tmp_path: Path) -> None:
    text = f".. only:: html\n\n   {'Some words. ' * 50}\n\n   {'Other words. ' * 50}\n\n..\n"
    assert [said[:5] for _, said in read(tmp_path / "a.rst", text)] == ["Some ", "Other"]


def test_a_long_list_is_split_between_items(tmp_path: Path) -> None:
    items = [
        f"- Pump {number} runs\n  [#{number}](https://example.com/{number}).\n  - It stops." for number in range(40)
    ]
    passages = read(tmp_path / "a.md", "\n".join(items), 300)
    assert "\n".join(text for _, text in passages) == "\n".join(items)
    assert all(text.startswith("- Pump") and text.endswith("stops.") for _, text in passages)


def test_the_rest_of_an_item_goes_with_it(tmp_path: Path) -> None:
    item = f"- Turn the valve:\n\n  {'slowly. ' * 20}\n\n  See the manual."
    passages = read(tmp_path / "a.md", f"{'Words. ' * 30}\n\n{item}\n\nEnd.", 400)
    assert [text[:8] for _, text in passages] == ["Words. W", "- Turn t"]


def test_a_label_goes_with_what_it_names_and_not_alone(tmp_path: Path) -> None:
    text = f"{'Words. ' * 60}\n\n- [bug] [pump]\n\n{'It stopped. ' * 40}\n\n**Methods:**\n"
    passages = [said for _, said in read(tmp_path / "a.md", text)]
    assert passages[1].startswith("- [bug] [pump]\n\nIt stopped.")
    assert passages[-1].rstrip().endswith("stopped.")


@pytest.mark.parametrize(
    "head",
    [
        "title: Pump rules\nauthor: Jo\n",
        "Title: Pump rules\nDate: 2024-01-02\nTags: a, b\n",
        "author: x\ntitle: Pump rules\n",
    ],
)
def test_metadata_without_a_fence(tmp_path: Path, head: str) -> None:
    assert read(tmp_path / "a.md", f"{head}\nTurn it.\n") == [("Pump rules", "Turn it.")]


@pytest.mark.parametrize(
    "text", ["Note: it runs.\n\nTurn it.", "Date: 3 May\nDecision: wait\n\nMore.", "Title: A\nBody: all there is"]
)
def test_what_is_like_metadata_stays(tmp_path: Path, text: str) -> None:
    assert read(tmp_path / "a.md", f"{text}\n") == [("a", text)]


def test_icons_and_attributes_are_no_text(tmp_path: Path) -> None:
    text = (
        "# Sponsor :octicons-heart-fill-16:\n\n[:octicons-file-code-24:][_source]{: .source-link }\n\n"
        "[:fontawesome-brands-paypal: Pay](https://example.com){ .md-button } at 10:30 :smile:, `:material-pump:`.\n"
    )
    assert read(tmp_path / "a.md", text) == [
        ("Sponsor", "[Pay](https://example.com) at 10:30 :smile:, `:material-pump:`.")
    ]


def test_lists_of_places_in_the_page_and_indexes_are_no_text(tmp_path: Path) -> None:
    page = (
        '<div><h3>Table of Contents</h3><ul><li><a href="#a">Start</a><ul><li><a href="#b">Stop</a></li></ul></li></ul>'
        '<h1>Pump</h1><p>Turn <a href="#a">it</a>.</p><ul><li>See <a href="#a">it</a></li></ul>'
        '<table class="indextable"><tr><td><a href="x.html">run() (in pump)</a></td></tr></table></div>'
    )
    assert [text for _, text in read(tmp_path / "a.html", page)] == ["Turn it.\n\n- See it"]


def test_a_template_has_no_tags(tmp_path: Path) -> None:
    body = "{# no #}{% block body %}\n<h1>Pump</h1><p>Hi {{ user.name }}!</p>{% endblock %}"
    page = f"<!-- (c) -->\n{{% extends 'base.html' %}}\n{body}"
    assert read(tmp_path / "a.html", page) == [("Pump", "Hi !")]
    page = "<h1>Tags</h1><pre>{% block body %} or so</pre>"
    assert read(tmp_path / "a.html", page) == [("Tags", "```\n{% block body %} or so\n```")]


def test_bullets_and_code_of_manual_pages(tmp_path: Path) -> None:
    page = ".TH PUMP 1\n.SH USE\n.IP \\[bu] 2\nTurn it.\n.IP \\(bu 2\nStop it.\n.nf\n\\f[C]\npump run\n\\f[R]\n.fi\n"
    assert read(tmp_path / "pump.1", page) == [
        ("pump(1) > Use", "- Turn it.\n\n- Stop it.\n```\npump run\n```"),
    ]


@pytest.mark.parametrize("opening", ["run: (speed, time) => {", "run: function (speed) {", "const run = speed => {"])
def test_remarks_within_functions_are_no_documentation(tmp_path: Path, opening: str) -> None:
    code = f"const pump = {{\n  // Runs it.\n  {opening}\n    // now we wait\n    const waiting = true;\n  }},\n}};\n"
    assert [text.split("\n")[-1] for _, text in read(tmp_path / "a.js", code)] == ["Runs it."]


def test_items_around_a_blank_row_stay_whole(tmp_path: Path) -> None:
    items = [f"- Pump {number} has no {'long ' * 20}handle.\n\n  See the manual." for number in range(6)]
    passages = [said for _, said in read(tmp_path / "a.md", "- First.\n" + "\n".join(items), 350)]
    assert all(said.startswith("- ") and said.endswith("manual.") for said in passages)


def test_a_doctest_is_split_between_prompts(tmp_path: Path) -> None:
    tests = "\n".join(f">>> run({row})\nTraceback (most recent call last):\n    ...\nPumpError" for row in range(20))
    passages = [said for _, said in read(tmp_path / "a.md", f"For example:\n\n```\n{tests}\n```\n", 300)]
    assert all(said.startswith("For example:\n\n```\n>>> ") and said.endswith("Error\n```") for said in passages)


def test_rst_comments_are_left_out_and_substitutions_written_out(tmp_path: Path) -> None:
    text = "Use |pump| or |other|.\n\n.. |pump| replace:: the Pump\n\n..\n   mode: text\n   End:\n\n__ https://example.com\n"
    assert read(tmp_path / "a.rst", text) == [("a", "Use the Pump or |other|.")]


def test_directives_of_myst_without_words_are_no_text(tmp_path: Path) -> None:
    text = "# Pumps\n\n```{toctree}\n:maxdepth: 1\n\nstart\nstop\n```\n\n```{note}\nTurn it.\n```\n"
    assert read(tmp_path / "a.md", text) == [("Pumps", "```{note}\nTurn it.\n```")]


def test_the_author_below_a_title_is_no_text(tmp_path: Path) -> None:
    text = "= Pump\nJo Doe <jo@example.com>\nv1.2, 2024-01-01\n:toc:\n\nTurn it.\n"
    assert read(tmp_path / "a.adoc", text) == [("Pump", "Turn it.")]


def test_values_of_data_on_one_line_and_their_rows(tmp_path: Path) -> None:
    def values(name: str, text: str) -> list[tuple[str, int]]:
        (tmp_path / name).write_text(text)
        return [(p.text, p.line) for p in read_passages(SourceFile(tmp_path / name, name, kind="data"))]

    minified = '{"a":"%s","server":{"port":8080}}' % ("x" * 300)
    assert values("a.json", minified) == [("a:", 1), ("server.port: 8080", 1)]
    toml = "# the port\nport = 1\n\n[pump]\n# turns a minute\nspeed = 2\n\n[[valve]]\nname = 'a'\n"
    assert values("a.toml", toml) == [
        ("# the port\nport: 1", 1),
        ("# turns a minute\npump.speed: 2", 5),
        ("valve.0.name: a", 9),
    ]


def test_exported_pages_have_no_breadcrumbs_and_footers(tmp_path: Path) -> None:
    page = (
        '<body><div id="page"><ol id="breadcrumbs"><li><a href="i.html">Space</a></li></ol><h1>Pump</h1>'
        '<div class="page-metadata">Created by Jo</div><div class="wiki-content"><p>Turn it.</p></div></div>'
        '<div id="footer">Document generated</div></body>'
    )
    assert read(tmp_path / "a.html", page) == [("Pump", "Turn it.")]


def test_text_in_html_has_its_own_line(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("<a>\n\n\n# Pump\n\n<div>\n\n<b>x</b>\n<p>\nTurn it.\n</p></div>\n")
    passages = list(read_passages(SourceFile(tmp_path / "a.md", "a.md"), 5))
    assert [passage.line for passage in passages if passage.text.startswith("Turn")] == [10]


@pytest.mark.parametrize(
    ("name", "code", "expected"),
    [
        ("a.cpp", "class P {\n  /// Equal.\n  bool operator==(const P& o) const;\n};\n", "P > operator=="),
        ("a.dart", "class P {\n  /// Fast.\n  factory P.fast() => P();\n}\n", "P > P.fast"),
        ("a.swift", "struct P {\n  /// Makes.\n  init?(x: Int) {}\n}\n", "P > init"),
        ("a.go", "package a\n\nconst (\n\tB // the second\n)\n", "B"),
        ("a.proto", "message P {\n  int32 n = 2; // how many\n}\n", "P > n"),
        ("a.rb", "class P\n  class << self\n    # Makes.\n    def make; end\n  end\nend\n", "P > class > make"),
        ("a.rb", "=begin\nMakes.\n=end\ndef make; end\n", "make"),
    ],
)
def test_more_declarations(tmp_path: Path, name: str, code: str, expected: str) -> None:
    [(title, text)] = read(tmp_path / name, code)
    assert title == f"{name} > {expected}"
    assert len(text.split("\n")) == 2


def test_comments_on_what_is_around_and_on_what_follows_are_two(tmp_path: Path) -> None:
    code = "mod m {\n    //! Inner.\n    /// Union.\n    pub union U { a: u8 }\n}\n"
    assert [title for title, _ in read(tmp_path / "a.rs", code)] == ["a.rs", "a.rs > m > U"]


@pytest.mark.parametrize("code", ["<pump-view>\n<br>", "![a pump](pump.png)", "/// Runs it.", ".. a remark"])
def test_what_would_be_markup_is_text_in_code(tmp_path: Path, code: str) -> None:
    text = f"{'Words. ' * 100}\n\n```\n{code}\n```"
    assert f"```\n{code}\n```" in "".join(said for _, said in read(tmp_path / "a.md", text))


def test_a_rule_below_a_title_is_no_fence(tmp_path: Path) -> None:
    text = f'"""\nTagged pumps\n~~~~~~~~~~~~\n\nSome words.\n\n{"More. " * 200}"""\n'
    assert sum(said.count("~~~~~~~~~~~~") for _, said in read(tmp_path / "a.py", text)) == 1


def test_entries_of_an_api_have_their_names(tmp_path: Path) -> None:
    def entry(name: str, text: str) -> str:
        term = f'<dt class="sig"><span class="sig-name descname">{name}</span>()</dt>'
        return f"<dl>{term}{term}<dd>{text}</dd></dl>"

    run, stop = entry("run", f"<p>{'Runs. ' * 60}</p>"), entry("stop", "")
    page = f"<h1>API</h1>{entry('Pump', f'<p>Pumps.</p>{run}{stop}<p>And more.</p>')}<p>After.</p>"
    passages = read(tmp_path / "a.html", page, 300)
    titles = [title for title, _ in passages]
    assert titles == ["API > Pump", *["API > Pump > run"] * (len(titles) - 3), "API > Pump", "API"]
    assert len(titles) > len({*titles}) + 1
    assert [passages[0][1], passages[-2][1], passages[-1][1]] == [
        "Pump()\nPump()\n\nPumps.",
        "stop()\nstop()\n\nAnd more.",
        "After.",
    ]


def test_each_part_of_a_docstring_has_the_signature(tmp_path: Path) -> None:
    code = f'def run(speed: int) -> None:\n    """Run.\n\n    {"Words. " * 60}\n    """\n'
    passages = [said for _, said in read(tmp_path / "a.py", code, 200)]
    assert len(passages) > 2
    assert all(said.startswith("def run(speed: int) -> None\n") and len(said) <= 200 for said in passages)


def test_contents_lead_no_titles(tmp_path: Path) -> None:
    page = (
        '<h1>Pump</h1><section><h2>Table of contents</h2><ul><li><a href="#a">A</a></li><li><a href="#b">B</a></li>'
        "</ul></section><h3>A</h3><p>Turn it.</p>"
    )
    assert read(tmp_path / "a.html", page) == [("Pump > A", "Turn it.")]


def test_a_label_goes_with_a_long_paragraph(tmp_path: Path) -> None:
    text = f"{'Some words. ' * 12}\n\nNote\n\n{'Turn it. ' * 60}"
    assert [said.split("\n")[0][:4] for _, said in read(tmp_path / "a.md", text, 200)][:2] == ["Some", "Note"]


def test_fences_of_blocks_are_labels(tmp_path: Path) -> None:
    text = "/// note\nTurn it.\n///\n\n//// tab | Linux\n\n/// html | div.big\nStart it.\n///\n\n////\n\n/// Runs it.\n"
    said = "Note:\nTurn it.\n\n\nLinux:\n\n\nStart it.\n\n\n\n\n/// Runs it."
    assert [text.replace("\n", "") for _, text in read(tmp_path / "a.md", text)] == [said.replace("\n", "")]


BLOCKS = st.sampled_from(
    [
        "{} words.",
        "- {0}\n- [ ] more\n\n  {0}",
        "1. {0}:\n\n   ```sh\n   run {0}\n   ```",
        "```\n<{0}>\n\n</{0}>\n```",
        "```{{note}}\n{}\n```",
        "~~~~ py\n{0}()\n\n# {0}\n~~~~",
        "| a | {0} |\n| --- | --- |\n| {0} | b |\n| c | {0} |",
        "> {0}\n> more",
        "    {0}\n\n    code",
        "<div>\n<p>{0}</p>\n</div>",
        "**{0}**",
        '!!! note "{0}"\n    {0}',
        "/// tab | {0}\n{0}\n///",
        "{0}\n: what it is",
        "[{0}](https://example.com) and {{{{ {0} }}}}",
    ]
)


@settings(deadline=None, max_examples=60)
@given(kinds=st.lists(BLOCKS, min_size=1, max_size=8), limit=st.sampled_from([60, 150, 800]))
def test_no_word_of_markdown_is_lost(tmp_path_factory: pytest.TempPathFactory, kinds: list[str], limit: int) -> None:
    path = tmp_path_factory.getbasetemp() / "whole.md"
    blocks = [kind.format(f"word{number}x") for number, kind in enumerate(kinds)]
    said = "\n".join(text for _, text in read(path, "Start.\n\n" + "\n\n".join([*blocks, "End."]), limit))
    for number, block in enumerate(blocks):
        assert said.count(f"word{number}x") >= block.count(f"word{number}x"), block
