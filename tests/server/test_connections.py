"""Connections that send nothing keep nobody out."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager, suppress
from pathlib import Path

import pytest
import uvicorn
from http_server import connected, environment_of, serving
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from support import ask

from warmer_server.http import connections
from warmer_server.http.connections import CallLimit, limited_protocol

pytestmark = pytest.mark.anyio
PER_ADDRESS = 8
REQUEST = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@asynccontextmanager
async def running(app: ASGIApp) -> AsyncIterator[int]:
    config = uvicorn.Config(app, port=0, lifespan="off", log_config=None, http=limited_protocol(PER_ADDRESS))
    server = uvicorn.Server(config)
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.force_exit = True
        await server.shutdown()


Connect = Callable[[int], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    writers = []

    async def opened(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writers.append(writer)
        return reader, writer

    yield opened
    for writer in writers:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def rest(reader: asyncio.StreamReader) -> bytes:
    return await asyncio.wait_for(reader.read(), 30)


@pytest.mark.parametrize("begun", [b"", b"GET", REQUEST[:-2]])
async def test_a_head_that_does_not_come_ends_a_connection(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, begun: bytes
) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.05)
    closed = asyncio.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await closed.wait()
        await PlainTextResponse("done")(scope, receive, send)

    async with running(slow) as port:
        whole, answers = await connect(port)
        answers.write(REQUEST)
        reader, writer = await connect(port)
        writer.write(begun)
        assert await rest(reader) == b""
        closed.set()
        assert (await whole.readuntil(b"done")).startswith(b"HTTP/1.1 200")
        answers.write(begun or b"G")  # the next request on a connection that was kept
        assert await rest(whole) == b""


async def test_of_too_many_the_one_that_waits_longest_is_closed(connect: Connect) -> None:
    async def plain(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("done")(scope, receive, send)

    async with running(plain) as port:
        idle = [await connect(port) for _ in range(PER_ADDRESS)]
        for reader, _ in idle[:3]:
            _, writer = await connect(port)
            assert await rest(reader) == b""
            writer.write(REQUEST)


async def test_where_all_are_in_use_a_further_one_is_refused(connect: Connect) -> None:
    release = asyncio.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        begun.release()
        await release.wait()
        await PlainTextResponse("done")(scope, receive, send)

    begun = asyncio.Semaphore(0)
    async with running(slow) as port:
        used = [await connect(port) for _ in range(PER_ADDRESS)]
        for _, writer in used:
            writer.write(REQUEST)
            await begun.acquire()
        reader, _ = await connect(port)
        refusal = await rest(reader)
        assert refusal.startswith(b"HTTP/1.1 503")
        assert b"WARMER_CONNECTIONS_PER_ADDRESS" in refusal
        release.set()
        for reader, _ in used:
            assert (await reader.readuntil(b"done")).startswith(b"HTTP/1.1 200")


async def test_of_too_many_calls_some_are_refused_and_probes_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "_MAX_CALLS", 1)
    inside, release = asyncio.Event(), asyncio.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/mcp":
            inside.set()
            await release.wait()
        await PlainTextResponse("done")(scope, receive, send)

    limited = CallLimit(slow)

    async def call(path: str) -> int:
        status = []

        async def send(message: dict) -> None:  # type: ignore[type-arg]
            status.extend([message["status"]] if "status" in message else [])

        await limited({"type": "http", "path": path, "method": "POST", "headers": []}, None, send)  # type: ignore[arg-type]
        return int(status[0])

    first = asyncio.create_task(call("/mcp"))
    await inside.wait()
    assert await call("/mcp") == 503
    assert await call("/health") == 200
    release.set()
    assert await first == 200
    assert await call("/mcp") == 200


async def test_a_crowd_that_says_nothing_does_not_stop_a_server(made_once: Path) -> None:
    environment = environment_of(made_once, WARMER_CONNECTIONS_PER_ADDRESS=str(PER_ADDRESS))
    with serving(environment) as server, ExitStack() as open_sockets:
        host, port = server.base.removeprefix("http://").split(":")
        for _ in range(10 * PER_ADDRESS):
            open_sockets.enter_context(socket.create_connection((host, int(port)), timeout=30))
        assert server.get("/health").status_code == 200
        async with connected(server.url) as client:
            assert (await ask(client, "search", query="bread"))["hits"]
