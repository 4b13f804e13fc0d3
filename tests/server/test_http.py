"""`warmer serve --http`, driven by the SDK's client and by plain requests."""

import multiprocessing
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Literal

import anyio
import anyio.lowlevel
import anyio.to_thread
import httpx2
import pytest
from http_server import HttpServer, connected, environment_of, serving
from mcp import Client, MCPError
from qdrant_client import models
from qdrant_server import QdrantServer
from starlette.types import Message, Receive, Scope, Send
from support import Reference, ask, refusal

from warmer.embedding import Embedder
from warmer_server.app import build_server
from warmer_server.cli import main
from warmer_server.http.limits import BodyTimeout, CallTimeout, ConnectionRotation
from warmer_server.http.workers import _Worker
from warmer_server.settings import read_settings

pytestmark = pytest.mark.anyio
HELLO = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
HEADERS = {"accept": "application/json, text/event-stream", "content-type": "application/json"}


@pytest.fixture(scope="module")
def server(made_once: Path) -> Iterator[HttpServer]:
    with serving(environment_of(made_once), "--workers", "2") as server:
        yield server
        workers = children(server.process.pid)
        assert server.stop() == 0
        assert workers
        assert not any(Path(f"/proc/{pid}").exists() for pid in workers)


def initialize(server: HttpServer, **headers: str) -> httpx2.Response:
    body = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": HELLO}
    return httpx2.post(server.url, json=body, headers=HEADERS | headers, timeout=30)


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_handles_outlive_connections(server: HttpServer, mode: Literal["auto", "legacy"]) -> None:
    async with connected(server.url, mode=mode) as client:
        assert len((await client.list_tools()).tools) == 3
        found = await ask(client, "search", query="bread")
    for score in (9, 0):  # each on a new connection, which any worker may accept
        async with connected(server.url, mode=mode) as client:
            reply = await ask(client, "give_feedback", search_id=found["search_id"], scores={"1": score})
            assert reply["ranking"][0]["score"] == score


def test_probes(server: HttpServer) -> None:
    assert server.get("/health").json() == {"alive": True}
    server.wait_ready()
    assert server.get("/ready").json() == {"ready": True, "missing": ""}


def test_a_foreign_host_or_origin_is_refused(server: HttpServer) -> None:
    assert initialize(server).status_code == 200
    for refused, status, said in (
        (initialize(server, host="evil.example.com"), 421, "Invalid Host header: WARMER_ALLOWED_HOSTS names the hosts"),
        (initialize(server, origin="https://evil.example.com"), 403, "Invalid Origin header: WARMER_ALLOWED_ORIGINS"),
    ):
        assert (refused.status_code, refused.text[: len(said)]) == (status, said)
        assert int(refused.headers["content-length"]) == len(refused.content)
    assert initialize(server, origin="http://localhost:3000").status_code == 200
    deadline = monotonic() + 60
    for said in (
        "WARMER_ALLOWED_HOSTS does not have it: Invalid Host header: evil.example.com",
        "WARMER_ALLOWED_ORIGINS does not have it: Invalid Origin header: https://evil.example.com",
    ):
        while said not in "".join(server.stderr_lines):
            assert monotonic() < deadline, said


def test_only_posts_are_answered(server: HttpServer) -> None:
    assert httpx2.get(server.url, headers={"accept": "text/event-stream"}, timeout=30).status_code == 405


def test_a_body_that_is_too_large_is_refused(server: HttpServer) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(20):
            yield b" " * 2**16

    assert httpx2.post(server.url, content=b" " * 2_000_000, headers=HEADERS, timeout=30).status_code == 413
    assert httpx2.post(server.url, content=chunks(), headers=HEADERS, timeout=30).status_code == 413
    assert initialize(server).status_code == 200


async def test_a_body_that_does_not_arrive_times_out() -> None:
    sent: list[Message] = []

    async def app(_: Scope, receive: Receive, __: Send) -> None:
        while (await receive())["more_body"]:
            pass

    async def send(message: Message) -> None:
        sent.append(message)

    begun = iter([{"type": "http.request", "body": b"{", "more_body": True}])

    async def receive() -> Message:
        for message in begun:
            return message
        await anyio.sleep_forever()
        raise AssertionError

    await BodyTimeout(app, 0.01)({"type": "http"}, receive, send)
    assert sent[0]["status"] == 408


