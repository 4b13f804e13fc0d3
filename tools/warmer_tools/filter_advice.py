"""What to say of a filter that lets nothing through: keys that nobody has seen, values of the wrong type, parts."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from warmer.errors import SearchError
from warmer.index import Filter, Index
from warmer.index.sampling import few_values
from warmer_tools.advice import text_filter

_SHOWN = 200
_KINDS = {bool: "boolean", int: "integer", float: "number", str: "string"}


async def nothing_passes(index: Index, where: Filter) -> SearchError:
    """Say that a filter hides everything, why that may be, and what there is to filter by."""
    info, payloads = await index.info(), await index.sample()
    found = [reason for key, match in _matches(where) for reason in _reasons(key, match, info.fields)]
    reasons = list(dict.fromkeys([*found, *filter(None, [text_filter(where, info.worded).rstrip(" .")])]))
    values = few_values(payloads)
    told = [f"Values seen: {json.dumps(values, ensure_ascii=False)}"] if values else []
    return SearchError(". ".join([f"no passage passes the filter {_json(where)}: loosen it", *told, *reasons]))


def _reasons(key: str, match: Mapping[str, Any], fields: Mapping[str, str]) -> Iterator[str]:
    path = key.replace('"', "").replace("[]", "")
    inner = any(path.startswith(f"{name}.") or name.startswith(f"{path}.") for name in fields)
    if path not in fields and not inner:
        seen = ", ".join(f"{name} ({kind})" for name, kind in sorted(fields.items())) or "none"
        yield f"No payload that was looked at has {key!r}; fields seen: {seen}"
        return
    kind = fields.get(path, "")
    for value in _values(match):
        given = _KINDS.get(type(value), "")
        if kind and given and given != kind and kind in _KINDS.values() and {given, kind} != {"integer", "number"}:
            yield f"{key!r} has {_article(kind)}, and {_json(value)} is {_article(given)}"
        elif isinstance(value, str) and kind == "string" and "value" in match:
            part = _json({"match": {"text": value}})
            yield f"{key!r} must be {_json(value)} as a whole, for a part of it send {part}"


def _values(match: Mapping[str, Any]) -> Sequence[Any]:
    return [one for name in ("value", "any") for one in _listed(match.get(name)) if one is not None]


def _listed(value: object) -> Sequence[Any]:
    return value if isinstance(value, list) else [value]


def _matches(clause: object) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """List the keys of a filter, each with what it must match; those that must not are left out."""
    if isinstance(clause, list):
        for one in clause:
            yield from _matches(one)
    elif isinstance(clause, Mapping):
        if isinstance(clause.get("key"), str):
            match = clause.get("match")
            yield clause["key"], match if isinstance(match, Mapping) else {}
        for name in ("must", "should", "min_should", "conditions"):
            yield from _matches(clause.get(name))


def _article(kind: str) -> str:
    return f"an {kind}" if kind == "integer" else f"a {kind}"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)[:_SHOWN]
