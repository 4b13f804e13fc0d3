"""Where texts are in payloads that other programs write."""

import json
from pathlib import Path
from typing import Any

import pytest

from warmer.index.paths import field_types, filter_key, look_up, text_at
from warmer.index.remote.payload import Layout, Layouts, find_layouts
from warmer.index.remote.prose import count_words, is_address, is_label

CASES: dict[str, dict[str, Any]] = {
    case["name"]: case for case in json.loads((Path(__file__).parent / "payloads.json").read_text(encoding="utf-8"))
}
TEXT, OTHER = "Belts are replaced in pairs.", "The pump must be stopped before the lid is opened."
ID, HASH = "3f2b8c1e-6f0e-4a53-9a57-0d5f3f2b8c1e", "10e6366da18df552576c96618ea59029"
LANGCHAIN = {"page_content": TEXT, "metadata": {"source": "rice.md", "title": "Rice", "page": 3}}
Payload = dict[str, Any]


@pytest.mark.parametrize("name", CASES)
def test_what_other_programs_wrote_is_read(name: str) -> None:
    points, wanted = CASES[name]["points"], CASES[name]["want"]
    layouts = find_layouts(points)
    if wanted == "no text":
        assert layouts == Layouts((), fixed=False)
        assert [layouts.text(point) for point in points] == ["", ""]
        return
    for point, want in zip(points, wanted, strict=True):
        read = layouts.read(point)
        assert read["text"] == (want or {}).get("text", "")
        for shown in ("title", "source"):
            assert not want or shown not in want or read[shown] == (want[shown] or "")


@pytest.mark.parametrize("name", CASES)
def test_a_point_alone_is_read_as_among_others(name: str) -> None:
    points = CASES[name]["points"]
    for point in points:
        assert find_layouts([point]).text(point) == find_layouts(points).text(point)


def node(text: str = TEXT, **more: object) -> Payload:
    return {"_node_type": "TextNode", "_node_content": json.dumps({"id_": ID, "text": text, **more})}


