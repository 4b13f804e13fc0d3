"""What may be retrieved, in Qdrant's own filters."""

from collections.abc import Mapping, Sequence

from qdrant_client import models

from warmer.errors import FilterError
from warmer.index import Filter
from warmer.index.filters import AnyField, check_filter, text_matches
from warmer.index.remote.conditions import NO_NAMES, translated
from warmer.index.remote.description import Description

_PREFIX_SINCE = (1, 19)


def filter_of(where: Filter | None, fields: dict[str, str]) -> models.Filter | None:
    """Check a filter; None where it hides nothing.

    Raises:
        FilterError: It is none, or does not fit the fields.
    """
    if not where:
        return None
    check_filter(where, fields)
    return models.Filter.model_validate(_of_fields(where))


def given_filter(known: Description, where: Filter | None) -> models.Filter | None:
    """Write a caller's filter for a collection.

    Raises:
        FilterError: It is none, does not fit the fields, or the server cannot do what it asks for.
    """
    _check_matches(known.version, where)
    fields = known.info.fields if known.own else AnyField(known.info.fields)
    return filter_of(translated(where or {}, known.names or NO_NAMES), fields)


def all_of(must: Sequence[models.Condition]) -> models.Filter | None:
    """Join conditions that must all hold; None where there are none."""
    return models.Filter(must=list(must)) if must else None


def _of_fields(part: object) -> object:
    """Ask for null as a condition on a field: without an index the other form finds no list that holds null."""
    if isinstance(part, list):
        return [_of_fields(one) for one in part]
    if not isinstance(part, Mapping):
        return part
    if isinstance(null := part.get("is_null"), Mapping):
        return {"key": null["key"], "is_null": True}
    return {name: _of_fields(inner) for name, inner in part.items()}


def _check_matches(version: tuple[int, int], where: Filter | None) -> None:
    new = {kind for _, kind in text_matches(where)} & {"prefix", "substring"}
    if new and version < _PREFIX_SINCE:
        raise FilterError(
            f"server {version[0]}.{version[1]} has no match by {min(new)}: match by text, which looks for words, or "
            f"upgrade Qdrant to {_PREFIX_SINCE[0]}.{_PREFIX_SINCE[1]}"
        )
