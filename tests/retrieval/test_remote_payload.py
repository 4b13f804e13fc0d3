"""Where texts are in payloads that other programs write."""

import json
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


def test_stored_fields_stay_as_they_are() -> None:
    layout = find_layout([LANGCHAIN])
    assert layout.read(LANGCHAIN) == {**LANGCHAIN, "text": "How to cook rice", "title": "Rice", "source": "rice.md"}
    assert layout.read({"other": 1}) == {"other": 1, "text": "", "title": "", "source": ""}
    assert "text" not in LANGCHAIN


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
