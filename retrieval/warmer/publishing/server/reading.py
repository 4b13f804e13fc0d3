"""Reading of a whole collection on a server, whoever made it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from qdrant_client import models

from warmer.embedding.retrievers import same_model
from warmer.errors import CollectionError, ModelMismatchError
from warmer.index.remote.client import Remote
from warmer.index.remote.limits import Limits
from warmer.index.remote.names import no_collection
from warmer.index.remote.options import Options
from warmer.index.remote.payload import Layout, find_layout
from warmer.index.remote.space import Space, find_space, own_metadata
from warmer.vectors import Vector

_PAGE = 256
_WARMER_LAYOUT = Layout("text", "title", "source", keep=True)

Point = tuple[str, dict[str, Any], Vector | None]


@dataclass(frozen=True, slots=True)
class ServerSource:
    """A collection on a server whose points are all to be read.

    Attributes:
        remote: The server.
        name: Name of the collection.
        options: Names of vector and payload fields, and a filter for the points.
        space: The dense vectors.
        layout: Fields of text, title and source; None to detect them on the first page.
        roots: Label -> absolute path of what was indexed; empty if Warmer did not make the collection.
        limits: What its strict mode allows.
    """

    remote: Remote
    name: str
    options: Options
    space: Space
    layout: Layout | None
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
        """Yield all points page by page, with `text`, `title` and `source` in each payload."""
        layout, offset = self.layout, None
        while True:
            records, offset = await self._page(offset)
            payloads = [record.payload or {} for record in records]
            names = self.options.text_field, self.options.title_field, self.options.source_field
            # Keep the original fields, too, since filters refer to them.
            layout = layout or replace(find_layout(payloads, *names), keep=True)
            yield [
                (str(record.id), layout.read(payload), self._vector(record.vector))
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
    layout = _WARMER_LAYOUT if own else None
    return ServerSource(
        remote, name, options, space, layout, roots if isinstance(roots, dict) else {}, Limits.of(info.config)
    )


def _resolve_model(name: str, recorded: str, given: str) -> str:
    if recorded and given and not same_model(recorded, given):
        raise ModelMismatchError(f"the vectors of {name!r} are from {recorded!r}, not {given!r}: leave out --model")
    if not (recorded or given):
        raise CollectionError(f"collection {name!r} does not say what its vectors are from: name it with --model")
    return recorded or given
