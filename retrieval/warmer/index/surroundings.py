"""Which passages stand around one in its document, as far as payloads tell in which order they come."""

from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any

MOST = 10_000  # passages of one document; of more, none is looked for
_WITHIN = ("line", "start_index", "chunk_index")
FIELDS = [*chain.from_iterable((name, f"metadata.{name}") for name in ("page", *_WITHIN))]

Place = tuple[int, int]


def place(payload: Mapping[str, Any]) -> Place | None:
    """Say where in its document a passage begins: the page, and a number that grows within it; None if unknown."""
    metadata = payload.get("metadata")
    fields = {**(metadata if isinstance(metadata, dict) else {}), **payload}
    numbers = [fields[name] for name in _WITHIN if type(fields.get(name)) is int]
    page = fields.get("page")
    return (page if type(page) is int else 0, numbers[0]) if numbers else None


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


def of_source(field: str, source: str) -> dict[str, Any]:
    """Write the filter for the passages of a document."""
    return {"key": field, "match": {"value": source}}
