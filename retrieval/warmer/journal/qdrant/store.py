"""A document store in a Qdrant collection without vectors.

Qdrant has no transactions. Three rules keep concurrent writers from losing each other's work:

- The id of a document is derived from its subject, so that repeating a write changes nothing.
- A change sets single fields, or single entries of a map, and leaves the rest alone.
- A change may have conditions, which Qdrant checks in the same step. The leader of the shard orders all changes for
  all replicas, so of two writers that expect the same state only one wins.

The leader is one that is alive (`medium` ordering): a `strong` one is always the same node, and with that node dead
nothing can be written however many copies there are. The first write after its death fails and names another leader,
so that writes are tried again until the connection's timeout.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from qdrant_client import models

from warmer.errors import EngineError, StorageError
from warmer.index.remote.client import Remote
from warmer.index.remote.faults import ServerError
from warmer.index.remote.limits import Limits, in_chunks

SCHEMA = 1
_SCHEMA_KIND = "schema"
_INDEXED = {
    "kind": models.PayloadSchemaType.KEYWORD,
    "collection": models.PayloadSchemaType.KEYWORD,
    "model": models.PayloadSchemaType.KEYWORD,
    "query": models.PayloadSchemaType.KEYWORD,
    "kept": models.PayloadSchemaType.BOOL,
    "count": models.PayloadSchemaType.INTEGER,
    "created": models.PayloadSchemaType.FLOAT,
    "scored": models.PayloadSchemaType.FLOAT,
    "expires": models.PayloadSchemaType.FLOAT,
    "status": models.PayloadSchemaType.KEYWORD,
    "owner": models.PayloadSchemaType.KEYWORD,
    "beat": models.PayloadSchemaType.FLOAT,
}
_ORDERING = models.WriteOrdering.MEDIUM
_SHARE = 0.25  # of the connection's timeout, for one attempt to write: a node that hangs may be the leader
_PAGE = 500
_ORDERED_PAGE = 200
_LARGE_PAGE = 20  # documents with vectors, of about 100 kB each and 1 MB at most

Document = dict[str, Any]
Change = models.UpsertOperation | models.SetPayloadOperation


class ReadOnlyError(EngineError):
    """The API key may not write the collection."""

    lacks_right = True


class Store:
    """The documents of one collection. Every method raises EngineError if Qdrant fails.

    Attributes:
        replicas: How many copies it was made with.
        limits: What the server allows.
    """

    def __init__(self, remote: Remote, name: str, replicas: int = 1, limits: Limits = Limits()) -> None:  # noqa: B008
        self.replicas = replicas
        self.limits = limits
        self._remote = remote
        self._name = name

    async def get(self, ids: Sequence[str], fields: Sequence[str] = ()) -> dict[str, Document]:
        """Fetch documents by id, with all fields or only those named; missing ids are left out."""
        found: dict[str, Document] = {}
        size = min(_LARGE_PAGE, self.limits.reads or _LARGE_PAGE)
        for start in range(0, len(ids), size):
            records = await self._retrieve(ids[start : start + size], list(fields) or True)
            found |= {str(record.id): record.payload or {} for record in records}
        return found

    async def find(self, where: models.Filter, fields: Sequence[str]) -> dict[str, Document]:
        """Fetch some fields of all documents that match a filter."""
        found: dict[str, Document] = {}
        records, after = await self._scroll(where, list(fields), None)
        while True:
            found |= {str(record.id): record.payload or {} for record in records}
            if after is None:
                return found
            records, after = await self._scroll(where, list(fields), after)

    async def first(self, where: models.Filter, fields: Sequence[str], by: str) -> list[Document]:
        """Fetch some fields of the documents that match a filter and have least in an indexed field, in its order."""
        size = self.limits.page(_ORDERED_PAGE)
        records, _ = await self._remote.call(
            lambda client: client.scroll(self._name, where, limit=size, order_by=by, with_payload=list(fields)),
            what=f"reading {self._name!r}",
        )
        return [record.payload or {} for record in records]

    async def count(self, where: models.Filter) -> int:
        """Count the documents that match a filter."""
        counted = await self._remote.call(
            lambda client: client.count(self._name, where, exact=self.limits.exact), what=f"reading {self._name!r}"
        )
        return counted.count

    async def write(self, *changes: Change, retry: bool = True) -> None:
        """Apply changes in order. Each is atomic, but not all of them together."""
        for part in in_chunks(changes, self.limits.write(len(changes))):
            await self._write(part, retry=retry)

    async def _write(self, changes: Sequence[Change], *, retry: bool) -> None:
        await self._remote.call(
            lambda client: client.batch_update_points(self._name, list(changes), wait=True, ordering=_ORDERING),
            what=f"writing {self._name!r}",
            retry=retry,
            share=_SHARE,
        )

    async def delete(self, where: models.Filter) -> None:
        """Delete the documents that match a filter."""
        await self._remote.call(
            lambda client: client.delete(self._name, where, wait=True, ordering=_ORDERING),
            what=f"writing {self._name!r}",
        )

    async def _retrieve(self, ids: Sequence[str], fields: list[str] | bool) -> list[models.Record]:
        return await self._remote.call(
            lambda client: client.retrieve(self._name, ids, with_payload=fields), what=f"reading {self._name!r}"
        )

    async def _scroll(
        self, where: models.Filter, fields: list[str], after: models.ExtendedPointId | None
    ) -> tuple[list[models.Record], models.ExtendedPointId | None]:
        return await self._remote.call(
            lambda client: client.scroll(
                self._name, where, limit=self.limits.page(_PAGE), offset=after, with_payload=fields
            ),
            what=f"reading {self._name!r}",
        )


def document_id(kind: str, *about: str) -> str:
    """Derive the id of a document, a UUIDv5, from its kind and subject."""
    return str(uuid5(NAMESPACE_URL, "\0".join(("warmer", kind, *about))))


def put(id_: str, document: Document) -> Change:
    """Write a whole document, replacing any earlier one."""
    point = models.PointStruct(id=id_, vector={}, payload=document)
    return models.UpsertOperation(upsert=models.PointsList(points=[point]))


def change(
    id_: str,
    fields: Mapping[str, Any],
    *,
    at: str | None = None,
    must: Sequence[models.Condition] = (),
    must_not: Sequence[models.Condition] = (),
) -> Change:
    """Set fields of a document, or entries of its map `at`; a missing or unmatched document stays as it is."""
    where = models.Filter(must=[models.HasIdCondition(has_id=[id_]), *must], must_not=list(must_not))
    return models.SetPayloadOperation(set_payload=models.SetPayload(payload=dict(fields), filter=where, key=at))


def equals(field: str, value: str | int | bool) -> models.FieldCondition:
    """Match documents whose field has a value."""
    return models.FieldCondition(key=field, match=models.MatchValue(value=value))


def less_than(field: str, number: float) -> models.FieldCondition:
    """Match documents whose field is below a number."""
    return models.FieldCondition(key=field, range=models.Range(lt=number))


def greater_than(field: str, number: float) -> models.FieldCondition:
    """Match documents whose field is above a number."""
    return models.FieldCondition(key=field, range=models.Range(gt=number))


async def open_store(remote: Remote, name: str = "warmer-journal", replicas: int | None = None) -> Store:
    """Open the collection and create it on first use; several processes may do so at once.

    Args:
        remote: Connection to the server.
        name: Name of the collection.
        replicas: Replication factor of a new collection; None for the server's default.

    Raises:
        ReadOnlyError: The API key may not write the collection.
        StorageError: The collection is no journal of Warmer, or is from a newer version.
        EngineError: Qdrant cannot be reached, or fails.
    """
    try:
        await _create(remote, name, replicas)
        return await _prepare(remote, name)
    except ServerError as error:
        if not error.lacks_right:
            raise
        raise ReadOnlyError(
            f"the API key may not make or write collection {name!r}, where searches and scores are shared: "
            "give it write access to that collection, or keep them on this machine"
        ) from error


async def _create(remote: Remote, name: str, replicas: int | None) -> None:
    async def exists() -> bool:
        return await remote.call(lambda client: client.collection_exists(name), what=f"opening {name!r}")

    if await exists():
        return
    try:
        await remote.call(
            lambda client: client.create_collection(
                name,
                vectors_config={},
                shard_number=1,
                replication_factor=replicas,
                # One of two: were it both, the first write after a death would fail, and the server take the living
                # node for dead as well.
                write_consistency_factor=replicas and (replicas + 1) // 2,
                on_disk_payload=True,
            ),
            what=f"creating {name!r}",
            retry=False,
        )
    except ServerError as error:
        if error.status != HTTPStatus.CONFLICT and not await exists():  # if it exists now, another process was faster
            raise


async def _prepare(remote: Remote, name: str) -> Store:
    info = await remote.call(lambda client: client.get_collection(name), what=f"opening {name!r}")
    copies = info.config.params.replication_factor or 1
    store, id_ = Store(remote, name, copies, Limits.of(info.config)), document_id(_SCHEMA_KIND)
    # Count first: the schema document is the first one written, so a non-empty journal has it.
    written = await store.count(models.Filter())
    document = (await store.get([id_])).get(id_)
    if info.config.params.vectors or info.config.params.sparse_vectors or (written and not document):
        raise StorageError(f"collection {name!r} is not a journal of Warmer: name another one for searches and scores")
    if document and document["version"] > SCHEMA:
        raise StorageError(
            f"the journal {name!r} is of version {document['version']}, this program reads {SCHEMA}: upgrade warmer"
        )
    await store.write(put(id_, {"kind": _SCHEMA_KIND, "version": SCHEMA}))
    for field in _INDEXED.keys() - info.payload_schema.keys():
        await _index(remote, name, field)
    return store


async def _index(remote: Remote, name: str, field: str) -> None:
    await remote.call(
        lambda client: client.create_payload_index(name, field, _INDEXED[field], wait=True, ordering=_ORDERING),
        what=f"preparing {name!r}",
    )
