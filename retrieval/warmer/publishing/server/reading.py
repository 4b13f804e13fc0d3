"""Reading of a whole collection on a server, whoever made it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from qdrant_client import models

from warmer.embedding.retrievers import same_model
from warmer.errors import CollectionError, ModelMismatchError
from warmer.index import surroundings
from warmer.index.remote.client import Remote
from warmer.index.remote.limits import Limits
from warmer.index.remote.names import no_collection, options_of
from warmer.index.remote.options import Options
from warmer.index.remote.payload import Layouts, find_layouts
from warmer.index.remote.space import Space, find_space, own_metadata
from warmer.vectors import Vector

_PAGE = 256

Point = tuple[str, dict[str, Any], Vector | None]


@dataclass(frozen=True, slots=True)
class ServerSource:
    """A collection on a server whose points are all to be read.

    Attributes:
        remote: The server.
        name: Name of the collection.
        options: Names of vector and payload fields, and a filter for the points.
        space: The dense vectors.
        layouts: Fields of text, title and source; None to detect them on the first page.
        roots: Label -> absolute path of what was indexed; empty if Warmer did not make the collection.
        limits: What its strict mode allows.
    """

    remote: Remote
    name: str
    options: Options
    space: Space
    layouts: Layouts | None
    roots: dict[str, str]
    limits: Limits

    async def count(self) -> int:
        """Count the points."""
        where = self._where()
        counted = await self.remote.call(
            lambda client: client.count(self.name, where, exact=self.limits.exact), what=f"reading {self.name!r}"
        )
        return counted.count

    async def pages(self) -> AsyncIterator[list[Point]]:
        """Yield all points page by page, with `text`, `title` and `source` in each payload, and each of them once."""
        layouts, offset = self.layouts, None
        while True:
            records, offset = await self._page(offset)
            payloads = [record.payload or {} for record in records]
            names = self.options.text_field, self.options.title_field, self.options.source_field
            layouts = layouts or find_layouts(payloads, *names)
            yield [
                (str(record.id), _placed(layouts.read(payload, tidy=False), payload), self._vector(record.vector))
                for record, payload in zip(records, payloads, strict=True)
            ]
            if offset is None:
                return

    async def _page(self, offset: Any) -> tuple[list[models.Record], Any]:  # noqa: ANN401
        vectors = [self.space.vector] if self.space.vector else True
        where = self._where()
        return await self.remote.call(
            lambda client: client.scroll(
                self.name, where, limit=self.limits.page(_PAGE), offset=offset, with_payload=True, with_vectors=vectors
            ),
            what=f"reading {self.name!r}",
        )

    def _where(self) -> models.Filter | None:
        return models.Filter.model_validate(self.options.where) if self.options.where else None

    def _vector(self, vectors: Any) -> Vector | None:  # noqa: ANN401
        dense = vectors.get(self.space.vector) if isinstance(vectors, dict) else vectors
        return np.asarray(dense, dtype=np.float32) if dense else None


async def open_source(remote: Remote, name: str, options: Options, model: str) -> ServerSource:
    """Open a collection that the embedded engine can hold.

    Raises:
        CollectionError: The collection does not exist, its model is unknown, or its distance is not cosine.
        ModelMismatchError: The collection was embedded by another model than `model`.
    """
    if not await remote.call(lambda client: client.collection_exists(name), what=f"opening {name!r}"):
        raise await no_collection(remote, options, name)
    options = await options_of(remote, options, name)
    info = await remote.call(lambda client: client.get_collection(name), what=f"opening {name!r}")
    space = find_space(name, info.config, options)
    if space.distance != models.Distance.COSINE:
        raise CollectionError(
            f"collection {name!r} compares vectors by {space.distance.value}, embedded collections by Cosine: hits "
            "would differ"
        )
    space = replace(space, model=_resolve_model(name, space.model, model))
    own = own_metadata(info.config)
    roots = own.get("roots")
    layouts, limits = Layouts() if own else None, Limits.of(info.config)
    return ServerSource(remote, name, options, space, layouts, roots if isinstance(roots, dict) else {}, limits)


def _placed(read: dict[str, Any], payload: dict[str, Any]) -> dict[str, Any]:
    """Keep where in its document a passage stands, where the engine looks for it."""
    place = surroundings.place(payload)
    if place is None or surroundings.place({name: read.get(name) for name in surroundings.OWN}) == place:
        return read
    return {**read, **({"page": place[0]} if place[0] else {}), "chunk_index": place[1]}


def _resolve_model(name: str, recorded: str, given: str) -> str:
    if recorded and given and not same_model(recorded, given):
        raise ModelMismatchError(f"the vectors of {name!r} are from {recorded!r}, not {given!r}: leave out --model")
    if not (recorded or given):
        raise CollectionError(f"collection {name!r} does not say what its vectors are from: name it with --model")
    return recorded or given
