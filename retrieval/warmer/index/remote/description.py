"""What is known of a collection: its vectors, where its texts are, and what the server can do with it."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

import numpy as np
from qdrant_client import AsyncQdrantClient, models

from warmer.errors import CollectionError, EngineError
from warmer.index import CollectionInfo, Hit
from warmer.index.remote.conditions import Names, find_names
from warmer.index.remote.equivalent import ONE_PAIR
from warmer.index.remote.limits import Limits
from warmer.index.remote.notes import Look, notes
from warmer.index.remote.options import Options
from warmer.index.remote.payload import Layouts, field_types, find_layouts
from warmer.index.remote.search_notes import search_notes, worded
from warmer.index.remote.space import Space, dense_params, find_space
from warmer.index.remote.walk import Walk, find_walk
from warmer.index.sampling import SAMPLE, code_marks

_T = TypeVar("_T")

_FEEDBACK_SINCE = (1, 17)
_QUERIES_SINCE = (1, 10)
_LOOKED = 30  # payloads that are looked at in a collection that somebody else made
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
        layouts: Its payloads.
        names: What the keys of a filter mean; None where fields were written down.
        readable: Whether there are texts.
        version: The server's, major and minor.
        config: What it was made from.
        limits: What its strict mode allows.
        walk: How dense queries go through its graph.
        heavy: Whether points are so large that only those which a list is made of are fetched.
    """

    info: CollectionInfo
    space: Space
    layouts: Layouts
    names: Names | None
    readable: bool
    version: tuple[int, int]
    config: models.CollectionConfig
    limits: Limits
    walk: Walk
    heavy: bool

    @property
    def own(self) -> bool:
        """Tell whether Warmer made the collection."""
        return self.names is None

    @property
    def words_here(self) -> bool:
        """Tell whether words are to be looked for here, since the server has no vector for them."""
        return not (self.own or self.space.lexical or self.layouts.keep) and self.readable

    @property
    def feedback(self) -> bool:
        """Tell whether the server has the feedback query."""
        return self.version >= _FEEDBACK_SINCE

    @property
    def with_vectors(self) -> bool | list[str]:
        """Say to the server which vectors to send."""
        return [self.space.vector] if self.space.vector else True

    def hits(self, points: Iterable[models.ScoredPoint | models.Record]) -> list[Hit]:
        """Read points; those without a text or the dense vector, which a lexical leg may find, are left out."""
        read = []
        for point in points:
            vector: Any = point.vector
            if isinstance(vector, dict):
                vector = vector.get(self.space.vector)
            if vector is not None:
                score = point.score if isinstance(point, models.ScoredPoint) else 0.0
                payload = self.layouts.read(point.payload or {})
                if payload["text"] or self.own or self.layouts.keep:
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
    own = space.fields is not None
    sparse = [] if own else list(found.config.params.sparse_vectors or {})
    sample = limits.page(SAMPLE if own else _LOOKED)  # ours as the embedded engine does, since lists depend on it
    page, _ = await ask(
        lambda client: client.scroll(name, scroll_filter=tenant, limit=sample, with_payload=True, with_vectors=sparse),
        "reading payloads of",
    )
    payloads = [point.payload or {} for point in page]
    layouts = Layouts() if own and not options.text_field else _layouts(payloads, options)
    texts = [layouts.text(payload) for payload in payloads]
    look = Look(options, found, space, layouts, payloads, texts, [point.vector for point in page])
    if space.lexical and not own and look.alien(space.lexical):
        space = replace(space, lexical="")
    types = dict(space.fields) if space.fields is not None else field_types(payloads)
    schema = {path: _JSON_TYPES.get(index.data_type.value, "string") for path, index in found.payload_schema.items()}
    names = None if own else find_names(payloads, layouts, {**types, **schema})
    walk = find_walk(found.config, dense_params(found.config)[space.vector], version, limits, options.oversampling)
    description = Description(
        info=CollectionInfo(
            name=name,
            generation=space.generation,
            model=space.model,
            dim=space.dim,
            points=points,
            fields={**types, **({} if names is None else {**schema, **dict.fromkeys(names.shown, "string")})},
            declared=bool(space.model),
            named_model=look.named_model,
            code=code_marks(texts),
            worded=worded(found, names),
        ),
        space=space,
        layouts=layouts,
        names=names,
        readable=options.text_elsewhere or not payloads or any(texts),
        version=version,
        config=found.config,
        limits=limits,
        walk=walk,
        heavy=sum(len(repr(payload)) + 4 * space.dim for payload in payloads) > _HEAVY * len(payloads),
    )
    said = [no_feedback(version, space.distance)] if version < _FEEDBACK_SINCE else []
    said += [] if own else notes(replace(look, space=space), readable=description.readable)
    said += search_notes(found, space, limits, walk, _text_fields(layouts, names))
    lexical = bool(space.lexical) or description.words_here
    return replace(description, info=replace(description.info, lexical=lexical, notes=tuple(said)))


def _text_fields(layouts: Layouts, names: Names | None) -> list[str]:
    """List the fields of texts that a filter can look into."""
    if layouts.keep:
        return []
    if names is None:
        return list(layouts.paths("text"))
    return [key for group in names.shown.get("text", ()) for key in group]


def _layouts(payloads: list[dict[str, Any]], options: Options) -> Layouts:
    """Find the layouts; a field that is named for all collections is left aside where it is in no payload."""
    found = find_layouts(payloads, options.text_field, options.title_field, options.source_field)
    if options.text_field and "text_field" not in options.named and not any(map(found.text, payloads)):
        found = find_layouts(payloads, "", options.title_field, options.source_field)
    return replace(found, keep=options.text_elsewhere)  # a finder of texts may need any field


def no_text(known: Description, wanted: str) -> CollectionError:
    """Say that payloads hold no text."""
    where = f"at {wanted!r} " if wanted else ""
    fields = ", ".join(known.info.fields) or "none"
    name = known.info.name
    return CollectionError(
        f"collection {name!r} has no text {where}in its payloads, whose fields are: {fields}. Name the field in "
        f"WARMER_TEXT_FIELD, as {name}=field, or a class that finds the texts elsewhere in WARMER_TEXTS"
    )


def no_feedback(version: tuple[int, int], distance: models.Distance) -> str:
    """Say what happens on a server that has no feedback query."""
    server = f"server {version[0]}.{version[1]} has no feedback query"
    if distance in ONE_PAIR:
        return f"{server}: its exact equivalent is used"
    return f"{server}, and its equivalent is not for {distance.value} distance: upgrade Qdrant to 1.17 or newer"
