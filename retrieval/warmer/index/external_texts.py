"""Texts that are kept outside of Qdrant: found by a class of the user's own."""

from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from typing import Any, Protocol

import anyio.to_thread

from warmer.errors import EngineError
from warmer.index import CANDIDATES, Candidates, CollectionInfo, DenseQuery, Filter, Hit, Index
from warmer.vectors import SparseVector


class Texts(Protocol):
    """Finds the texts of points."""

    def texts(self, points: Sequence[dict[str, Any]]) -> list[str]:
        """Give the text of each point, in order; a point is `{"id": "7", "payload": {...}}`."""
        ...


def load_texts(spec: str) -> Texts:
    """Load a class, `module:Class`, that is made without arguments.

    Raises:
        EngineError: There is no such class, or it cannot be made.
    """
    module, _, name = spec.partition(":")
    try:
        texts: Texts = getattr(import_module(module), name)()
    except Exception as error:
        raise EngineError(
            f"cannot load WARMER_TEXTS={spec}: {type(error).__name__}: {error}. It must be module:Class, a class "
            "without arguments in a module on PYTHONPATH"
        ) from error
    return texts


class ExternalTextsIndex:
    """The protocol `Index` on another one, whose hits are given their texts."""

    def __init__(self, index: Index, texts: Texts) -> None:
        self._index = index
        self._texts = texts

    async def info(self) -> CollectionInfo:
        """Describe the collection; what its texts are like is not known here."""
        return replace(await self._index.info(), texts=False, code=0.0)

    async def sample(self, *, where: Filter | None = None) -> list[dict[str, Any]]:
        """Fetch the payloads of some points, without texts."""
        return await self._index.sample(where=where)

    async def retrieve(self, ids: Sequence[str]) -> list[Hit]:
        """Fetch points by id; `completed` adds their texts."""
        return await self._index.retrieve(ids)

    async def around(self, id_: str, reach: int, *, where: Filter | None = None) -> list[Hit]:
        """Fetch a point between those before and after it in its document."""
        return await self._resolve(await self._index.around(id_, reach, where=where))

    async def candidates(
        self,
        query: DenseQuery,
        lexical: SparseVector | None = None,
        depth: int = CANDIDATES,
        *,
        where: Filter | None = None,
        without: Sequence[str] = (),
    ) -> Candidates:
        """Find the best points of each leg."""
        return await self._index.candidates(query, lexical, depth, where=where, without=without)

    async def completed(self, hits: list[Hit]) -> list[Hit]:
        """Add the texts."""
        return await self._resolve(await self._index.completed(hits))

    def remembered(self, ids: Sequence[str]) -> dict[str, str]:  # noqa: ARG002
        """Remember nothing: the other index has no texts."""
        return {}

    async def _resolve(self, hits: list[Hit]) -> list[Hit]:
        """Ask for the texts, in a thread.

        Raises:
            EngineError: The class failed, or did not give one text for each point.
        """
        if not hits:
            return []
        points = [{"id": hit.id, "payload": hit.payload} for hit in hits]
        name = type(self._texts).__name__
        try:
            texts = list(await anyio.to_thread.run_sync(self._texts.texts, points))
        except Exception as error:
            raise EngineError(f"{name}.texts failed with {type(error).__name__}: {error}") from error
        if len(texts) != len(hits) or not all(isinstance(text, str) for text in texts):
            raise EngineError(f"{name}.texts must return a list of one text for each of {len(hits)} points, in order")
        return [replace(hit, payload={**hit.payload, "text": text}) for hit, text in zip(hits, texts, strict=True)]
