"""The collections that a server can search, wherever they are."""

from typing import Protocol

from warmer.index import Index


class Collections(Protocol):
    """Finds collections by name and keeps them open."""

    async def names(self) -> list[str]:
        """List the collections that may be searched, sorted."""
        ...

    async def find(self, name: str = "") -> Index:
        """Open a collection; without a name the default, or the only one.

        Raises:
            CollectionError: There is none of that name, or several and no name.
        """
        ...
