"""The document store of the journal in Qdrant."""

from threading import Event

import anyio
import pytest
from qdrant_client import AsyncQdrantClient, models
from qdrant_server import QdrantServer
from shared_stores import InterleavingRemote, qdrant

from warmer.errors import EngineError, StorageError
from warmer.index.remote.client import Connection, connect
from warmer.journal.qdrant.store import SCHEMA, ReadOnlyError, Store, change, document_id, open_store, put

pytestmark = pytest.mark.anyio


async def test_concurrent_processes_create_the_collection_once() -> None:
    client = AsyncQdrantClient(":memory:")
    async with anyio.create_task_group() as tasks:
        for _ in range(6):
            tasks.start_soon(open_store, InterleavingRemote.local(client))
    assert [c.name for c in (await client.get_collections()).collections] == ["warmer-journal"]
    assert (await client.count("warmer-journal")).count == 1


async def test_foreign_collections_are_not_written() -> None:
    client = AsyncQdrantClient(":memory:")
    await client.create_collection("vectors", {"dense": models.VectorParams(size=2, distance=models.Distance.DOT)})
    await client.create_collection("payloads", {})
    await client.upsert("payloads", [models.PointStruct(id=1, vector={}, payload={"kind": "search"})])
    for name in ("vectors", "payloads"):
        before = await client.count(name)
        with pytest.raises(StorageError, match=f"'{name}' is not a journal of Warmer: name another one"):
            await open_store(InterleavingRemote.local(client), name)
        assert await client.count(name) == before


async def test_a_newer_journal_is_not_opened() -> None:
    client = AsyncQdrantClient(":memory:")
    async with qdrant(client)():
        pass
    await Store(InterleavingRemote.local(client), "warmer-journal").write(
        put(document_id("schema"), {"version": SCHEMA + 1})
    )
    with pytest.raises(StorageError, match="upgrade warmer"):
        await open_store(InterleavingRemote.local(client))


async def test_a_change_is_made_only_where_its_conditions_hold() -> None:
    store = await open_store(InterleavingRemote.local(AsyncQdrantClient(":memory:")))
    id_, other = document_id("a", "b"), document_id("a", "c")
    status = models.FieldCondition(key="status", match=models.MatchValue(value="open"))
    await store.write(put(id_, {"status": "open", "count": 1, "map": {"x.y": 1}}))
    await store.write(change(id_, {"count": 2, "status": "shut"}, must=[status]))
    await store.write(change(id_, {"count": 3}, must=[status]), change(id_, {"z z": 2}, at="map"))
    await store.write(change(other, {"count": 4}))
    assert await store.get([id_, other]) == {id_: {"status": "shut", "count": 2, "map": {"x.y": 1, "z z": 2}}}


async def test_a_write_waits_for_another_leader() -> None:
    def writes(_: str, path: str) -> bool:
        return path.endswith("/points/batch")

    lost = '{"status": {"error": "Failed to apply update with Medium ordering via leader peer 7: transport error"}}'
    with QdrantServer() as server:
        remote = connect(Connection(server.url, pause=0.001))
        store, id_ = await open_store(remote), document_id("a", "b")
        server.fail(status=500, body=lost, times=20, when=writes)
        await store.write(put(id_, {"scores": {"1 agent": 7}}))
        assert await store.get([id_]) == {id_: {"scores": {"1 agent": 7}}}
        server.fail(status=500, body=lost, times=1, when=writes)
        with pytest.raises(EngineError, match="a node that holds a part"):
            await store.write(put(id_, {}), retry=False)
        await remote.close()


async def test_a_write_to_a_leader_that_hangs_is_tried_again() -> None:
    with QdrantServer() as server:
        remote = connect(Connection(server.url, timeout=2, pause=0.001))
        store, id_ = await open_store(remote), document_id("a", "b")
        server.fail(stall=Event(), when=lambda _, path: path.endswith("/points/batch"))
        await store.write(put(id_, {"a": 1}))
        assert await store.get([id_]) == {id_: {"a": 1}}
        await remote.close()


async def test_a_read_only_key_has_an_error_of_its_own() -> None:
    with QdrantServer(api_key="writes", read_only_key="reads") as server:
        for _ in range(2):  # first without the collection, then with it
            remote = connect(Connection(server.url, "reads"))
            with pytest.raises(ReadOnlyError, match=r"'warmer-journal'.*give it write access"):
                await open_store(remote)
            await remote.close()
            remote = connect(Connection(server.url, "writes"))
            await open_store(remote)
            await remote.close()
        assert {path.split("/")[2] for method, path, _ in server.requests if method == "PUT"} == {"warmer-journal"}


async def test_a_wrong_key_is_no_read_only_key() -> None:
    with QdrantServer(api_key="writes") as server:
        remote = connect(Connection(server.url, "wrong"))
        with pytest.raises(EngineError, match="QDRANT_API_KEY") as caught:
            await open_store(remote)
        assert not isinstance(caught.value, ReadOnlyError)
        await remote.close()
