"""What a report should say of how a server searches a collection."""

from collections.abc import Iterator, Mapping, Sequence

from qdrant_client import models

from warmer.index.remote.conditions import Names
from warmer.index.remote.limits import Limits
from warmer.index.remote.space import Space
from warmer.index.remote.walk import Walk


def search_notes(
    found: models.CollectionInfo, space: Space, limits: Limits, walk: Walk, text_fields: Sequence[str]
) -> Iterator[str]:
    """Say what a caller would not expect, in sentences; the texts are in `text_fields`, as a filter names them."""
    if walk.quantisation:
        yield _quantised(walk)
    for field in text_fields:
        if not has_text_index(found, field):
            yield f"a text filter on {field!r} looks for the string as it stands, not for words: it has no text index"
    if (shards := found.config.params.shard_number or 1) > 1 and space.lexical:
        yield f"each of its {shards} shards weighs words by its own passages"
    if deferred := found.update_queue.deferred_points if found.update_queue else None:
        yield f"{deferred} points are not searched until the server has optimised them (prevent_unoptimized)"
    if found.status == models.CollectionStatus.RED:
        yield "the server says that it failed on it (status red): look into the server's log"
    if limits != Limits():
        yield f"the server limits requests to it: {limits}"


def _quantised(walk: Walk) -> str:
    asked = walk.params.quantization if walk.params else None
    factor = asked.oversampling if asked else None
    said = f"its vectors are quantised ({walk.quantisation}): the best points are scored by the whole vectors"
    return f"{said}, out of {factor:g} times as many as are asked for" if factor else said


def has_text_index(found: models.CollectionInfo, field: str) -> bool:
    """Tell whether a text filter looks for words in a field."""
    index = found.payload_schema.get(field)
    return index is not None and index.data_type == models.PayloadSchemaType.TEXT


def worded(found: models.CollectionInfo, names: Names | None) -> Mapping[str, bool]:
    """List the fields in which a text filter looks for words, and whether for phrases too.

    Of what is shown and may be in several fields, such as `text`, the least of them counts.
    """
    own = {path: _has_phrases(index) for path, index in found.payload_schema.items() if has_text_index(found, path)}
    if names is None:
        return own
    meant = {name: [key for group in groups for key in group] for name, groups in names.shown.items()}
    shown = {name: all(own[key] for key in keys) for name, keys in meant.items() if own.keys() >= set(keys)}
    return own | shown


def _has_phrases(index: models.PayloadIndexInfo) -> bool:
    return isinstance(index.params, models.TextIndexParams) and bool(index.params.phrase_matching)
