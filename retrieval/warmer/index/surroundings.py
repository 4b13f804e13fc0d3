"""Which passages stand around one in its document, as far as payloads tell in which order they come."""

from collections.abc import Iterable, Mapping
from typing import Any

from warmer.index.paths import json_object, plain

MOST = 10_000  # passages of one document; of more, none is looked for
OWN = ("line", "page", "start_index", "chunk_index", "metadata")  # of passages that Warmer made or copied

# What grows within a document, the surest first.
_WITHIN = (
    *("line", "startindex", "startcharidx", "chunkindex", "chunkorderindex", "splitid", "splitidxstart", "chunknumber"),
    *(
        "chunk",
        "startline",
        "linefrom",
        "from",
        "partnumber",
        "chunkno",
        "chunknum",
        "chunkseq",
        "position",
        "sequence",
    ),
    *("seq", "index", "startoffset", "start", "offset"),
)
_PAGES = ("page", "pagenumber", "pageno", "pagelabel")
_HOLDERS = frozenset(
    {"metadata", "meta", "cmetadata", "docmetadata", "chunkmetadata", "extrainfo", "attributes", "nodecontent", "loc"}
    | {"lines", "location", "position", "additionalmetadata", "payload"}
)
_DEPTH = 4

Place = tuple[int, int]


def place(payload: Mapping[str, Any]) -> Place | None:
    """Say where in its document a passage begins: the page, and a number that grows within it; None if unknown."""
    numbers = _numbers(payload)
    within = next((numbers[name] for name in _WITHIN if name in numbers), None)
    page = next((numbers[name] for name in _PAGES if name in numbers), 0)
    return None if within is None else (page, within)


def fields(payload: Mapping[str, Any]) -> list[str]:
    """List the fields of a payload that may say where in its document a passage begins."""
    return [name for name, value in payload.items() if _numbers({name: value})]


def surrounding(id_: str, payloads: Iterable[tuple[str, Mapping[str, Any]]], reach: int) -> list[str]:
    """Put the points of a document into their order, and give those around one, `reach` at most on each side.

    Of passages that begin at the same place the order is not known; it is the same each time.
    """
    places = {other: found for other, payload in payloads if (found := place(payload)) is not None}
    ordered = sorted(places, key=lambda other: (places[other], other))
    if id_ not in places:
        return [id_]
    at = ordered.index(id_)
    return ordered[max(0, at - reach) : at + reach + 1]


def of_source(field: str, source: object) -> dict[str, Any]:
    """Write the filter for the passages of a document."""
    return {"key": field, "match": {"value": source}}


def _numbers(payload: Mapping[str, Any], depth: int = 0) -> dict[str, int]:
    """Collect whole numbers by their plain names, the outer ones first; strings of digits too, but for `line`."""
    found: dict[str, int] = {}
    inner: dict[str, int] = {}
    for name, value in payload.items():
        key = plain(name)
        if type(value) is int or (
            isinstance(value, str) and value.isdecimal() and len(value) < _DIGITS and key != "line"
        ):
            found.setdefault(key, int(value))
        elif key in _HOLDERS and depth < _DEPTH and (held := json_object(value)):
            inner = _numbers(held, depth + 1) | inner
    return inner | found


_DIGITS = 12
