"""Qdrant's filter JSON for Qdrant Edge, read without qdrant-client, whose import takes a second.

What this accepts, qdrant-client's models accept too. It refuses more: what can only be a mistake.
"""

import json
import re
import sys
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
import qdrant_edge as qe

from warmer.errors import FilterError
from warmer.index import Filter

_T = TypeVar("_T")
_S = TypeVar("_S")

_MAX_DEPTH = 16
_SHOWN = 200
_CLAUSES = ("must", "should", "must_not", "min_should")
_BOUNDS = ("gt", "gte", "lt", "lte")
_RFC3339 = re.compile(
    r"(?!0000)\d{4}-\d\d-\d\d"
    r"([Tt ]\d\d:\d\d:[0-5]\d(\.\d{1,9})?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)?)?",
    re.ASCII,
)
_FIRST_NAME = re.compile(r'"(?P<quoted>[^"]*)"|(?P<plain>[^.\[]*)')

_CONDITION = '{"key": "source", "match": {"value": "guide.md"}}'
_FILTER = f'{{"must": [{_CONDITION}]}}'
_POINT = '{"lon": 13.4, "lat": 52.5}'


@dataclass(frozen=True, slots=True)
class _At:
    """Where in the filter a value stands.

    `fields` is None inside `nested`, where keys are relative to an object in the passage.
    """

    path: str
    fields: Mapping[str, str] | None
    depth: int = 0

    def under(self, name: str | int) -> "_At":
        return replace(self, path=f"{self.path}[{name}]" if isinstance(name, int) else f"{self.path}.{name}")

    def refuse(self, value: object, want: str, example: str) -> FilterError:
        return FilterError(f"{self.path}: {_show(value)} is not {want}. Write for example {example}")


_Parser = Callable[[object, _At], _T]


def edge_filter(where: Mapping[str, Any], fields: Mapping[str, str]) -> qe.Filter | None:
    """Translate Qdrant's filter JSON, as its REST API takes it; None where there is no condition.

    `fields` are the payload fields that exist and the JSON type of their values. Raises FilterError
    for what is no such filter or names a field that does not exist. Text is matched by whole words in
    any case (`text`, `text_any`, `phrase`) or exactly as it is written (all other matches).
    """
    return _filter(where, _At("filter", fields))


def check_filter(where: Mapping[str, Any], fields: Mapping[str, str]) -> None:
    """Refuse what `edge_filter` refuses, for engines that read the JSON themselves."""
    edge_filter(where, fields)


def _show(value: object) -> str:
    try:
        text = json.dumps(value, ensure_ascii=False).encode(errors="replace").decode()
    except (RecursionError, TypeError, ValueError):
        text = f"this {type(value).__name__}"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _meant(value: object, at: _At) -> list[Any]:
    """Guess the conditions that were meant by what is no filter."""
    if isinstance(value, list) and all(isinstance(item, Mapping) and "key" in item for item in value):
        return value
    if isinstance(value, Mapping) and ("key" in value or value.keys() & _CONDITIONS.keys()):
        return [value]
    if isinstance(value, Mapping) and at.fields and value.keys() <= at.fields.keys():
        return [{"key": key, "match": {"any" if isinstance(v, list) else "value": v}} for key, v in value.items()]
    return []


def _build(at: _At, value: object, example: str, make: Callable[[], _T]) -> _T:
    try:
        return make()
    except ValueError as error:  # Edge knows best what Edge accepts
        raise at.refuse(value, f"valid ({error})", example) from error


