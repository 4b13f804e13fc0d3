"""A collection on a server that Warmer creates and fills."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from typing import Any, TypeVar

from qdrant_client import AsyncQdrantClient, models

from warmer.errors import CollectionError, EngineError
from warmer.index import DENSE, LEXICAL
from warmer.index.remote.client import Remote
from warmer.passage import native_id
from warmer.publishing.server.retry import PAUSES, with_retries

_T = TypeVar("_T")

FIELDS = {"text": "string", "title": "string", "source": "string", "line": "integer"}
_INDEXED = {"source": models.PayloadSchemaType.KEYWORD, "line": models.PayloadSchemaType.INTEGER}
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

    async def origin(self) -> Origin | None:
        """Read the origin from the metadata; None if the collection does not exist.

        Raises:
            CollectionError: Warmer did not make the collection.
        """
        if not await self._call_once(lambda client: client.collection_exists(self.name), "opening"):
            return None
        own = ((await self._info()).config.metadata or {}).get(_METADATA_KEY)
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

    async def write_origin(self, origin: Origin) -> None:
        """Replace the origin in the metadata."""
        await self._call(
            lambda client: client.update_collection(self.name, metadata=_metadata(origin)), "writing metadata of"
        )

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
        native = [native_id(id_) for id_ in ids]
        records = await self._call(
            lambda client: client.retrieve(self.name, native, with_payload=list(keys) or False), "reading"
        )
        return {str(record.id): record.payload or {} for record in records}

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
        await self._call(lambda client: client.upsert(self.name, list(points), wait=True), "writing")

    async def set_payloads(self, payloads: Mapping[str, dict[str, Any]]) -> None:
        """Replace the payloads of points, by id."""
        changes = [
            models.OverwritePayloadOperation(
                overwrite_payload=models.SetPayload(payload=payload, points=[native_id(id_)])
            )
            for id_, payload in payloads.items()
        ]
        await self._call(lambda client: client.batch_update_points(self.name, changes, wait=True), "writing")

    async def delete(self, ids: Sequence[str]) -> None:
        """Delete points by id."""
        for start in range(0, len(ids), _DELETE_BATCH):
            await self._delete([native_id(id_) for id_ in ids[start : start + _DELETE_BATCH]])

    async def _index_field(self, field_name: str, schema: models.PayloadSchemaType) -> None:
        await self._call(
            lambda client: client.create_payload_index(self.name, field_name, schema, wait=True),
            "making payload indexes of",
        )

    async def _page(self, offset: Any) -> tuple[list[models.Record], Any]:  # noqa: ANN401
        return await self._call(
            lambda client: client.scroll(self.name, limit=_PAGE, offset=offset, with_payload=["source"]), "reading"
        )

    async def _delete(self, ids: list[int | str]) -> None:
        selector = models.PointIdsList(points=list(ids))
        await self._call(lambda client: client.delete(self.name, selector, wait=True), "deleting from")

    async def _info(self) -> models.CollectionInfo:
        return await self._call(lambda client: client.get_collection(self.name), "opening")

    async def _call(self, request: Callable[[AsyncQdrantClient], Awaitable[_T]], doing: str) -> _T:
        return await with_retries(lambda: self._call_once(request, doing), self._pauses)

    async def _call_once(
        self, request: Callable[[AsyncQdrantClient], Awaitable[_T]], doing: str, *, retry: bool = True
    ) -> _T:
        return await self._remote.call(request, what=f"{doing} {self.name!r}", retry=retry)


def _metadata(origin: Origin) -> dict[str, Any]:
    """Make the metadata, with a new generation name from which readers notice the change."""
    return {_METADATA_KEY: {**asdict(origin), "generation": datetime.now(UTC).isoformat()}}