@pytest.mark.parametrize(
    ("payload", "text", "title", "source"),
    [
        ({"doc_content": TEXT, "source": "b.pdf", "page_number": 3}, TEXT, "", "b.pdf"),
        ({"id": "a", "text": TEXT, "description": "d", "external_source_name": "b.md"}, TEXT, "", "b.md"),
        ({"_id": "a", "_text": TEXT, "_description": "d", "_external_source_name": "b.md"}, TEXT, "", "b.md"),
        ({"Key": ID, "Text": TEXT, "ReferenceDescription": "Belts", "ReferenceLink": "https://e.x/1"}, TEXT, "Belts",
         "https://e.x/1"),
        ({"id": "d=x", "tags": ["__document_id:d"], "payload": json.dumps({"file": "b.pdf", "url": "", "text": TEXT})},
         TEXT, "", "b.pdf"),
        ({"page_content": TEXT, "group_id": ID, "metadata": {"doc_id": ID, "doc_hash": HASH}}, TEXT, "", ""),
        ({"text": TEXT, "title": "Belts", "docSource": "a text file uploaded by the user.", "chunkSource": "",
          "description": "Unknown", "url": "file:///b.txt"}, TEXT, "Belts", "file:///b.txt"),
        ({"filePath": "src/a.ts", "codeChunk": "function a() {}", "startLine": 1, "segmentHash": HASH,
          "pathSegments": {"0": "src", "1": "a.ts"}}, "function a() {}", "", "src/a.ts"),
        ({"content": "pass", "relativePath": "a.py", "metadata": '{"language": "python"}'}, "pass", "", "a.py"),
        ({"text": TEXT, "metadata": {"name": "notes.md", "source": "notes.md", "file_id": ID}}, TEXT, "notes.md",
         "notes.md"),
        ({"text": TEXT, "start_index": 0, "end_index": 28, "token_count": 6}, TEXT, "", ""),
        ({"page_content": TEXT, "metadata": {"source": "b.pdf", "dl_meta": {"headings": ["Manual", "Belts"],
          "origin": {"filename": "b.pdf"}}}}, TEXT, "Manual > Belts", "b.pdf"),
        ({"content": TEXT, "meta": {"dl_meta": {"meta": {"headings": ["Belts"], "origin": {"filename": "b.pdf"}}}}},
         TEXT, "Belts", "b.pdf"),
        ({"text": TEXT, "element_serialized": json.dumps({"type": "NarrativeText", "text": OTHER}),
          "metadata-filename": "b.pdf", "metadata-filetype": "application/pdf"}, TEXT, "", "b.pdf"),
        ({"question": "How many pumps are there?", "sql": "SELECT count(*) FROM pumps"}, "SELECT count(*) FROM pumps",
         "How many pumps are there?", ""),
        ({"question": "When are belts replaced?", "answer": TEXT}, TEXT, "When are belts replaced?", ""),
        ({"documentation": TEXT}, TEXT, "", ""),
        ({"document": '{"id": 1, "word": "belt"}', "embedded_text": TEXT}, TEXT, "", ""),
        ({"artifact": json.dumps({"type": "TextArtifact", "value": TEXT}), "meta": None}, TEXT, "", ""),
        ({"content": [{"text": TEXT}, {"text": OTHER}], "metadata": {"source": "b.md"}}, f"{TEXT}\n\n{OTHER}", "",
         "b.md"),
        ({"messages": [{"role": "user", "content": OTHER}, {"role": "assistant", "content": [{"type": "text",
          "text": TEXT}]}]}, f"{OTHER}\n\n{TEXT}", "", ""),
        ({"message": {"role_name": "assistant", "content": TEXT}, "role_at_backend": "user"}, TEXT, "", ""),
        ({"content": TEXT, "full_doc_id": "doc-1", "file_path": "b.md", "created_at": 1700000}, TEXT, "", "b.md"),
        ({"content_with_weight": TEXT, "docnm_kwd": "b.pdf", "kb_id": ID}, TEXT, "", "b.pdf"),
        ({"name": "stop", "docstring": None, "context": {"file_path": "src/pump.rs", "snippet": "fn stop() {}"}},
         "fn stop() {}", "stop", "src/pump.rs"),
        ({"title": "On belts", "abstract": TEXT, "authors": "Cleo and very many other people with long names"}, TEXT,
         "On belts", ""),
        ({"document": "handbook.pdf", "content": TEXT}, TEXT, "", "handbook.pdf"),
        ({"document": "handbook.pdf", "metadata": {"text": TEXT}}, TEXT, "", "handbook.pdf"),
        ({"document": TEXT, "metadata": None}, TEXT, "", ""),
        ({"document": {"text": TEXT, "title": "Belts", "url": "https://e.x/"}}, TEXT, "Belts", "https://e.x/"),
        ({"description": TEXT, "metadata": {"content": "en"}}, TEXT, "", ""),
        ({"metadata": {"text": "a"}, "note": "longer than a"}, "longer than a", "", ""),
        ({"text": "word"}, "word", "", ""),
        ({"text": "https://e.x/", "n": 1}, "https://e.x/", "", ""),
        ({"text": TEXT, "meta": '{"source": "b.md", "title": "Belts"}'}, TEXT, "Belts", "b.md"),
        ({"text": TEXT, "source": {"url": "https://e.x/", "publisher": {"name": "P"}}}, TEXT, "", "https://e.x/"),
        ({**node(""), "text": TEXT}, TEXT, "", ""),
        (node(metadata={"file_name": "b.md", "title": "Belts"}), TEXT, "Belts", "b.md"),
        ({**node(metadata={"file_name": "b.md"}), "file_name": "b.md", "header_path": "/Wiki/VPN/"}, TEXT, "Wiki > VPN",
         "b.md"),
        ({"content": None, "meta": {"caption": "A red car in the rain"}}, "A red car in the rain", "", ""),
        ({"type": "metadata", "indexing_complete": True}, "", "", ""),
        ({"id": 1, "sku": "A-1", "when": "Sun Nov 29 2026 19:24:38 GMT", "at": "C:\\My Files\\b c.pdf"}, "", "", ""),
        ({"n": 1, "tags": ["a"]}, "", "", ""),
        ({}, "", "", ""),
    ],
)  # fmt: skip
def test_usual_payloads_are_understood(payload: Payload, text: str, title: str, source: str) -> None:
    read = find_layouts([payload]).read(payload)
    assert (read["text"], read["title"], read["source"]) == (text, title, source)


