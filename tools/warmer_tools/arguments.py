"""Arguments as they come: what a client means by them, and what is wrong with them in words for whoever sent them."""

import json
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

from pydantic import ValidationError

from warmer_tools.slips import argument_meant, is_addition
from warmer_tools.workspace import Workspace

Schema = Mapping[str, Any]

_SHOWN = 3  # of what is wrong
_NAMED = 8  # of what is ignored
_CUT = 60  # characters of a value
_KINDS = {"string": "a text", "boolean": "true or false", "array": "a list"}
_NOTHING = {"", "null", "none", "nil", "undefined", "[]", "{}"}
_FREE = {"query", "collection"}  # texts that may well be "null"

ignored: ContextVar[tuple[str, ...]] = ContextVar("ignored", default=())  # of the present call: what a client added


def also_ignored() -> str:
    """Name the arguments of the present call that were ignored, as a sentence to append."""
    names = ", ".join(_cut(name) for name in sorted(ignored.get())[:_NAMED])
    return f" (ignored: {names})" if names else ""


def as_meant(arguments: Mapping[str, Any], known: Mapping[str, Schema]) -> tuple[dict[str, Any], list[str]]:
    """Leave out what stands for nothing, and make numbers texts where texts are wanted.

    Args:
        arguments: What came.
        known: The schema of each argument that the tool has.

    Returns:
        The arguments, among them those that are refused, and the names of those that the client added.
    """
    there = {name: value for name, value in arguments.items() if value is not None}
    meant = {name: _meant(value, schema) for name, schema in known.items() if (value := there.get(name)) is not None}
    meant = {name: value for name, value in meant.items() if not _is_nothing(name, value, known[name])}
    unknown = {name: value for name, value in there.items() if name not in known}
    added = [name for name in unknown if is_addition(name, known, meant)]
    return meant | {name: value for name, value in unknown.items() if name not in added}, added


def _meant(value: Any, schema: Schema) -> Any:  # noqa: ANN401  any JSON
    kind, items = schema.get("type"), schema.get("items", {}).get("type")
    if kind == "string":
        return _text(value)
    if kind == "array" and isinstance(value, list):
        there = [one for one in value if one is not None or items == "object"]
        return [_text(one) for one in there] if items == "string" else there
    if items == "integer" and type(value) is int:
        return [value]
    return value


def _text(value: Any) -> Any:  # noqa: ANN401  any JSON
    return json.dumps(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _is_nothing(name: str, value: object, schema: Schema) -> bool:
    if isinstance(value, list | dict):
        return not value
    if value in {0, "0"} and not isinstance(value, bool):
        return bool(schema.get("minimum", 0) > 0)
    text = value.strip().lower() if isinstance(value, str) else str(value)
    return not text if name in _FREE else text in _NOTHING


async def named(workspace: Workspace, collection: str) -> str:
    """Name the collection that is meant: models write null for none, unless one is of that name."""
    return "" if collection == "null" and collection not in await workspace.collections.names() else collection


def wrong_arguments(error: ValidationError, parameters: Schema) -> str:
    """Say of each argument that does not fit what it is and what to send, by the tool's schema of its arguments."""
    wrong = error.errors(include_url=False, include_context=False)
    known = parameters["properties"]
    said = [_wrong(one["loc"], one["type"], one["input"], known) for one in wrong[:_SHOWN]]
    return "; ".join(said + [f"and {len(wrong) - _SHOWN} more"] * (len(wrong) > _SHOWN))


def _wrong(where: tuple[int | str, ...], kind: str, value: object, known: Mapping[str, Schema]) -> str:
    name = str(where[0])
    if name not in known:
        right = argument_meant(name, known)
        return f"{_cut(name)} is not an argument: there are {', '.join(known)}" + (f"; send {right}" if right else "")
    schema, inner = known[name], "".join(f"[{_cut(str(key))}]" for key in where[1:])
    stated = "missing" if kind == "missing" else _shown(value)
    wanted = "an object" if kind == "dict_type" else _wanted(schema)
    return f"{name}{inner} is {stated}: send {wanted} ({schema['description']})"


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
