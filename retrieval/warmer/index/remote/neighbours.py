"""Which points stand beside one in its document, whoever cut it: by its own id, else by its source."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any

from warmer.index import surroundings
from warmer.index.paths import filter_key, in_json, json_object, look_up, plain, under, value_at
from warmer.index.remote.payload import Layouts
from warmer.index.remote.texts import METADATA

# Names of a document's id, the surest first; two users' `notes.md` are two documents.
_DOCUMENTS = (
    *("fileid", "documentid", "refdocid", "sourceid", "docid", "fulldocid", "parentdocumentid", "originalid"),
    *("parentid", "contentid"),
)
_NONE = {"", "None", "null"}
_PREVIOUS, _NEXT = "2", "3"  # LlamaIndex's relationships

Payloads = Sequence[tuple[str, Mapping[str, Any]]]
Find = Callable[[Mapping[str, Any]], Awaitable[Payloads]]  # a condition to the points that meet it
Fetch = Callable[[Sequence[str]], Awaitable[Payloads]]


async def ids_around(
    id_: str, payload: Mapping[str, Any], layouts: Layouts, reach: int, find: Find, fetch: Fetch
) -> list[str]:
    """Give the ids of a point and of those before and after it, in order; it is alone where none are known.

    Args:
        id_: The point.
        payload: As it is stored.
        layouts: How payloads are read.
        reach: How many at most on each side.
        find: Gives the points of a document; none where they are too many.
        fetch: Gives points by id.
    """
    if surroundings.place(payload) is not None:
        for key, value in _documents(payload, layouts):
            document = await find(surroundings.of_source(key, value))
            if len(document) > 1:
                return surroundings.surrounding(id_, document, reach)
    before = await _chain(payload, _PREVIOUS, reach, fetch)
    after = await _chain(payload, _NEXT, reach, fetch)
    return [*reversed(before), id_, *after]


def _documents(payload: Mapping[str, Any], layouts: Layouts) -> Iterator[tuple[str, object]]:
    """List what may tell a document from others: a key, and its value."""
    ids = {plain(path.rpartition(".")[2]): path for path in reversed(list(_names(payload)))}
    sources = [path for path in layouts.layout_of(payload).sources if look_up(payload, path)][:1]
    for path in [*(ids[name] for name in _DOCUMENTS if name in ids), *sources]:
        if not in_json([payload], path):
            yield filter_key([payload], path), value_at(payload, path)


def _names(payload: Mapping[str, Any]) -> Iterator[str]:
    for scope in (
        "",
        *(name for name, value in payload.items() if plain(name) in METADATA and isinstance(value, dict)),
    ):
        for name, value in (value_at(payload, scope) if scope else payload).items():
            if plain(name) in _DOCUMENTS and isinstance(value, str | int) and str(value) not in _NONE:
                yield under(scope, name)


async def _chain(payload: Mapping[str, Any], relation: str, reach: int, fetch: Fetch) -> list[str]:
    """Follow a relationship from point to point."""
    found: list[str] = []
    here: Mapping[str, Any] = payload
    while len(found) < reach and (other := _related(here, relation)) and other not in found:
        fetched = await fetch([other])
        if not fetched:
            break
        found.append(fetched[0][0])
        here = fetched[0][1]
    return found


def _related(payload: Mapping[str, Any], relation: str) -> str:
    node = json_object(payload.get("_node_content")) or {}
    relations = node.get("relationships")
    other = relations.get(relation) if isinstance(relations, dict) else None
    return str(other.get("node_id") or "") if isinstance(other, dict) else ""
