"""What is known of a collection: its vectors, where its texts are, and what the server can do with it."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

import numpy as np
from qdrant_client import AsyncQdrantClient, models

from warmer.errors import CollectionError, EngineError
from warmer.index import CollectionInfo, Hit
from warmer.index.remote.equivalent import ONE_PAIR
from warmer.index.remote.limits import Limits
from warmer.index.remote.notes import server_notes
from warmer.index.remote.options import Options
from warmer.index.remote.payload import Layout, field_types, find_layout, look_up
from warmer.index.remote.space import Space, dense_params, find_space
from warmer.index.remote.walk import Walk, find_walk
from warmer.index.sampling import code_marks

_T = TypeVar("_T")

_FEEDBACK_SINCE = (1, 17)
_QUERIES_SINCE = (1, 10)
_SAMPLE = 30  # payloads that are looked at
_HEAVY = 6000  # bytes of a point, payload and vector, on average: 160 candidates are 1 MB
_JSON_TYPES = {"integer": "integer", "float": "number", "bool": "boolean", "geo": "object"}


class Ask(Protocol):
    """Calls the server; `what` is to be followed by the collection's name."""

    async def __call__(self, ask: Callable[[AsyncQdrantClient], Awaitable[_T]], what: str) -> _T:
        """Give what the server answers."""
        ...


@dataclass(frozen=True, slots=True)
class Description:
    """What a collection is, and how to read its points.

    Attributes:
        info: As the protocol `Index` gives it.
        space: Its vectors.
        layout: Its payload.
        readable: Whether the text is where `layout` says.
        version: The server's, major and minor.
        config: What it was made from.
        limits: What its strict mode allows.
        walk: How dense queries go through its graph.
        heavy: Whether points are so large that only those which a list is made of are fetched.
    """

    info: CollectionInfo
    space: Space
    layout: Layout
    readable: bool
    version: tuple[int, int]
    config: models.CollectionConfig
    limits: Limits
    walk: Walk
    heavy: bool

    @property
    def feedback(self) -> bool:
        """Tell whether the server has the feedback query."""
        return self.version >= _FEEDBACK_SINCE

    @property
    def with_vectors(self) -> bool | list[str]:
        """Say to the server which vectors to send."""
        return [self.space.vector] if self.space.vector else True

    def hits(self, points: Iterable[models.ScoredPoint | models.Record]) -> list[Hit]:
        """Read points; those without the dense vector, which a lexical leg may find, are left out."""
        read = []
        for point in points:
            vector: Any = point.vector
            if isinstance(vector, dict):
                vector = vector.get(self.space.vector)
            if vector is not None:
                score = point.score if isinstance(point, models.ScoredPoint) else 0.0
                payload = self.layout.read(point.payload or {})
                read.append(Hit(str(point.id), score, payload, np.asarray(vector, dtype=np.float32)))
        return read


async def describe(
    ask: Ask,
    version: tuple[int, int],
    name: str,
    options: Options,
    tenant: models.Filter | None,
    old: Description | None,
) -> Description:
    """Look at a collection; a look at its payloads is saved where nothing changed since `old`.

    Raises:
        CollectionError: It has no vector that can be searched.
        EngineError: The server is too old.
    """
    if version < _QUERIES_SINCE:
        raise EngineError(f"server {version[0]}.{version[1]} is too old: upgrade Qdrant to 1.17 or newer")
    found = await ask(lambda client: client.get_collection(name), "describing")
    limits = Limits.of(found.config)
    points = found.points_count or 0
    if tenant:
        points = (await ask(lambda client: client.count(name, tenant, exact=False), "counting the points of")).count
    if old and old.readable and (old.version, old.config, old.info.points) == (version, found.config, points):
        return old
    space = find_space(name, found.config, options)
    page, _ = await ask(
        lambda client: client.scroll(
            name, scroll_filter=tenant, limit=limits.page(_SAMPLE), with_payload=True, with_vectors=False
        ),
        "reading payloads of",
    )
    payloads = [point.payload or {} for point in page]
    layout = find_layout(payloads, options.text_field, options.title_field, options.source_field)
    layout = replace(layout, keep=options.text_elsewhere)  # a finder of texts may need any field
    readable = options.text_elsewhere or not payloads or any(look_up(payload, layout.text) for payload in payloads)
    schema = {path: _JSON_TYPES.get(index.data_type.value, "string") for path, index in found.payload_schema.items()}
    vector = dense_params(found.config)[space.vector]
    walk = find_walk(found.config, vector, version, limits, options.oversampling)
    info = CollectionInfo(
        name=name,
        generation=space.generation,
        model=space.model,
        dim=space.dim,
        points=points,
        fields=dict(space.fields if space.fields is not None else {**field_types(payloads), **schema}),
        lexical=bool(space.lexical),
        declared=bool(space.model),
        notes=(*_notes(version, space, layout, readable), *server_notes(found, space, limits, walk, layout.text)),
        code=code_marks(look_up(payload, layout.text) for payload in payloads),
        worded={path: _has_phrases(index) for path, index in found.payload_schema.items() if _is_text(index)},
    )
    heavy = sum(len(repr(payload)) + 4 * space.dim for payload in payloads) > _HEAVY * len(payloads)
    return Description(info, space, layout, readable, version, found.config, limits, walk, heavy)


def _is_text(index: models.PayloadIndexInfo) -> bool:
    return index.data_type == models.PayloadSchemaType.TEXT


def _has_phrases(index: models.PayloadIndexInfo) -> bool:
    return isinstance(index.params, models.TextIndexParams) and bool(index.params.phrase_matching)


def no_text(known: Description, wanted: str) -> CollectionError:
    """Say that payloads hold no text."""
    where = f"at {wanted!r} " if wanted else ""
    fields = ", ".join(known.info.fields) or "none"
    return CollectionError(
        f"collection {known.info.name!r} has no text {where}in its payloads, whose fields are: {fields}. Name the "
        "field in WARMER_TEXT_FIELD, or a class that finds the texts elsewhere in WARMER_TEXTS"
    )


def no_feedback(version: tuple[int, int], distance: models.Distance) -> str:
    """Say what happens on a server that has no feedback query."""
    server = f"server {version[0]}.{version[1]} has no feedback query"
    if distance in ONE_PAIR:
        return f"{server}: its exact equivalent is used"
    return f"{server}, and its equivalent is not for {distance.value} distance: upgrade Qdrant to 1.17 or newer"


def _notes(version: tuple[int, int], space: Space, layout: Layout, readable: bool) -> Iterable[str]:
    if version < _FEEDBACK_SINCE:
        yield no_feedback(version, space.distance)
    if not readable:
        yield "its payloads hold no text: set WARMER_TEXT_FIELD or WARMER_TEXTS"
    elif layout.text not in {"", "text"} and not layout.keep:
        yield f"the text is read from the payload's {layout.text!r}"
