"""`warmer serve --http`, driven by the SDK's client and by plain requests."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import httpx2
import pytest
from http_server import HttpServer, connected, environment_of, serving
from support import ask

pytestmark = pytest.mark.anyio
HELLO = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
HEADERS = {"accept": "application/json, text/event-stream", "content-type": "application/json"}


@pytest.fixture(scope="module")
def server(made_once: Path) -> Iterator[HttpServer]:
    with serving(environment_of(made_once), "--workers", "2") as server:
        yield server


def initialize(server: HttpServer, **headers: str) -> httpx2.Response:
    body = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": HELLO}
    return httpx2.post(server.url, json=body, headers=HEADERS | headers, timeout=30)


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_handles_outlive_connections(server: HttpServer, mode: Literal["auto", "legacy"]) -> None:
    async with connected(server.url, mode=mode) as client:
        assert len((await client.list_tools()).tools) == 3
        found = await ask(client, "search", query="bread")
    for score in (9, 0):  # a new connection each, to whichever worker takes it
        async with connected(server.url, mode=mode) as client:
            reply = await ask(client, "give_feedback", search_id=found["search_id"], scores={"1": score})
            assert reply["ranking"][0]["score"] == score


def test_probes(server: HttpServer) -> None:
    assert server.get("/health").json() == {"alive": True}
    server.wait_ready()
    assert server.get("/ready").json() == {"ready": True, "missing": ""}


def test_a_foreign_host_or_origin_is_refused(server: HttpServer) -> None:
    assert initialize(server).status_code == 200
    assert initialize(server, host="evil.example.com").status_code == 421
    assert initialize(server, origin="https://evil.example.com").status_code == 403
    assert initialize(server, origin="http://localhost:3000").status_code == 200


def test_a_body_that_is_too_large_is_refused(server: HttpServer) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(20):
            yield b" " * 2**16

    assert httpx2.post(server.url, content=b" " * 2_000_000, headers=HEADERS, timeout=30).status_code == 413
    assert httpx2.post(server.url, content=chunks(), headers=HEADERS, timeout=30).status_code == 413
    assert initialize(server).status_code == 200
