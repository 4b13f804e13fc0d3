"""What a report should say of how a server searches a collection."""

from collections.abc import Iterator

from qdrant_client import models

from warmer.index.remote.limits import Limits
from warmer.index.remote.space import Space
from warmer.index.remote.walk import Walk


def server_notes(
    found: models.CollectionInfo, space: Space, limits: Limits, walk: Walk, text_field: str
) -> Iterator[str]:
    """Say what a caller would not expect, in sentences."""
    if walk.quantisation:
        yield _quantised(walk)
    index = found.payload_schema.get(text_field)
    if text_field and (index is None or index.data_type != models.PayloadSchemaType.TEXT):
        yield f"a text filter on {text_field!r} looks for the string as it stands, not for words: it has no text index"
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
