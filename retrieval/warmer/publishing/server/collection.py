"""A collection on a server that Warmer creates and fills."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from typing import Any, TypeVar

import anyio
from qdrant_client import AsyncQdrantClient, models

from warmer.errors import CollectionError, EngineError
from warmer.index import DENSE, LEXICAL
from warmer.index.remote.client import Remote
from warmer.index.remote.limits import Limits, in_chunks
from warmer.passage import native_id
from warmer.publishing.server.retry import PAUSES, with_retries

_T = TypeVar("_T")

FIELDS = {"text": "string", "title": "string", "source": "string", "line": "integer"}
# Whole words in any case, as the embedded engine has it: without an index a server looks for the string as it stands.
_WORDS = models.TextIndexParams(
    type=models.TextIndexType.TEXT, tokenizer=models.TokenizerType.WORD, lowercase=True, phrase_matching=True
)
_INDEXED: dict[str, models.PayloadFieldSchema] = {
    "source": models.PayloadSchemaType.KEYWORD,
    "line": models.PayloadSchemaType.INTEGER,
    "text": _WORDS,
    "title": _WORDS,
}
_METADATA_KEY = "warmer"
_MIN_VERSION = (1, 16)  # the first version with collection metadata
_PAGE = 5000
_DELETE_BATCH = 1000


@dataclass(frozen=True, slots=True)
class Origin:
    """Origin of a collection's points, as stored in its metadata.

    Attributes:
        model: Name of the embedding model.
        dim: Length of a dense vector.
        roots: Label -> absolute path of each folder or file that was indexed.
        fields: Payload fields and the JSON type of their values.
        copying: Name and generation of the collection being copied; empty unless a copy is incomplete.
    """

    model: str
    dim: int
    roots: dict[str, str]
    fields: dict[str, str] = field(default_factory=lambda: dict(FIELDS))
    copying: str = ""


class ServerCollection:
    """Reads and writes one collection. Every method raises EngineError if the server fails."""

    def __init__(self, remote: Remote, name: str, pauses: Sequence[float] = PAUSES) -> None:
        self.name = name
        self._remote = remote
        self._pauses = pauses
        self._limits = Limits()
        self._checked = False
        self._checking = anyio.Lock()

    async def origin(self) -> Origin | None:
        """Read the origin from the metadata; None if the collection does not exist.

        Raises:
            CollectionError: Warmer did not make the collection.
        """
        if not await self._call_once(lambda client: client.collection_exists(self.name), "opening"):
            return None
        own = await self._own_metadata()
        if not isinstance(own, dict) or not {"model", "dim", "roots"} <= own.keys():
            raise CollectionError(
                f"collection {self.name!r} is on the server, and Warmer did not make it: it is left as it is. "
                "Choose another name"
            )
        return Origin(**{known.name: own[known.name] for known in fields(Origin) if known.name in own})

    async def create(self, origin: Origin) -> None:
        """Create the collection."""
        if (version := await self._remote.version()) < _MIN_VERSION:
            raise EngineError(
                f"the server is of version {version[0]}.{version[1]}, which cannot note what a collection is from: "
                f"upgrade it to {_MIN_VERSION[0]}.{_MIN_VERSION[1]} or newer"
            )
        await self._call_once(
            lambda client: client.create_collection(
                self.name,
                vectors_config={DENSE: models.VectorParams(size=origin.dim, distance=models.Distance.COSINE)},
                sparse_vectors_config={LEXICAL: models.SparseVectorParams(modifier=models.Modifier.IDF)},
                metadata=_metadata(origin),
            ),
            "creating",
            retry=False,
        )
        self._checked = True

    async def write_origin(self, origin: Origin) -> None:
        """Replace the origin in the metadata."""
        await self._call(
            lambda client: client.update_collection(self.name, metadata=_metadata(origin)), "writing metadata of"
        )
        self._checked = True

    async def index_fields(self) -> None:
        """Create the missing payload indexes for filters."""
        existing = (await self._info()).payload_schema
        for name, schema in _INDEXED.items():
            if name not in existing:
                await self._index_field(name, schema)

    async def drop(self) -> None:
        """Delete the collection."""
        await self._call(lambda client: client.delete_collection(self.name), "deleting")

    async def payloads(self, ids: Sequence[str], *keys: str) -> dict[str, dict[str, Any]]:
        """Fetch fields of those points that exist."""
        found: dict[str, dict[str, Any]] = {}
        for chunk in in_chunks(ids, min(len(ids), self._limits.reads or len(ids)) or 1):
            found |= await self._payloads([native_id(id_) for id_ in chunk], list(keys) or False)
        return found

    async def sources(self) -> AsyncIterator[tuple[str, str]]:
        """Yield id and source of every point."""
        offset: Any = None
        while True:
            records, offset = await self._page(offset)
            for record in records:
                yield str(record.id), str((record.payload or {}).get("source", ""))
            if offset is None:
                return

    async def upsert(self, points: Sequence[models.PointStruct]) -> None:
        """Write points and wait until they are in the collection.

        Waiting lets the server set the pace and reports every error; concurrent requests make up for it.
        """
        await self._may_write()
        for chunk in in_chunks(points, self._limits.write(len(points))):
            await self._upsert(list(chunk))

    async def set_payloads(self, payloads: Mapping[str, dict[str, Any]]) -> None:
        """Replace the payloads of points, by id."""
        changes = [
            models.OverwritePayloadOperation(
                overwrite_payload=models.SetPayload(payload=payload, points=[native_id(id_)])
            )
            for id_, payload in payloads.items()
        ]
        await self._may_write()
        for chunk in in_chunks(changes, min(len(changes), self._limits.writes or len(changes)) or 1):
            await self._change(chunk)

    async def delete(self, ids: Sequence[str]) -> None:
        """Delete points by id."""
        if ids:
            await self._may_write()
        for chunk in in_chunks(ids, self._limits.write(_DELETE_BATCH)):
            await self._delete([native_id(id_) for id_ in chunk])

    async def _may_write(self) -> None:
        """Make sure, before the first change, that the last one, of the metadata, is allowed.

        Raises:
            EngineError: The key may not do that.
        """
        async with self._checking:
            if not self._checked:
                await self._check_rights()
                self._checked = True

    async def _check_rights(self) -> None:
        own = {_METADATA_KEY: await self._own_metadata()}
        try:
            await self._call(lambda client: client.update_collection(self.name, metadata=own), "updating")
        except EngineError as error:
            if not error.lacks_right:
                raise
            raise EngineError(
                f"the key may not index {self.name!r}, which takes the right to manage the server, not one to write "
                f"this collection alone: nothing was written. {error}"
            ) from error

    async def _own_metadata(self) -> Any:  # noqa: ANN401
        return ((await self._info()).config.metadata or {}).get(_METADATA_KEY)

    async def _payloads(self, ids: list[int | str], keys: list[str] | bool) -> dict[str, dict[str, Any]]:
        records = await self._call(lambda client: client.retrieve(self.name, ids, with_payload=keys), "reading")
        return {str(record.id): record.payload or {} for record in records}

    async def _upsert(self, points: list[models.PointStruct]) -> None:
        await self._call(lambda client: client.upsert(self.name, points, wait=True), "writing")

    async def _change(self, changes: Sequence[models.OverwritePayloadOperation]) -> None:
        await self._call(lambda client: client.batch_update_points(self.name, list(changes), wait=True), "writing")

    async def _index_field(self, field_name: str, schema: models.PayloadFieldSchema) -> None:
        await self._may_write()
        await self._call(
            lambda client: client.create_payload_index(self.name, field_name, schema, wait=True),
            "making payload indexes of",
        )

    async def _page(self, offset: Any) -> tuple[list[models.Record], Any]:  # noqa: ANN401
        return await self._call(
            lambda client: client.scroll(
                self.name, limit=self._limits.page(_PAGE), offset=offset, with_payload=["source"]
            ),
            "reading",
        )

    async def _delete(self, ids: list[int | str]) -> None:
        selector = models.PointIdsList(points=list(ids))
        await self._call(lambda client: client.delete(self.name, selector, wait=True), "deleting from")

    async def _info(self) -> models.CollectionInfo:
        info = await self._call(lambda client: client.get_collection(self.name), "opening")
        self._limits = Limits.of(info.config)
        return info

    async def _call(self, request: Callable[[AsyncQdrantClient], Awaitable[_T]], doing: str) -> _T:
        return await with_retries(lambda: self._call_once(request, doing), self._pauses)

    async def _call_once(
        self, request: Callable[[AsyncQdrantClient], Awaitable[_T]], doing: str, *, retry: bool = True
    ) -> _T:
        return await self._remote.call(request, what=f"{doing} {self.name!r}", retry=retry)


def _metadata(origin: Origin) -> dict[str, Any]:
    """Make the metadata, with a new generation name from which readers notice the change."""
    return {_METADATA_KEY: {**asdict(origin), "generation": datetime.now(UTC).isoformat()}}
