"""Read access to the published generation, for the run that builds the next one."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import qdrant_edge as edge

from warmer.errors import CollectionError
from warmer.index import DENSE
from warmer.index.edge.generations import Generations, Manifest
from warmer.index.edge.shards import load, readable
from warmer.passage import native_id
from warmer.vectors import Vector

_PAGE = 2048


class PublishedGeneration:
    """Ids, payloads and vectors of the published generation; all empty if there is none.

    With `forget`, a damaged generation counts as none.

    Raises:
        CollectionError: The generation is damaged.
    """

    def __init__(self, generations: Generations, *, forget: bool = False) -> None:
        self.model, self.digest, self.roots = "", "", dict[str, str]()
        self.generation = ""
        self.manifest: Manifest | None = None
        self._folder = generations.folder
        self._shard: edge.EdgeShard | None = None
        try:
            if current := generations.current():
                self._read(generations.path(current))
                self.generation = current
        except CollectionError:
            if not forget:
                raise

    def _read(self, folder: Path) -> None:
        with readable(self._folder):
            manifest, self._shard = load(folder)
        self.manifest = manifest
        self.model, self.digest, self.roots = manifest.model, manifest.digest, manifest.roots

    def payloads(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield id and payload of every point."""
        offset = None
        while self._shard:
            page = edge.ScrollRequest(offset=offset, limit=_PAGE, with_payload=True)
            with readable(self._folder):
                records, offset = self._shard.scroll(page)
            yield from ((str(record.id), record.payload or {}) for record in records)
            if offset is None:
                return

    def vectors(self, ids: Sequence[str]) -> dict[str, Vector]:
        """Load the dense vectors, shape (dim,), of those ids that are stored."""
        if self._shard is None:
            return {}
        with readable(self._folder):
            records = self._shard.retrieve([native_id(id_) for id_ in ids], False, [DENSE])
        return {str(record.id): np.asarray(record.vector[DENSE], np.float32) for record in records}  # type: ignore[call-overload, index]
