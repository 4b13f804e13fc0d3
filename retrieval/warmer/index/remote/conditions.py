"""Filters in the words of what is shown: `source` means the paths that sources are read from, whoever named them."""

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from warmer.errors import FilterError
from warmer.index import Filter
from warmer.index.paths import Payload, filter_key, in_json, leaves
from warmer.index.remote.payload import Layouts

_SHOWN = ("source", "title", "text")
_LISTS = ("must", "should", "must_not")
_INTO = " > "

Condition = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Names:
    """What the keys of a filter mean.

    Attributes:
        shown: `source`, `title` and `text` -> the keys that each of them means.
        keys: Path of a field -> the key that means it, quoted where it must be.
        types: Path of a field -> the JSON type of its values.
        opaque: Which of `shown` are in strings of JSON, and the path of each.
        headings: Those keys in `shown` that are one title together.
    """

    shown: Mapping[str, Sequence[Sequence[str]]]
    keys: Mapping[str, str]
    types: Mapping[str, str]
    opaque: Mapping[str, str]
    headings: Set[tuple[str, ...]]


NO_NAMES = Names({}, {}, {}, {}, frozenset())


def find_names(payloads: Sequence[Payload], layouts: Layouts, types: Mapping[str, str]) -> Names:
    """Find what `source`, `title` and `text` mean; a field that has such a name itself means itself."""
    shown: dict[str, list[list[str]]] = {}
    headings: set[tuple[str, ...]] = set()
    opaque: dict[str, str] = {}
    for name in _SHOWN:
        if name in types and name not in layouts.paths(name):
            continue
        groups = [layout.headings for layout in layouts.known if name == "title" and layout.headings]
        of_headings = {path for group in groups for path in group}
        singles = [(path,) for path in layouts.paths(name) if path not in of_headings]
        open_ = [group for group in (*groups, *singles) if not any(in_json(payloads, path) for path in group)]
        if open_:
            shown[name] = [[filter_key(payloads, path) for path in group] for group in open_]
            headings |= {tuple(shown[name][at]) for at, group in enumerate(open_) if group in groups}
        elif layouts.paths(name):
            opaque[name] = layouts.paths(name)[0]
    return Names(shown, {path: filter_key(payloads, path) for path in types}, types, opaque, headings)


def shown_fields(payload: Payload, layouts: Layouts) -> dict[str, Any]:
    """Give the fields of a payload under the names that a filter takes, those that are shown too."""
    read = layouts.read(payload)
    fields = dict(leaves(payload, parse=False))
    return {name: read[name] for name in _SHOWN if read[name]} | fields


def translated(where: Filter, names: Names) -> Filter:
    """Write a filter for the server; what is no filter stays as it is.

    Raises:
        FilterError: It names what is shown, but is kept where no filter can look.
    """
    return (
        {
            name: _each(clause, names) if name in _LISTS else _least(clause, names) if name == "min_should" else clause
            for name, clause in where.items()
        }
        if isinstance(where, Mapping)
        else where
    )


def _each(clause: object, names: Names) -> object:
    if isinstance(clause, list):
        return [_condition(one, names) for one in clause]
    return _condition(clause, names)


def _least(clause: object, names: Names) -> object:
    if isinstance(clause, Mapping) and "conditions" in clause:
        return {**clause, "conditions": _each(clause["conditions"], names)}
    return clause


def _condition(one: object, names: Names) -> object:
    if not isinstance(one, Mapping):
        return one
    if isinstance(one.get("key"), str):
        negative = one.get("is_empty") is True or one.get("is_null") is True or "except" in (one.get("match") or ())
        return _meant(one["key"], one, names, lambda key, part: _typed({**one, "key": key}, part, names), all_=negative)
    for kind in ("is_empty", "is_null"):
        if isinstance(inner := one.get(kind), Mapping) and isinstance(inner.get("key"), str):
            return _meant(inner["key"], one, names, lambda key, _, kind=kind: {kind: {"key": key}}, all_=True)
    if isinstance(ids := one.get("has_id"), list):
        return {**one, "has_id": [int(id_) if isinstance(id_, str) and id_.isdecimal() else id_ for id_ in ids]}
    if any(name in one for name in (*_LISTS, "min_should")):
        return translated(one, names)
    return one


def _meant(key: str, one: Condition, names: Names, write: Callable[..., object], *, all_: bool) -> object:
    """Write a condition on a key for each path that it means; a condition on headings for each of them."""
    if key in names.opaque:
        raise FilterError(
            f"{key} cannot be used in a filter: it is in a string of JSON, at {names.opaque[key]!r}. Fields that can "
            f"be: {', '.join(sorted(names.types)) or 'none'}"
        )
    if key not in names.shown:
        return write(names.keys.get(key, key), None)
    told = (one.get("match") or {}).get("value") if isinstance(one.get("match"), Mapping) else None
    parts = told.split(_INTO) if isinstance(told, str) else []
    written: list[object] = []
    for group in names.shown[key]:
        if tuple(group) in names.headings and len(parts) > 1:
            written.append({"must": [{"should": [write(level, part) for level in group]} for part in parts]})
        else:
            written += [write(level, None) for level in group]
    return written[0] if len(written) == 1 else {"must" if all_ else "should": written}


def _typed(one: dict[str, Any], part: str | None, names: Names) -> dict[str, Any]:
    """Give the values of a condition the type that the field has, where they can only mean that."""
    path = next((path for path, key in names.keys.items() if key == one["key"]), one["key"])
    kind = names.types.get(path, "")
    match = one.get("match")
    if isinstance(match, Mapping):
        if part is not None:
            return {**one, "match": {"value": part}}
        if kind == "number" and isinstance(value := _fitted(match.get("value"), kind), int | float) and len(match) == 1:
            rest = {name: inner for name, inner in one.items() if name != "match"}
            return {**rest, "range": {"gte": value, "lte": value}}
        fitted = {name: _all_fitted(value, kind) if name in _EXACT else value for name, value in match.items()}
        return {**one, "match": fitted}
    if isinstance(bounds := one.get("range"), Mapping) and kind in {"integer", "number"}:
        return {**one, "range": {name: _fitted(value, kind) for name, value in bounds.items()}}
    return one


_EXACT = ("value", "any", "except")


def _all_fitted(value: object, kind: str) -> object:
    return [_fitted(item, kind) for item in value] if isinstance(value, list) else _fitted(value, kind)


def _fitted(value: object, kind: str) -> object:
    """Give a value another type, if that loses nothing."""
    if isinstance(value, str) and kind in {"integer", "number"}:
        try:
            return int(value) if value.strip().lstrip("-").isdecimal() else float(value) if kind == "number" else value
        except ValueError:
            return value
    if isinstance(value, str) and kind == "boolean":
        return {"true": True, "false": False}.get(value.strip().lower(), value)
    if isinstance(value, int) and kind == "string":
        return str(value).lower() if isinstance(value, bool) else str(value)
    return int(value) if isinstance(value, float) and kind == "integer" and value.is_integer() else value
