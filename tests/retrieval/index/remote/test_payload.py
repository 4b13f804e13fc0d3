"""Where texts are in payloads that other programs write."""

import json
from dataclasses import replace
from typing import Any

import pytest

from warmer.index.remote.payload import Layout, field_types, find_layout, look_up

LANGCHAIN = {"page_content": "How to cook rice", "metadata": {"source": "rice.md", "title": "Rice", "page": 3}}
LLAMA_INDEX = {
    "_node_content": json.dumps({"id_": "1", "text": "How to cook rice", "metadata": {"file_name": "rice.md"}}),
    "_node_type": "TextNode",
    "document_id": "5c56c793-69f3-4fbf-87e6-c4bf54c28c26 and so on, longer than the text",
}
HAYSTACK = {"content": "How to cook rice", "meta": {"url": "https://example.org/rice"}}
MCP_SERVER = {"document": "How to cook rice", "metadata": None}


@pytest.mark.parametrize(
    ("payload", "layout"),
    [
        ({"text": "a", "title": "b", "source": "c", "line": 1}, Layout("text", "title", "source")),
        (LANGCHAIN, Layout("page_content", "metadata.title", "metadata.source")),
        (LLAMA_INDEX, Layout("_node_content.text", "", "_node_content.metadata.file_name")),
        (HAYSTACK, Layout("content", "", "meta.url")),
        (MCP_SERVER, Layout("document", "", "")),
        ({"metadata": {"text": "a"}, "note": "longer than a"}, Layout("metadata.text", "", "")),
        ({"sku": "A-1", "description": "A pot for rice", "price": 3}, Layout("description", "", "")),
        ({"n": 1, "tags": ["a"]}, Layout("", "", "")),
        ({}, Layout("", "", "")),
    ],
)
def test_usual_payloads_are_understood(payload: dict[str, Any], layout: Layout) -> None:
    assert find_layout([payload]) == layout


def test_the_text_is_in_most_payloads() -> None:
    payloads = [{"body": f"the body {n}", "summary": "s"} for n in range(9)]
    assert find_layout([{"text": "an odd one"}, *payloads]).text == "body"
    assert find_layout([]) == Layout("", "", "")


def test_what_is_configured_is_used() -> None:
    assert find_layout([LANGCHAIN], "metadata.title", "metadata.page", "page_content") == Layout(
        "metadata.title", "metadata.page", "page_content"
    )


def test_what_is_shown_is_not_shown_twice() -> None:
    shown = {"text": "How to cook rice", "title": "Rice", "source": "rice.md"}
    layout = find_layout([LANGCHAIN])
    assert layout.read(LANGCHAIN) == {"metadata": {"page": 3}, **shown}
    assert replace(layout, keep=True).read(LANGCHAIN) == {**LANGCHAIN, **shown}
    assert layout.read({"other": 1}) == {"other": 1, "text": "", "title": "", "source": ""}
    assert LANGCHAIN["page_content"] and "text" not in LANGCHAIN
    node = {"_node_type": "TextNode", "document_id": LLAMA_INDEX["document_id"]}
    assert find_layout([LLAMA_INDEX]).read(LLAMA_INDEX) == {**node, **shown, "title": ""}
    meta = {"text": "How to cook rice", "title": "Rice", "meta": '{"source": "rice.md", "page": 3}'}
    assert find_layout([meta]).read(meta) == {**shown, "meta": meta["meta"]}
    nested = {"a": {"text": "x", "b": '{"c": 1}'}, "a.dot": "s"}
    assert Layout("a.text", "a.b.c", "a.dot").read(nested) == {
        "a": {"b": '{"c": 1}'}, "text": "x", "title": "1", "source": "s"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("stored", "read"),
    [(None, ""), (7, "7"), (0.5, "0.5"), (True, "True"), (["a"], ""), ({"a": "b"}, ""), ("a", "a")],
)
def test_title_and_source_are_strings(stored: object, read: str) -> None:
    payload = {"text": "How to cook rice", "title": stored, "source": stored}
    for layout in find_layout([payload]), Layout("text", "", ""), Layout("text", "no.where", "text.x"):
        assert layout.read(payload) == {"text": "How to cook rice", "title": read, "source": read}


def test_json_that_is_too_deep_is_no_json() -> None:
    deep = '{"a":' * 100_000
    assert look_up({"text": deep}, "text.a") == ""
    assert find_layout([{"text": deep}]) == Layout("text", "", "")


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("a", "1"),
        ("b.c", "2"),
        ("b.c.d", ""),
        ("dotted.name", "3"),
        ("b.dotted.name", "4"),
        ("json.deep.er", "5"),
        ("json.no", ""),
        ("broken.x", ""),
        ("list", ""),
        ("none", ""),
        ("no", ""),
        ("", ""),
    ],
)
def test_paths(path: str, found: str) -> None:
    payload = {
        "a": "1",
        "b": {"c": 2, "dotted.name": "4"},
        "dotted.name": "3",
        "json": '{"deep": {"er": "5"}}',
        "broken": '{"x": ',
        "list": ["a"],
        "none": None,
    }
    assert look_up(payload, path) == found


def test_types_are_those_of_json() -> None:
    payloads: list[dict[str, Any]] = [{"a": None}, {"a": 1, "b": {"c": True, "d": 0.5}, "e": [], "f": '{"x": 1}'}]
    assert field_types(payloads) == {
        "a": "integer", "b.c": "boolean", "b.d": "number", "e": "array", "f": "string"
    }  # fmt: skip
