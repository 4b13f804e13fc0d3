"""Collections for somebody who may not see all of them, or not all that is in them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from warmer.errors import CollectionError
from warmer.index import CANDIDATES, Candidates, CollectionInfo, DenseQuery, Filter, Hit, Index
from warmer.index.collections import Collections
from warmer.index.filters import AnyField, edge_filter
from warmer.passage import native_id
from warmer.vectors import SparseVector


class RestrictedCollections:
    """The protocol `Collections`, of which some are hidden.

    Args:
        collections: All of them.
        allowed: Those that may be searched; empty: all.
        where: A filter that is added to every query, in Qdrant's JSON; empty: none.
        default: The collection that is searched where none is named.
    """

    def __init__(
        self,
        collections: Collections,
        allowed: frozenset[str] = frozenset(),
        where: Filter | None = None,
        default: str = "",
    ) -> None:
        self._collections = collections
        self._allowed = allowed
        self._where = where
        self._default = default

    async def names(self) -> list[str]:
        """List the collections that may be searched, sorted."""
        names = await self._collections.names()
        return [name for name in names if name in self._allowed] if self._allowed else names

    async def find(self, name: str = "") -> Index:
        """Open a collection; without a name the default, or the only one.

        Raises:
            CollectionError: There is none of that name that may be searched, or several and no name.
        """
        found = await self._collections.find(await self._named(name) if self._allowed else name)
        return RestrictedIndex(found, self._where) if self._where else found

    async def _named(self, name: str) -> str:
        names = await self.names()
        if not name:
            name = names[0] if len(names) == 1 else self._default if self._default in names else ""
        if name in names:
            return name
        listed = ", ".join(names) or "none"
        if not name:
            raise CollectionError(f"name one of the collections that you may search: {listed}")
        raise CollectionError(f"there is no collection {name!r} that you may search; there are: {listed}")


class RestrictedIndex:
    """The protocol `Index`, of which only the points that a filter lets through are there."""

    def __init__(self, index: Index, where: Filter) -> None:
        self._index = index
        self._where = where

    async def info(self) -> CollectionInfo:
        """Describe the collection as it stands now; how much of it is hidden is not told."""
        return replace(await self._index.info(), points=None)

    async def sample(self, *, where: Filter | None = None) -> list[dict[str, Any]]:
        """Fetch the payloads of some points that are there."""
        return await self._index.sample(where=self._both(where))

    async def retrieve(self, ids: Sequence[str]) -> list[Hit]:
        """Fetch points by id; those that the filter hides are as if they were gone."""
        hits = await self._index.retrieve(ids)
        if not hits:
            return []
        these = {"has_id": [native_id(hit.id) for hit in hits]}
        query, allowed = DenseQuery(hits[0].vector), self._both({"must": [these]})
        visible = set((await self._index.candidates(query, depth=len(hits), where=allowed)).ids)
        return [hit for hit in hits if hit.id in visible]

    async def around(self, id_: str, reach: int, *, where: Filter | None = None) -> list[Hit]:
        """Fetch a point between those before and after it in its document."""
        return await self._index.around(id_, reach, where=self._both(where)) if await self.retrieve([id_]) else []

    async def candidates(
        self,
        query: DenseQuery,
        lexical: SparseVector | None = None,
        depth: int = CANDIDATES,
        *,
        where: Filter | None = None,
        without: Sequence[str] = (),
    ) -> Candidates:
        """Find the best points of each leg among those that are there."""
        return await self._index.candidates(query, lexical, depth, where=self._both(where), without=without)

    async def completed(self, hits: list[Hit]) -> list[Hit]:
        """Add what is kept outside of the engine."""
        return await self._index.completed(hits)

    def remembered(self, ids: Sequence[str]) -> Mapping[str, str]:
        """Give the passages of points that were shown before; whoever asks says what was shown to them."""
        return self._index.remembered(ids)

    def _both(self, where: Filter | None) -> Filter:
        return combined(self._where, where)


def combined(forced: Filter, where: Filter | None) -> Filter:
    """Let through what two filters let through; one without a condition, such as {"must": []}, hides nothing.

    Raises:
        FilterError: The second is no filter.
    """
    return {"must": [forced, where]} if where and edge_filter(where, AnyField()) else forced
