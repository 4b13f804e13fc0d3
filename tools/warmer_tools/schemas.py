"""Schemas that every client's converter takes: plain types, each written out where it is used.

Converters refuse or lose `$ref`, unions, and whether more properties are allowed; OpenAI's strict mode refuses
defaults. What may be left out is what is not required, and null is never sent.
"""

from collections.abc import Mapping
from typing import Any

_DROPPED = {"title", "default", "$defs"}


def plain_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Write a pydantic model's schema in plain types."""
    plain: dict[str, Any] = _plain(schema, schema.get("$defs", {}))
    return plain


def _plain(schema: Any, named: Mapping[str, Any]) -> Any:  # noqa: ANN401  any JSON
    if isinstance(schema, list):
        return [_plain(one, named) for one in schema]
    if not isinstance(schema, Mapping):
        return schema
    if reference := schema.get("$ref"):
        described = {name: value for name, value in schema.items() if name != "$ref"}
        return _plain({**named[reference.rpartition("/")[2]], **described}, named)
    if options := [one for one in schema.get("anyOf", ()) if one != {"type": "null"}]:
        (only,) = options
        return _plain({**only, **{name: value for name, value in schema.items() if name != "anyOf"}}, named)
    return {
        name: {field: _plain(one, named) for field, one in value.items()}
        if name == "properties"
        else _plain(value, named)
        for name, value in schema.items()
        if name not in _DROPPED and not (name == "additionalProperties" and isinstance(value, bool))
    }
