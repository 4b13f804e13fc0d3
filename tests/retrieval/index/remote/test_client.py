"""What goes wrong between here and a server, on the wire."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Iterator
from dataclasses import replace
from threading import Event
from typing import Any

import pytest
from qdrant_client import AsyncQdrantClient, models
from qdrant_server import QdrantServer

from warmer.errors import EngineError
from warmer.index.remote.address import read_address
from warmer.index.remote.client import Connection, Remote, connect
from warmer.index.remote.faults import ServerError

pytestmark = pytest.mark.anyio

KEY = "sekret-key"


@pytest.fixture
def server() -> Iterator[QdrantServer]:
    with QdrantServer(api_key=KEY) as served:
        yield served


@pytest.fixture
async def remote(server: QdrantServer, anyio_backend: str) -> AsyncIterator[Remote]:  # noqa: ARG001
    connected = connect(Connection(server.url, KEY, pause=0.001))
    assert await connected.version() == (1, 19)
    yield connected
    await connected.close()


def listing(client: AsyncQdrantClient) -> Awaitable[models.CollectionsResponse]:
    return client.get_collections()


def asked(method: str, path: str) -> bool:
    return (method, path) == ("GET", "/collections")


async def refusal(remote: Remote, *, retry: bool = True) -> str:
    with pytest.raises(ServerError) as refused:
        await remote.call(listing, what="listing", retry=retry)
    assert KEY not in str(refused.value)
    assert str(refused.value).startswith("listing: ")
    return str(refused.value)


async def unreachable(connection: Connection) -> str:
    remote = connect(replace(connection, pause=0.001))
    try:
        return await refusal(remote)
    finally:
        await remote.close()


def said(message: str) -> str:
    return json.dumps({"status": {"error": message}, "time": 0.0})


PERSISTENT: list[tuple[dict[str, Any], list[str]]] = [
    ({"status": 500}, ["failed (fault 500)", "later"]),
    ({"status": 500, "body": said("Timeout error: Operation timed out after 60s")}, ["took too long"]),
    (
        {"status": 500, "body": said("1 of 3 shards failed, peer http://10.0.3.7:6335: Connection refused")},
        ["a node that holds a part of the collection", "peer another node", "replication_factor"],
    ),
    ({"status": 502, "body": "<html>Bad Gateway</html>"}, ["not available (502", "HTML, from a proxy"]),
    ({"status": 503}, ["not available (503", "later"]),
    ({"status": 522, "body": "timed out"}, ["answered 522: timed out"]),
    ({"status": 429}, ["how often", "try again later"]),
    ({"status": 429, "retry_after": 60}, ["how often", "try again in 60 s"]),
    ({"status": 403, "body": f"Forbidden: {KEY} may not"}, ["*** may not", "QDRANT_API_KEY"]),
    ({"status": 403, "body": "ExpiredSignature"}, ["refuses the API key (ExpiredSignature)", "has expired"]),
    ({"status": 403, "body": said("Forbidden: Access to collection x is required")}, ["give the key that right"]),
    ({"status": 403, "body": said("Forbidden: Global manage access is required")}, ["give the key that right"]),
    (
        {"status": 429, "body": said("Rate limiting exceeded: Read rate limit exceeded, request larger than capacity")},
        ["does not allow so much at once", "read_rate_limit"],
    ),
    ({"status": 429, "body": said("Write rate limit exceeded: too much")}, ["write_rate_limit"]),
    (
        {"status": 400, "body": said("Bad request: Filter condition limit reached (2 > 1). Help: Reduce the amount")},
        ["does not allow so much at once", "or raise filter_max_conditions in"],
    ),
    (
        {"status": 400, "body": said('Limit exceeded 500 > 10 for "limit". Help')},
        ["raise max_query_limit"],
    ),
    ({"body": "<html>Sign in</html>"}, ["did not answer as Qdrant", "QDRANT_URL"]),
    ({"body": '{"result": [1], "status": "ok"}'}, ["did not answer as Qdrant"]),
    ({"body": '{"result": null, "status": "ok"}'}, ["did not answer as Qdrant"]),
    ({"cut": True}, ["ended the connection in the middle", "again later"]),
]


@pytest.mark.parametrize(("fault", "parts"), PERSISTENT)
async def test_what_persists_is_named(
    server: QdrantServer, remote: Remote, fault: dict[str, Any], parts: list[str]
) -> None:
    server.fail(**fault, times=9, when=asked)
    message = await refusal(remote)
    assert not [part for part in parts if part not in message], message


@pytest.mark.parametrize("fault", [{"status": 503}, {"status": 429, "retry_after": 0}, {"cut": True}, {"status": 500}])
async def test_what_passes_is_tried_again_where_that_is_safe(
    server: QdrantServer, remote: Remote, fault: dict[str, Any]
) -> None:
    server.fail(**fault, times=2, when=asked)
    assert (await remote.call(listing, what="listing")).collections == []
    server.fail(**fault, when=asked)
    before = len(server.requests)
    await refusal(remote, retry=False)
    assert [path for _, path, _ in server.requests[before:]].count("/collections") == 1


TOO_MUCH = {"status": 429, "body": said("Read rate limit exceeded, request larger than rate limiter capacity")}


@pytest.mark.parametrize("fault", [{"status": 400}, {"status": 403, "body": "ExpiredSignature"}, TOO_MUCH])
async def test_a_refusal_is_not_asked_twice(server: QdrantServer, remote: Remote, fault: dict[str, Any]) -> None:
    server.fail(**fault, when=asked)
    await refusal(remote)
    assert [path for _, path, _ in server.requests].count("/collections") == 1


async def test_what_a_server_asks_to_wait_is_waited_once(server: QdrantServer, remote: Remote) -> None:
    server.fail(status=429, retry_after=1, times=3, when=asked)
    assert "try again in 1 s" in await refusal(remote)
    assert [path for _, path, _ in server.requests].count("/collections") == 2


@pytest.mark.parametrize("retry", [True, False])
async def test_a_restart_of_the_server_is_a_wait(retry: bool) -> None:
    with QdrantServer() as first:
        remote = connect(Connection(first.url))
        await remote.version()
    asking = asyncio.ensure_future(remote.call(listing, what="listing", retry=retry))
    await asyncio.sleep(0)
    with QdrantServer(port=int(first.url.rpartition(":")[2])):
        assert (await asking).collections == []
        await remote.close()


async def test_waiting_ends(server: QdrantServer) -> None:
    remote = connect(Connection(server.url, KEY, timeout=0.2))
    await remote.version()
    server.fail(stall=Event(), when=asked)
    assert "did not answer within 0.2 s" in await refusal(remote)
    await remote.close()


@pytest.mark.parametrize(("key", "said"), [("", "Must provide an API key"), (f"{KEY}x", "Invalid API key")])
async def test_a_key_that_does_not_fit(server: QdrantServer, key: str, said: str) -> None:
    message = await unreachable(Connection(server.url, key))
    assert said in message
    assert "check QDRANT_API_KEY" in message


async def test_places_where_nothing_is() -> None:
    assert "nothing answers at http://127.0.0.1:9" in await unreachable(Connection("http://127.0.0.1:9"))
    unknown = await unreachable(Connection("https://no-such-host.invalid"))
    assert "host in https://no-such-host.invalid:6333 (or port 443) is not known" in unknown


@pytest.mark.parametrize(
    ("text", "url", "other"),
    [
        ("http://host", "http://host:6333", ""),
        ("http://host/dashboard", "http://host:6333", ""),
        ("http://host/qdrant/", "http://host:80/qdrant", ""),
        ("https://host/qdrant", "https://host:443/qdrant", ""),
        ("https://host:8443/qdrant", "https://host:8443/qdrant", ""),
        ("https://host:6333", "https://host:6333", ""),
        ("https://host:443", "https://host:443", ""),
        ("https://host", "https://host:6333", "https://host:443"),
        ("https://[::1]", "https://[::1]:6333", "https://[::1]:443"),
    ],
)
def test_ports_that_are_not_given(text: str, url: str, other: str) -> None:
    address = read_address(text)
    assert (address.url, address.other) == (url, other)


async def test_tls_where_there_is_none(server: QdrantServer) -> None:
    message = await unreachable(Connection(server.url.replace("http:", "https:"), KEY))
    assert "no TLS connection" in message
    assert "plain http://" in message


async def test_rest_where_grpc_does_not_answer(server: QdrantServer) -> None:
    remote = connect(Connection(server.url, KEY, grpc_port=9))
    assert (await remote.call(listing, what="listing")).collections == []
    await remote.close()


@pytest.mark.parametrize("fault", [{"body": "<html>"}, {"body": '{"title": "x", "version": "soon"}'}])
async def test_something_else_than_qdrant(server: QdrantServer, fault: dict[str, Any]) -> None:
    server.fail(**fault, times=9, when=lambda _, path: path == "/")
    assert "Qdrant server?" in await unreachable(Connection(server.url, KEY))


@pytest.mark.parametrize(
    ("url", "key", "said"),
    [
        ("localhost:6333", "", "write it as http://localhost:6333"),
        ("", "", "write it as"),
        ("http://host:99999", "", "an invalid host or port"),
        ("http://host:s3cret", "", "an invalid host or port"),
        ("http://[::1", "", "an invalid host or port"),
        ("ftp://host:21", "", "no http:// address"),
        ("http://a%b", "", "a character that no address can have"),
        ("http://a..b", "", "an invalid host or port"),
        (f"http://{64 * 'ä'}", "", "an invalid host or port"),
        ("http://:6333", "", "a character that no address can have"),
        ("http://loc alhost:6333", "", "a character that no address can have"),
        ("http://host/a\x00b", "", "a character that no address can have"),
        ("http://me:hush@127.0.0.1:9", "", "put the key in QDRANT_API_KEY"),
        ("http://me:s3cret#hush@host", "", "put the key in QDRANT_API_KEY"),
        ("me:hush@host", "", "put the key in QDRANT_API_KEY"),
        ("http://host", "b\u2026d", "a character that no key can have"),
        ("http://host", "b\x00d", "a character that no key can have"),
    ],
)
async def test_settings_that_cannot_be_used(url: str, key: str, said: str) -> None:
    with pytest.raises(EngineError, match=said.replace("\\", "")) as refused:
        connect(Connection(url, key))
    assert not key or key not in str(refused.value)
    assert not [secret for secret in ("hush", "s3cret") if secret in str(refused.value)]


async def test_a_key_is_not_shown() -> None:
    assert "hush" not in repr(Connection("http://host", "hush"))
