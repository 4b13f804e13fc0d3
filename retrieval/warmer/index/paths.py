"""Paths in payloads: `text`, `metadata.text`, or through a string of JSON, as LlamaIndex's `_node_content.text`."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

Payload = Mapping[str, Any]

_DEPTH = 4
_PLAIN = re.compile(r"[A-Za-z0-9_-]+")
_PARAGRAPH = "\n\n"
_TYPES = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
_FLATTENED = re.compile(r"^(?:metadata|meta)[-_.]+(?!data$)(?=.)", re.IGNORECASE)  # `metadata-filename`


@lru_cache(maxsize=4096)
def plain(name: str) -> str:
    """Bring spellings of a name together: `File Name`, `fileName`, `_file_name` and `metadata-filename`."""
    return re.sub(r"[\W_]+", "", _FLATTENED.sub("", name)).lower()


def under(path: str, name: str) -> str:
    """Give the path of a name in what is at a path."""
    return f"{path}.{name}" if path else name


def value_at(payload: Payload, path: str) -> Any:  # noqa: ANN401  any JSON
    """Give what is at a path; None where nothing is."""
    value: Any = payload
    rest = path
    while rest:
        inner = json_object(value)
        if inner is None:
            return None
        name = rest if rest in inner else rest.split(".", 1)[0]  # a name may have a dot itself
        rest = rest[len(name) + 1 :]
        value = inner.get(name)
    return value if path else None


def look_up(payload: Payload, path: str) -> str:
    """Give the string, the number or the boolean at a path as a string, empty where there is none."""
    value = value_at(payload, path)
    return str(value) if isinstance(value, str | int | float) else ""


def text_at(payload: Payload, path: str) -> str:
    """Give the text at a path; lists of strings, and of parts of a chat, are joined."""
    return joined_text(value_at(payload, path))


def joined_text(value: object) -> str:
    """Give the text of a value, empty where it is none."""
    if isinstance(value, list):
        return _PARAGRAPH.join(filter(None, map(_part, value)))
    return str(value).strip() if isinstance(value, str | int | float) else ""


def _part(value: object) -> str:
    """Give the text of an item of a list: a string, or a part or a message of a chat."""
    if isinstance(value, dict):
        return next((text for name in ("text", "content") if (text := joined_text(value.get(name)))), "")
    return value.strip() if isinstance(value, str) else ""


def without(payload: Payload, path: str, *, json_too: bool) -> dict[str, Any]:
    """Leave out the value at a path; where it is within a string of JSON that string, or nothing."""
    name = path if path in payload else path.split(".", 1)[0]
    inner, rest = payload.get(name), path[len(name) + 1 :]
    left = {other: value for other, value in payload.items() if other != name}
    if rest and isinstance(inner, dict):
        fewer = without(inner, rest, json_too=json_too)
        return {**left, name: fewer} if fewer else left
    return left if json_too or not rest else dict(payload)


def leaves(value: object, *, parse: bool, path: str = "", closed: frozenset[str] = frozenset()) -> Iterator[Any]:
    """List the paths of values that are no objects, and these.

    Args:
        value: A payload.
        parse: Whether strings of JSON are entered.
        path: Where the value is.
        closed: Plain names that are not entered.
    """
    inner = json_object(value) if parse or not path else value if isinstance(value, dict) else None
    if isinstance(inner, dict) and path.count(".") < _DEPTH:
        for name, item in inner.items():
            if plain(name) not in closed:
                yield from leaves(item, parse=parse, path=under(path, name), closed=closed)
    elif path:
        yield path, value


def field_types(payloads: Sequence[Payload]) -> dict[str, str]:
    """Give the paths of values in payloads, and the JSON type of each where it is first seen.

    Of a list it is the type of what is in it, since that is what a filter compares.
    """
    types: dict[str, str] = {}
    for payload in payloads:
        for path, value in leaves(payload, parse=False):
            first = value[0] if isinstance(value, list) and value else value
            if first is not None:
                types.setdefault(path, _TYPES.get(type(value if isinstance(first, dict | list) else first), "string"))
    return types


def json_object(value: object) -> dict[str, Any] | None:
    """Give an object, or that which a string of JSON holds; None for anything else."""
    if isinstance(value, str) and value.startswith("{"):
        value = _parsed(value)
    return value if isinstance(value, dict) else None


@lru_cache(maxsize=64)  # several paths lead through one string
def _parsed(text: str) -> Any:  # noqa: ANN401  any JSON
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def in_json(payloads: Sequence[Payload], path: str) -> bool:
    """Tell whether a path leads through a string of JSON, which no filter can look into."""
    for payload in payloads:
        if value_at(payload, path) is not None:
            value: Any = payload
            rest = path
            while rest and isinstance(value, Mapping):
                name = rest if rest in value else rest.split(".", 1)[0]
                rest, value = rest[len(name) + 1 :], value.get(name)
            return bool(rest)
    return False


def filter_key(payloads: Sequence[Payload], path: str) -> str:
    """Write a path as a filter's key: names with other characters than letters, digits, _ and - are quoted."""
    holder: Mapping[str, Any] = next((one for one in payloads if value_at(one, path) is not None), {})
    names, rest = [], path
    while rest:
        name = rest if rest in holder else rest.split(".", 1)[0]
        names.append(name if _PLAIN.fullmatch(name) else f'"{name}"')
        rest, inner = rest[len(name) + 1 :], holder.get(name)
        holder = inner if isinstance(inner, Mapping) else {}
    return ".".join(names)