def test_prose_differs_from_point_to_point() -> None:
    same = "A very long summary of the whole manual, the same wherever it stands"
    points = [{"summary": same, "para": text, "by": "Cleo and others"} for text in (TEXT, OTHER)]
    assert find_layouts(points).first.text == "para"
    unspaced = [{"id": 1, "review": "水泵必须在打开盖子之前停止。"}, {"id": 2, "review": "皮带总是成对更换的。"}]
    assert find_layouts(unspaced).first.text == "review"


def test_the_most_usual_layout_is_the_first() -> None:
    points = [{"text": "an odd one"}, *({"body": f"the body {n}", "summary": "s"} for n in range(9))]
    layouts = find_layouts(points)
    assert [layout.text for layout in layouts.known] == ["body", "text"]
    assert layouts.text({"page_content": "A kind that was not in the sample", "metadata": {}})
    assert find_layouts([]).known == ()


def test_a_point_whose_text_is_empty_has_none() -> None:
    points: list[Payload] = [
        {"content": None, "meta": {"caption": "A red car in the rain"}},
        {"content": TEXT, "meta": {}},
    ]
    assert [find_layouts(points).text(point) for point in points] == ["", TEXT]


def test_a_source_that_says_nothing_gives_way() -> None:
    files = [{"text": TEXT, "source": "export.json", "file_name": f"{n}.pdf"} for n in range(3)]
    assert find_layouts(files).first.sources == ("file_name",)
    named = [{"text": TEXT, "source": "wiki", "url": f"https://e.x/{n}"} for n in range(3)]
    assert find_layouts(named).first.sources == ("url",)
    assert find_layouts([{"text": TEXT, "source": "wiki"}] * 3).first.sources == ("source",)


def test_what_is_configured_is_used() -> None:
    layouts = find_layouts([LANGCHAIN], "metadata.title", "metadata.page", "page_content")
    assert layouts.known == (Layout("metadata.title", ("metadata.page",), ("page_content",)),)
    assert layouts.read({"page_content": TEXT}) == {"text": "", "title": "", "source": TEXT}
    assert find_layouts([LANGCHAIN], title="metadata.page").read(LANGCHAIN)["title"] == "3"


def test_what_is_shown_is_not_shown_twice() -> None:
    shown = {"text": TEXT, "title": "Rice", "source": "rice.md"}
    layouts = find_layouts([LANGCHAIN])
    assert layouts.read(LANGCHAIN) == {"metadata": {"page": 3}, **shown}
    kept = Layouts(layouts.known, keep=True)
    assert kept.read(LANGCHAIN) == {**LANGCHAIN, **shown}
    assert layouts.read({"other": 1}) == {"other": 1, "text": "", "title": "", "source": ""}
    meta = {"text": TEXT, "title": "Rice", "meta": '{"source": "rice.md", "page": 3}'}
    assert find_layouts([meta]).read(meta) == {**shown, "meta": meta["meta"]}


def test_nulls_and_bookkeeping_are_no_metadata() -> None:
    point = {
        **node(),
        "doc_id": "None",
        "ref_doc_id": ID,
        "hash": HASH,
        "year": 2021,
        "user_id": ID,
        "empty": {"a": None},
    }
    assert find_layouts([point]).read(point) == {
        "text": TEXT, "title": "", "source": "", "year": 2021, "user_id": ID
    }  # fmt: skip
    copied = find_layouts([point]).read(point, tidy=False)
    assert copied["hash"] == HASH and "_node_content" not in copied