def _object(value: object, at: _At, known: Iterable[str], example: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise at.refuse(value, f"an object with {', '.join(known)}", example)
    for name in value:
        if name not in known:
            problem = f"{at.path}: unknown key {_show(name)}; known here: {', '.join(known)}"
            raise FilterError(f"{problem}. Write for example {example}")
    return value


def _record(
    make: Callable[..., _T], parsers: Mapping[str, _Parser[Any]], example: str, optional: Container[str] = ()
) -> _Parser[_T]:
    """Make a parser of objects; where every key is optional, one must be there."""

    def parse(value: object, at: _At) -> _T:
        given = _object(value, at, parsers, example)
        given = {name: v for name, v in given.items() if v is not None or name not in optional}
        missing = [name for name in parsers if name not in given and name not in optional]
        if missing or not given:
            raise at.refuse(value, f"complete without {' and '.join(missing) or ' or '.join(parsers)}", example)
        arguments = {name: parsers[name](v, at.under(name)) for name, v in given.items()}
        return _build(at, value, example, lambda: make(**arguments))

    return parse


def _choice(parsers: Mapping[str, _Parser[Any]], example: str) -> _Parser[Any]:
    def parse(value: object, at: _At) -> object:
        if len(given := _object(value, at, parsers, example)) != 1:
            raise at.refuse(value, f"an object with exactly one of {', '.join(parsers)}", example)
        ((name, argument),) = given.items()
        return parsers[name](argument, at.under(name))

    return parse


def _one(make: Callable[[_S], _T], parse: _Parser[_S]) -> _Parser[_T]:
    return lambda value, at: make(parse(value, at))


def _list(parse: _Parser[_T]) -> _Parser[list[_T]]:
    def parse_list(value: object, at: _At) -> list[_T]:
        if not isinstance(value, list):
            raise at.refuse(value, "a list", f"[{_show(value)}]")
        return [parse(item, at.under(i)) for i, item in enumerate(value)]

    return parse_list


def _scalar(kind: type[_T], fits: Callable[[_T], bool], want: str, example: str) -> _Parser[_T]:
    def parse(value: object, at: _At) -> _T:
        # In Python, but not in JSON, a boolean is a number.
        if isinstance(value, kind) and isinstance(value, bool) == (kind is bool) and fits(value):
            return value
        raise at.refuse(value, want, example)

    return parse


def _integer(low: int, high: int) -> _Parser[int]:
    return _scalar(int, lambda n: low <= n <= high, f"a whole number in {low}..{high}", "1")


# A lone surrogate is valid JSON, but not text that an engine can take.
_string = _scalar(str, lambda s: s == s.encode(errors="replace").decode(), "a string", '"guide"')
_boolean = _scalar(bool, lambda _: True, "true or false", "true")
_count = _integer(0, 2**32 - 1)
_int64 = _integer(-(2**63), 2**63 - 1)
_uint64 = _integer(0, 2**64 - 1)


def _number(value: object, at: _At) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= sys.float_info.max:
        raise at.refuse(value, "a number", "0.5")
    return value


def _filter(value: object, at: _At) -> qe.Filter | None:
    if at.depth >= _MAX_DEPTH:
        raise FilterError(f"{at.path}: a filter can be nested {_MAX_DEPTH} deep. Write a flatter one")
    at = replace(at, depth=at.depth + 1)
    meant = _meant(value, at)
    given = _object(value, at, _CLAUSES, _show({"must": meant}) if meant else _FILTER)
    clauses: dict[str, Any] = {
        name: (_min_should if name == "min_should" else _conditions)(clause, at.under(name))
        for name, clause in given.items()
        if clause is not None and (clause != [] or name == "min_should")
    }
    if "min_should" in clauses:
        # Edge 0.9.0 miscounts has_id conditions that are there twice, but not in a filter of their own.
        apart = qe.Filter(min_should=clauses.pop("min_should"))
        clauses["must"] = [*clauses.get("must", ()), apart]
    return qe.Filter(**clauses) if clauses else None


def _some_filter(value: object, at: _At) -> qe.Filter:
    if (inner := _filter(value, at)) is None:
        raise at.refuse(value, "a filter with a condition", _FILTER)
    return inner


def _conditions(value: object, at: _At) -> list[Any]:
    return _list(_condition)(value, at) if isinstance(value, list) else [_condition(value, at)]


def _condition(value: object, at: _At) -> object:
    if isinstance(value, Mapping) and "key" in value:
        return _field(value, at)
    if isinstance(value, Mapping) and any(name in value for name in _CLAUSES):
        return _some_filter(value, at)
    if not isinstance(value, Mapping) or not value.keys() & _CONDITIONS.keys():
        meant = ", ".join(map(_show, _meant(value, at))) or _CONDITION
        kinds = f"a condition (an object with key, a filter, or an object with {', '.join(_CONDITIONS)})"
        raise at.refuse(value, kinds, meant)
    if at.fields is None and any(name in value for name in ("has_id", "has_vector", "slice")):
        raise at.refuse(value, "a condition that can be met inside nested", _CONDITION)
    return _choice(_CONDITIONS, _CONDITION)(value, at)


def _field(value: Mapping[str, Any], at: _At) -> qe.FieldCondition:
    given = _object(value, at, ("key", *_CHECKS), _CONDITION)
    key = _key(given["key"], at.under("key"))
    checks = [name for name in _CHECKS if given.get(name) is not None]
    if len(checks) != 1:  # Edge would take any of several, qdrant-client the first
        raise at.refuse(value, f"a condition with key and exactly one of {', '.join(_CHECKS)}", _CONDITION)
    arguments: dict[str, Any] = {name: _CHECKS[name](given[name], at.under(name)) for name in checks}
    return qe.FieldCondition(key, **arguments)


def _key(value: object, at: _At) -> str:
    text = _string(value, at)
    first = _FIRST_NAME.match(text)
    name = (first["quoted"] or first["plain"] or "") if first else ""
    if at.fields is not None and name not in at.fields:
        known = ", ".join(sorted(at.fields)) or "none"
        raise FilterError(f"{at.path}: no passage has a field {_show(name)}. The fields are: {known}")
    example = r'"source", "author.name", "tags[]" or "\"a name with spaces\""'
    _build(at, value, example, lambda: qe.IsNullCondition(text))
    return text


def _value(value: object, at: _At) -> str | int | bool:
    if isinstance(value, float):
        example = f'"range": {{"gte": {_show(value)}, "lte": {_show(value)}}} instead of match'
        raise at.refuse(value, "a string, a whole number or a boolean", example)
    if isinstance(value, list):
        raise at.refuse(value, "a single value", f'"any": {_show(value)} instead of value')
    if isinstance(value, bool):
        return value
    return _string(value, at) if isinstance(value, str) else _int64(value, at)


def _match_value(value: str | int | bool) -> qe.MatchValue:
    # Edge 0.9.0 takes a Python boolean for the number 0 or 1, but numpy's for what it is.
    return qe.MatchValue(np.bool_(value) if isinstance(value, bool) else value)  # type: ignore[arg-type]


def _values(value: object, at: _At) -> list[str] | list[int]:
    if isinstance(value, list) and any(isinstance(item, str) for item in value):
        return _list(_string)(value, at)
    return _list(_int64)(value, at)


def _datetime(value: object, at: _At) -> str:
    example = '"2024-05-01T12:30:00Z" or "2024-05-01"'
    if not isinstance(value, str) or not _RFC3339.fullmatch(value):
        raise at.refuse(value, "a date and time as RFC 3339 writes it", example)
    _build(at, value, example, lambda: qe.RangeDateTime(gte=value))
    return value


def _range(value: object, at: _At) -> qe.RangeFloat | qe.RangeDateTime:
    if isinstance(value, Mapping) and any(isinstance(bound, str) for bound in value.values()):
        return _dates(value, at)
    return _numbers(value, at)


def _id(value: object, at: _At) -> int | str:
    if not isinstance(value, str) or (value.isascii() and value.isdecimal()):
        return _uint64(int(value) if isinstance(value, str) else value, at)
    example = '"5c56c793-69f3-4fbf-87e6-c4bf54c28c26" or 42'
    _build(at, value, example, lambda: qe.HasIdCondition({_string(value, at)}))
    return value


_numbers = _record(qe.RangeFloat, dict.fromkeys(_BOUNDS, _number), '{"gte": 0.5, "lt": 2}', _BOUNDS)
_dates = _record(
    qe.RangeDateTime, dict.fromkeys(_BOUNDS, _datetime), '{"gte": "2024-05-01", "lt": "2024-06-01"}', _BOUNDS
)
_point = _record(qe.GeoPoint, {"lon": _number, "lat": _number}, _POINT)
_line = _record(lambda points: points, {"points": _list(_point)}, f'{{"points": [{_POINT}, …]}}')
_payload_field = _record(lambda key: key, {"key": _key}, '{"key": "source"}')
_min_should = _record(
    qe.MinShould,
    {"conditions": _list(_condition), "min_count": _integer(1, 2**32 - 1)},
    f'{{"conditions": [{_CONDITION}, …], "min_count": 1}}',
)

_MATCHES: dict[str, _Parser[Any]] = {
    "value": _one(_match_value, _value),
    "text": _one(qe.MatchText, _string),
    "text_any": _one(qe.MatchTextAny, _string),
    "phrase": _one(qe.MatchPhrase, _string),
    "prefix": _one(qe.MatchPrefix, _string),
    "substring": _one(qe.MatchSubstring, _string),
    "any": _one(qe.MatchAny, _values),
    "except": _one(qe.MatchExcept, _values),
}

_CHECKS: dict[str, _Parser[Any]] = {
    "match": _choice(_MATCHES, '{"value": "guide.md"} or {"text": "some words"}'),
    "range": _range,
    "geo_bounding_box": _record(
        qe.GeoBoundingBox,
        {"top_left": _point, "bottom_right": _point},
        f'{{"top_left": {_POINT}, "bottom_right": {{"lon": 13.5, "lat": 52.4}}}}',
    ),
    "geo_radius": _record(
        qe.GeoRadius, {"center": _point, "radius": _number}, f'{{"center": {_POINT}, "radius": 1000}}'
    ),
    "geo_polygon": _record(
        qe.GeoPolygon,
        {"exterior": _line, "interiors": _list(_line)},
        f'{{"exterior": {{"points": [{_POINT}, …, and the first point again]}}}}',
        ("interiors",),
    ),
    "values_count": _record(qe.ValuesCount, dict.fromkeys(_BOUNDS, _count), '{"gte": 1}', _BOUNDS),
    "is_empty": _boolean,
    "is_null": _boolean,
}

_CONDITIONS: dict[str, _Parser[Any]] = {
    "is_empty": _one(qe.IsEmptyCondition, _payload_field),
    "is_null": _one(qe.IsNullCondition, _payload_field),
    "has_id": _one(lambda ids: qe.HasIdCondition(set(ids)), _list(_id)),
    "has_vector": _one(qe.HasVectorCondition, _string),
    "nested": _record(
        qe.NestedCondition,
        {"key": _key, "filter": lambda inner, at: _some_filter(inner, replace(at, fields=None))},
        '{"key": "authors", "filter": {"must": [{"key": "name", "match": {"value": "Ada"}}]}}',
    ),
    "slice": _record(
        qe.SliceCondition,  # type: ignore[attr-defined]
        {"total": _count, "index": _count},
        '{"total": 4, "index": 0}',
    ),
}


class AnyField(dict[str, str]):
    """The fields of a sample, when there may be others."""

    def __contains__(self, key: object) -> bool:
        return True


def check_limit(where: Filter) -> None:
    """Refuse a filter for every query that limits nothing.

    Raises:
        FilterError: It is no filter, or has no condition.
    """
    if edge_filter(where, AnyField()) is None:
        raise FilterError("the filter has no condition, so it would hide nothing: add one, or unset it")


def text_matches(where: object) -> Iterator[tuple[str, str]]:
    """Yield the field and the kind of each match of texts in a filter: `text`, `text_any`, `phrase` ..."""
    if isinstance(where, Mapping):
        match = where.get("match")
        if isinstance(where.get("key"), str) and isinstance(match, Mapping):
            yield from ((where["key"], kind) for kind in match if kind in _TEXT_MATCHES)
        for value in where.values():
            yield from text_matches(value)
    elif isinstance(where, list):
        for item in where:
            yield from text_matches(item)


_TEXT_MATCHES = ("text", "text_any", "phrase", "prefix", "substring")
