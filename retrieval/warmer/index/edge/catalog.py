"""The embedded collections of a data directory."""

import re
from pathlib import Path

from warmer.errors import CollectionError
from warmer.index import Index
from warmer.index.edge.generations import Generations

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")


class Catalog:
    """Finds collections by name and keeps them open."""

    def __init__(self, data_dir: Path, default: str = "") -> None:
        self._folder = data_dir / "collections"
        self._default = default
        self._open: dict[str, Index] = {}

    def names(self) -> list[str]:
        """List the collections that have something published, sorted."""
        names = (pointer.parent.name for pointer in self._folder.glob("*/CURRENT"))
        return sorted(name for name in names if _NAME.fullmatch(name))

    def generations(self, name: str) -> Generations:
        """Locate a collection that exists or is to be made.

        Raises:
            CollectionError: The name is not fit for a folder.
        """
        if not _NAME.fullmatch(name):
            raise CollectionError(
                f"{name!r} cannot name a collection: begin with a letter or digit, go on with letters, digits, '_', "
                "'-' and '.', 63 at most"
            )
        return Generations(self._folder / name)

    def delete(self, name: str) -> None:
        """Delete a collection with all its generations.

        Raises:
            CollectionError: There is none of that name.
            StorageError: It is being written, or cannot be deleted.
        """
        generations = self.generations(self.resolve(name))
        with generations.writer():
            generations.delete()

    def open(self, name: str = "") -> Index:
        """Open a collection; without a name the default, or the only one.

        Raises:
            CollectionError: There is none of that name, or several and no name.
        """
        name = self.resolve(name)
        if name not in self._open:
            from warmer.index.edge.engine import EdgeIndex  # noqa: PLC0415  the engine is loaded when first used

            self._open[name] = EdgeIndex(self.generations(name))
        return self._open[name]

    def resolve(self, name: str) -> str:
        """Name the collection that `name` stands for."""
        names = self.names()
        name = name or self._default or (names[0] if len(names) == 1 else "")
        if name in names:
            return name
        if not names:
            raise CollectionError(
                f"there is no collection in {self._folder}: make one with `warmer index PATH --collection NAME`"
            )
        listed = ", ".join(names)
        if not name:
            raise CollectionError(f"there are several collections, name one of them: {listed}")
        where = " (the setting COLLECTION_NAME)" if name == self._default else ""
        raise CollectionError(f"there is no collection {name!r}{where}; there are: {listed}")


class EmbeddedCollections:
    """The protocol `Collections` on a catalog."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    async def names(self) -> list[str]:
        """List the collections that have something published, sorted."""
        return self._catalog.names()

    async def find(self, name: str = "") -> Index:
        """Open a collection; without a name the default, or the only one."""
        return self._catalog.open(name)
