"""The collections of a Qdrant server."""

from warmer.errors import CollectionError
from warmer.index import Index
from warmer.index.remote.client import Remote
from warmer.index.remote.engine import QdrantIndex
from warmer.index.remote.names import no_collection, options_of, visible
from warmer.index.remote.options import Options


class QdrantCollections:
    """The protocol `Collections` on a server; nothing is ever written."""

    def __init__(self, remote: Remote, options: Options | None = None) -> None:
        self._remote = remote
        self._options = options or Options()
        self._open: dict[str, QdrantIndex] = {}

    async def names(self) -> list[str]:
        """List the collections and aliases that may be searched, sorted.

        Raises:
            ServerError: The server cannot be asked.
        """
        return await visible(self._remote, self._options)

    async def find(self, name: str = "") -> Index:
        """Open a collection; without a name the default, or the only one.

        Raises:
            CollectionError: There is none of that name that may be searched, or several and no name.
            ServerError: The server cannot be asked.
        """
        name = name or self._options.default or await self._only()
        if (self._options.allowed and name not in self._options.allowed) or name in self._options.hidden:
            raise await no_collection(self._remote, self._options, name)
        index = self._open.get(name)
        if index is None:
            index = QdrantIndex(self._remote, name, await options_of(self._remote, self._options, name))
        await index.info()
        self._open[name] = index
        return index

    async def _only(self) -> str:
        names = await self.names()
        if not names:
            raise await no_collection(self._remote, self._options, "")
        if len(names) > 1:
            raise CollectionError(f"there are several collections, name one of them: {', '.join(names)}")
        return names[0]
