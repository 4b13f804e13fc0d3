"""What is wrong with the arguments of a call, in words for whoever sent them."""

import json
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

Schema = Mapping[str, Any]

_SHOWN = 3  # of what is wrong
_CUT = 60  # characters of a value
_KINDS = {"string": "a text", "boolean": "true or false", "object": "an object", "array": "a list"}


def wrong_arguments(error: ValidationError, parameters: Schema) -> str:
    """Say of each argument that does not fit what it is and what to send, by the tool's schema of its arguments."""
    wrong = error.errors(include_url=False, include_context=False)
    said = [_wrong(one["loc"], one["type"], one["input"], parameters["properties"]) for one in wrong[:_SHOWN]]
    return "; ".join(said + [f"and {len(wrong) - _SHOWN} more"] * (len(wrong) > _SHOWN))


def _wrong(where: tuple[int | str, ...], kind: str, value: object, known: Mapping[str, Schema]) -> str:
    name = str(where[0])
    if name not in known:
        return f"{_cut(name)} is no argument: there are {', '.join(known)}"
    schema, inner = known[name], "".join(f"[{_cut(str(key))}]" for key in where[1:])
    stated = "missing" if kind == "missing" else _shown(value)
    return f"{name}{inner} is {stated}: send {_wanted(schema)} ({schema['description']})"


def _wanted(schema: Schema) -> str:
    kind = schema["type"]
    if kind in {"integer", "number"}:
        bounds = f" from {schema['minimum']:g} to {schema['maximum']:g}"
        return ("a whole number" if kind == "integer" else "a number") + bounds
    most = f", {schema['maxItems']} items at most" if "maxItems" in schema else ""
    of = {"string": " of texts", "integer": " of numbers"}[schema["items"]["type"]] if kind == "array" else ""
    return _KINDS[kind] + of + most


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return _cut(json.dumps(value, ensure_ascii=False, default=str))


def _cut(text: str) -> str:
    return text if len(text) <= _CUT else text[: _CUT - 1] + "…"
