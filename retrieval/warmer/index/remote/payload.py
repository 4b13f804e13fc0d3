"""Where the text, the title and the source are in payloads that somebody else wrote.

A path is `text`, `metadata.text`, or goes through a string of JSON, as LlamaIndex's `_node_content.text` does.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

Payload = dict[str, Any]

_TEXTS = ("text", "document", "page_content", "content", "chunk", "body", "passage")
_TITLES = ("title", "heading", "headline", "name", "subject")
_SOURCES = ("source", "url", "uri", "link", "file_path", "filepath", "path", "file_name", "filename", "file")
_DEPTH = 3
_TYPES = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}


@dataclass(frozen=True, slots=True)
class Layout:
    """Paths in a payload; empty where there is no such thing.

    With `keep`, what is at these paths stays there too.
    """

    text: str
    title: str
    source: str
    keep: bool = False

    def read(self, payload: Payload) -> Payload:
        """Give `text`, `title` and `source`, always as strings, and the rest of what is stored."""
        rest = payload
        for path in () if self.keep else (self.title, self.source, self.text):
            if look_up(payload, path):
                rest = _without(rest, path, json_too=path == self.text)
        return {
            **rest,
            "text": look_up(payload, self.text),
            "title": look_up(payload, self.title) or look_up(payload, "title"),
            "source": look_up(payload, self.source) or look_up(payload, "source"),
        }


def find_layout(payloads: Sequence[Payload], text: str = "", title: str = "", source: str = "") -> Layout:
    """Find out what is not given, from some payloads.

    The text is the field of a usual name that is least deep, else the string that is longest on average; it must be
    in half of the payloads, if anything is.
    """
    strings = _strings(payloads)
    common = {path: values for path, values in strings.items() if 2 * len(values) >= len(payloads)}
    return Layout(
        text or _named(common, _TEXTS) or _longest(common or strings),
        title or _named(strings, _TITLES),
        source or _named(strings, _SOURCES),
    )


def field_types(payloads: Sequence[Payload]) -> dict[str, str]:
    """Give the paths of values in payloads, and the JSON type of each where it is first seen."""
    types: dict[str, str] = {}
    for payload in payloads:
        for path, value in _values(payload, "", parse=False):
            if value is not None:
                types.setdefault(path, _TYPES.get(type(value), "string"))
    return types


def look_up(payload: Payload, path: str) -> str:
    """Give the string at a path, empty where there is none."""
    value: Any = payload
    rest = path
    while rest:
        value = _object(value)
        if value is None:
            return ""
        name = rest if rest in value else rest.split(".", 1)[0]  # a name may have a dot itself
        rest = rest[len(name) + 1 :]
        value = value.get(name)
    return str(value) if isinstance(value, str | int | float) and path else ""


def _without(payload: Payload, path: str, *, json_too: bool) -> Payload:
    """Leave out the value at a path; where it is within a string of JSON that string, or nothing."""
    name = path if path in payload else path.split(".", 1)[0]
    inner, rest = payload.get(name), path[len(name) + 1 :]
    left = {other: value for other, value in payload.items() if other != name}
    if rest and isinstance(inner, dict):
        fewer = _without(inner, rest, json_too=json_too)
        return {**left, name: fewer} if fewer else left
    return left if json_too or not rest else payload


def _strings(payloads: Sequence[Payload]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for payload in payloads:
        for path, value in _values(payload, "", parse=True):
            if isinstance(value, str) and value:
                found[path].append(value)
    return found


def _values(value: Any, path: str, *, parse: bool) -> Iterator[tuple[str, Any]]:  # noqa: ANN401
    inner = _object(value) if parse else value
    if isinstance(inner, dict) and path.count(".") < _DEPTH:
        for name, item in inner.items():
            yield from _values(item, f"{path}.{name}" if path else name, parse=parse)
    elif path:
        yield path, value


def _object(value: Any) -> Payload | None:  # noqa: ANN401
    if isinstance(value, str) and value.startswith("{"):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return None
    return value if isinstance(value, dict) else None


def _named(strings: dict[str, list[str]], names: Sequence[str]) -> str:
    ranks = {name: rank for rank, name in enumerate(names)}
    named = [
        (path.count("."), ranks[last], path) for path in strings if (last := path.rpartition(".")[2].lower()) in ranks
    ]
    return min(named, default=(0, 0, ""))[2]


def _longest(strings: dict[str, list[str]]) -> str:
    return max(strings, key=lambda path: sum(map(len, strings[path])) / len(strings[path]), default="")