async def test_a_slow_call_times_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with QdrantServer() as qdrant:
        qdrant.fail(stall=Event(), times=1000)
        monkeypatch.setenv("QDRANT_URL", qdrant.url)
        monkeypatch.setenv("WARMER_DATA_DIR", str(tmp_path))
        async with Client(build_server(read_settings(), middleware=[CallTimeout(0.01)])) as client:
            said = await refusal(client, "search", query="bread")
            assert said == "Error: search took longer than 0.01 seconds and was stopped: call again, or ask for less"


SLOW_JUDGE = """
from pathlib import Path

class Slow:
    def score(self, query, passages):
        Path(__file__).with_name("reached").touch()
        while Path(__file__).with_name("hold").exists():
            pass
        return [float(len(passage) % 11) for passage in passages]
"""


@pytest.mark.parametrize("ends", [True, False])
async def test_sigterm_gives_calls_time_to_end(data_dir: Path, tmp_path: Path, ends: bool) -> None:
    (tmp_path / "judge_of_a_test.py").write_text(SLOW_JUDGE)
    hold, reached = tmp_path / "hold", tmp_path / "reached"
    hold.touch()
    more = {"PYTHONPATH": f"{os.environ.get('PYTHONPATH', '')}:{tmp_path}", "WARMER_JUDGES": "judge_of_a_test:Slow"}
    replies = []

    async def judged(server: HttpServer) -> None:
        with suppress(ExceptionGroup, MCPError, httpx2.HTTPError):
            async with connected(server.url) as client:
                handle = (await ask(client, "search", query="bread"))["search_id"]
                replies.append(await ask(client, "give_feedback", search_id=handle, judge="judge_of_a_test:Slow"))

    with serving(environment_of(data_dir, WARMER_STOP_SECONDS="60" if ends else "0", **more)) as server:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(judged, server)
            with anyio.fail_after(60):
                while not reached.exists():
                    await anyio.lowlevel.checkpoint()
            server.process.terminate()
            if ends:
                hold.unlink()
            status = await anyio.to_thread.run_sync(server.process.wait, 30)
    hold.unlink(missing_ok=True)
    assert len(replies) == ends
    assert status == 0 or not ends  # 1 if the thread had to be cut off


async def test_a_judge_that_does_not_come_back_holds_nobody(data_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "judge_of_a_test.py").write_text(SLOW_JUDGE)
    hold = tmp_path / "hold"
    hold.touch()
    more = {"PYTHONPATH": f"{os.environ.get('PYTHONPATH', '')}:{tmp_path}", "WARMER_JUDGES": "judge_of_a_test:Slow"}
    with serving(environment_of(data_dir, WARMER_CALL_SECONDS="1", **more)) as server:
        server.wait_ready()
        async with connected(server.url) as client:
            handle = (await ask(client, "search", query="bread"))["search_id"]
            said = await refusal(client, "give_feedback", search_id=handle, judge="judge_of_a_test:Slow")
            assert "give_feedback took longer than 1 seconds and was stopped: call again, or ask for less" in said
            assert (await ask(client, "give_feedback", search_id=handle, scores={"1": 9}))["hits"]
        hold.unlink()


def children(pid: int) -> list[int]:
    """Return the process ids of a server's workers."""
    found = []
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        with suppress(OSError):  # the process has ended
            if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes():
                found.append(int(child))
    return found


def test_a_worker_that_dies_is_replaced(server: HttpServer) -> None:
    before = children(server.process.pid)
    assert len(before) == 2
    os.kill(before[0], signal.SIGKILL)
    deadline = monotonic() + 60
    while len(after := children(server.process.pid)) < 2 or before[0] in after:
        assert monotonic() < deadline
    assert server.get("/health").status_code == 200


def test_a_worker_whose_pipe_closed_has_ended() -> None:
    spawn = multiprocessing.get_context("spawn")
    worker = object.__new__(_Worker)
    worker.receiver, sender = spawn.Pipe(duplex=False)
    worker.process = spawn.Process(target=signal.pause)
    worker.process.start()
    sender.close()
    try:
        assert worker.failure([worker.receiver], 30) == "ended"
    finally:
        worker.kill()