@pytest.mark.parametrize(
    ("stored", "read"),
    [(None, ""), (7, "7"), (0.5, "0.5"), (True, "True"), (["a"], ""), ({"a": "b"}, ""), ("a", "a")],
)
def test_title_and_source_are_strings(stored: object, read: str) -> None:
    read_ = Layout("text", ("title",), ("source",)).read({"text": TEXT, "title": stored, "source": stored})
    assert (read_["title"], read_["source"]) == (read, read)


def test_json_that_is_too_deep_is_no_json() -> None:
    deep = '{"a":' * 100_000
    assert look_up({"text": deep}, "text.a") == ""
    assert find_layouts([{"text": deep}]).first.text == "text"


@pytest.mark.parametrize(
    ("path", "found", "key"),
    [
        ("a", "1", "a"),
        ("b.c", "2", "b.c"),
        ("b.c.d", "", "b.c.d"),
        ("dotted.name", "3", '"dotted.name"'),
        ("b.dotted.name", "4", 'b."dotted.name"'),
        ("Header 1.x-y", "6", '"Header 1".x-y'),
        ("json.deep.er", "5", "json.deep.er"),
        ("json.no", "", "json.no"),
        ("broken.x", "", "broken.x"),
        ("list", "", "list"),
        ("none", "", "none"),
        ("no", "", "no"),
        ("", "", ""),
    ],
)
def test_paths(path: str, found: str, key: str) -> None:
    payload = {
        "a": "1",
        "b": {"c": 2, "dotted.name": "4"},
        "dotted.name": "3",
        "Header 1": {"x-y": "6"},
        "json": '{"deep": {"er": "5"}}',
        "broken": '{"x": ',
        "list": ["a"],
        "none": None,
    }
    assert look_up(payload, path) == found
    assert filter_key([payload], path) == key


def test_lists_are_joined() -> None:
    assert text_at({"a": {"b": ["x ", {"text": "y"}, 3, None, ""]}}, "a.b") == "x\n\ny"


def test_types_are_those_of_json() -> None:
    payloads: list[Payload] = [
        {"a": None},
        {"a": 1, "b": {"c": True, "d": 0.5}, "e": [], "f": '{"x": 1}', "g": ["a"], "h": [{"i": 1}]},
    ]
    assert field_types(payloads) == {
        "a": "integer", "b.c": "boolean", "b.d": "number", "e": "array", "f": "string", "g": "string", "h": "array"
    }  # fmt: skip


@pytest.mark.parametrize(
    "label",
    [
        *(ID, HASH, "sha256:abc", "42", "3.5 %", "2026-11-29T09:05:03.161390+00:00", "Nov 29, 2026", "29 May 2024"),
        *("https://e.x/a?b=c", "mailto:a@e.x", "a@e.x", "Cleo <a@e.x>", "text/html; charset=utf-8", "docs/a.md"),
        *("/var/log", "C:\\My Files\\a b.pdf", "Annual report 2024.pdf", "a.b", "QWxhZGRpbjpvcGVuIHNlc2FtZQ" * 3),
    ],
)
def test_labels_are_no_texts(label: str) -> None:
    assert is_label(label)


@pytest.mark.parametrize(
    "text", [TEXT, "Likes tea", "May he rest. In peace", "He ate 3 of 4 apples/pears, 2026", "水泵"]
)
def test_texts_are_no_labels(text: str) -> None:
    assert not is_label(text)
    assert count_words(text)


def test_addresses() -> None:
    assert all(map(is_address, ("a.md", "docs/a", "https://e.x", "C:\\a")))
    assert not any(map(is_address, ("blob", "a wiki", "")))