def test_a_worker_that_no_longer_answers_is_replaced(made_once: Path) -> None:
    with serving(environment_of(made_once, WARMER_STALL_SECONDS="3")) as server:
        (before,) = children(server.process.pid)
        os.kill(before, signal.SIGSTOP)
        deadline = monotonic() + 60
        while children(server.process.pid) in ([before], []):
            assert monotonic() < deadline
        assert server.get("/health").status_code == 200
        assert "a worker has answered nothing for 3 seconds and is replaced" in "".join(server.stderr_lines)


async def test_some_connections_are_closed() -> None:
    """Otherwise an agent would stay with its first worker, however busy that is."""
    sent: list[Message] = []

    async def app(_: Scope, __: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"connection", b"keep-alive")]})

    async def receive() -> Message:
        raise AssertionError

    async def send(message: Message) -> None:
        sent.append(message)

    for _ in range(500):
        await ConnectionRotation(app)({"type": "http"}, receive, send)
    headers = [tuple(message["headers"]) for message in sent]
    assert set(headers) == {((b"connection", b"keep-alive"),), ((b"connection", b"close"),)}
    assert headers.count(((b"connection", b"close"),)) < 100


def test_unusable_settings_end_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WARMER_DATA_DIR", str(tmp_path))
    with pytest.raises(SystemExit, match="pass --open-to-everyone"):
        main(["serve", "--http", "--host", "0.0.0.0"])
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for more in ([], ["--host", "0.0.0.0", "--open-to-everyone"]):
            assert "WARMER_ALLOWED_HOSTS" not in capsys.readouterr().err
            with pytest.raises(SystemExit, match="choose another --host or"):
                main(["serve", "--http", "--port", port, *more])
        assert "WARMER_ALLOWED_HOSTS is not set: clients that call this server by" in capsys.readouterr().err
    monkeypatch.setenv("WARMER_TOKENS_FILE", str(tmp_path / "none"))
    with pytest.raises(SystemExit, match="cannot read WARMER_TOKENS_FILE"):
        main(["serve", "--http"])
    (tmp_path / "file").touch()
    monkeypatch.setenv("WARMER_DATA_DIR", str(tmp_path / "file"))
    with pytest.raises(SystemExit, match=r"the journal .* cannot be used"):
        main(["serve", "--http"])


def test_a_worker_that_cannot_start_ends_the_start(tmp_path: Path) -> None:
    broken = {"QDRANT_URL": "http://127.0.0.1:9", "WARMER_TEXTS": "nowhere:Texts"}
    command = [sys.executable, "-m", "warmer_server.cli", "serve", "--http", "--port", "0", "--workers", "2"]
    environment = environment_of(tmp_path, **broken)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert "warmer: a worker cannot start: cannot load WARMER_TEXTS" in done.stderr
    assert "Traceback" not in done.stderr


async def test_one_replica_takes_scores_for_the_search_of_another(
    tmp_path: Path, reference: Reference, embedder: Embedder
) -> None:
    texts = [passage.text for passage in reference.passages]
    with QdrantServer() as qdrant:
        size = models.VectorParams(size=embedder.dim, distance=models.Distance.COSINE)
        qdrant.store.create_collection("docs", vectors_config=size)
        embedded = dict(embedder.embed_passages(texts))
        points = [
            models.PointStruct(id=n, vector=embedded[n].tolist(), payload={"text": text})
            for n, text in enumerate(texts)
        ]
        qdrant.store.upsert("docs", points)
        replicas = [
            environment_of(tmp_path / name, QDRANT_URL=qdrant.url, WARMER_JOURNAL="qdrant") for name in ("one", "other")
        ]
        with serving(replicas[0]) as one, serving(replicas[1]) as other:
            async with connected(one.url) as client:
                found = await ask(client, "search", query="bread")
            async with connected(other.url) as client:
                scores = {"1": 9, "2": 0}
                reply = await ask(client, "give_feedback", search_id=found["search_id"], scores=scores)
            assert reply["outcome"] == "steered"
            other.wait_ready()
            qdrant.fail(503, times=1000)
            assert other.get("/health").status_code == 200
            deadline = monotonic() + 60
            while (said := other.get("/ready")).status_code == 200:
                assert monotonic() < deadline
            assert (said.status_code, said.json()["ready"]) == (503, False)
