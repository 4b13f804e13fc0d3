"""The server as a real process, driven by the SDK's client over stdio."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing, suppress
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client, StdioServerParameters
from stdio_server import StdioServer
from support import Reference, ask

from warmer.embedding import Embedder
from warmer.index.edge.catalog import Catalog
from warmer.journal.sqlite.database import Database
from warmer.publishing.embedded.publish import index_passages
from warmer_tools.training import LEASE

pytestmark = pytest.mark.anyio
SERVE = [sys.executable, "-m", "warmer_server.cli", "serve"]
Serve = Callable[..., AbstractAsyncContextManager[Client]]


@pytest.fixture
def environment(data_dir: Path) -> dict[str, str]:
    return {**os.environ, "WARMER_DATA_DIR": str(data_dir)}


@pytest.fixture(params=["auto", "legacy"])
def serve(request: pytest.FixtureRequest, environment: dict[str, str]) -> Serve:
    @asynccontextmanager
    async def served(**more: str) -> AsyncIterator[Client]:
        parameters = StdioServerParameters(command=SERVE[0], args=SERVE[1:], env=environment | more)
        async with Client(parameters, mode=request.param) as client:
            yield client

    return served


async def test_a_killed_server_forgets_nothing(serve: Serve) -> None:
    async with serve() as client:
        handle = (await ask(client, "search", query="bread"))["search_id"]
        await ask(client, "give_feedback", search_id=handle, scores={"1": 9, "2": 1})
        pids = children()
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        assert pids
    async with serve() as client:
        reply = await ask(client, "give_feedback", search_id=handle, scores={"3": 5})
        assert [ranked["hit"] for ranked in reply["ranking"]] == [1, 3, 2]


def children() -> list[int]:
    """Return the process ids of the servers that this process started."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
            command = (stat.parent / "cmdline").read_bytes()
        except OSError:
            continue
        if parent == os.getpid() and b"serve" in command:
            found.append(int(stat.parent.name))
    return found


async def test_two_servers_answer_while_a_third_process_publishes(
    environment: dict[str, str], data_dir: Path, reference: Reference, embedder: Embedder
) -> None:
    """Every call succeeds, and both servers pick up the new generation without a restart."""
    notes = data_dir.parent / "notes"
    notes.mkdir()
    (notes / "space.md").write_text("# space\n\n" + "\n\n".join(p.text for p in reference.subjects["space"]))
    index = [sys.executable, "-m", "warmer_server.cli", "index", str(notes), "--collection", "notes", "--replace"]
    parameters = StdioServerParameters(command=SERVE[0], args=SERVE[1:], env=environment)
    generations = Catalog(data_dir).generations("notes")
    published = anyio.Event()
    seen: list[set[str]] = []

    async def search_on(client: Client) -> None:
        sources: set[str] = set()
        while not ("notes/space.md" in sources and published.is_set()):
            first = await ask(client, "search", query="the Moon and the tides", limit=5, detail="full")
            sources |= {hit["source"] for hit in first["hits"] if "bread" not in hit["source"]}
            await ask(client, "give_feedback", search_id=first["search_id"], scores={"1": 9})
        last = await ask(client, "search", query="bread", limit=50, detail="full")
        seen.append({hit["source"] for hit in last["hits"]})

    async def publish() -> None:
        await anyio.run_process(index, env=environment)
        index_passages(generations, reference.passages, embedder, roots={"other": Path("/other")}, replace=True)
        await anyio.run_process(index, env=environment)
        published.set()

    with anyio.fail_after(120):
        async with Client(parameters) as one, Client(parameters) as other, anyio.create_task_group() as tasks:
            tasks.start_soon(search_on, one)
            tasks.start_soon(search_on, other)
            tasks.start_soon(publish)
    assert seen == [{"notes/space.md"}] * 2
    assert (generations.current() or "").startswith("000004-")


async def test_two_servers_share_handles(environment: dict[str, str]) -> None:
    parameters = StdioServerParameters(command=SERVE[0], args=SERVE[1:], env=environment)
    async with Client(parameters) as one, Client(parameters) as other:
        handle = (await ask(one, "search", query="bread"))["search_id"]
        assert (await ask(other, "give_feedback", search_id=handle, scores={"1": 9}))["outcome"] == "steered"


def message(number: int, method: str, **params: Any) -> str:
    return json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}) + "\n"


def test_nothing_but_protocol_on_stdout(environment: dict[str, str]) -> None:
    """Even with all logs on, refused calls and a malformed line: everything else goes to stderr."""
    client = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
    lines = [
        message(1, "initialize", **client),
        json.dumps({"jsonrpc": "2.0", "method": "notifications/initialized"}) + "\n",
        "this is not JSON\n",
        message(2, "tools/call", name="search", arguments={"query": "bread"}),
        message(3, "tools/call", name="search", arguments={"query": "bread", "collection": "none"}),
        message(4, "tools/call", name="give_feedback", arguments={"search_id": "s_x", "scores": {"1": 1}}),
        message(5, "tools/call", name="nothing", arguments={}),
    ]
    with subprocess.Popen(
        SERVE,
        env={**environment, "WARMER_LOG_LEVEL": "DEBUG"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as server:
        assert server.stdin
        assert server.stdout
        answers = []
        for line in lines:
            server.stdin.write(line)
            server.stdin.flush()
            if '"id"' in line:
                while True:
                    answers.append(json.loads(server.stdout.readline()))
                    if answers[-1].get("id") == json.loads(line)["id"]:
                        break
        server.stdin.close()
        rest = server.stdout.read()
    assert all(json.loads(line)["jsonrpc"] == "2.0" for line in rest.splitlines())
    assert all(answer["jsonrpc"] == "2.0" for answer in answers)
    results = {answer["id"]: answer for answer in answers if "id" in answer}
    assert not results[2]["result"]["isError"]
    assert all(results[number]["result"]["isError"] for number in (3, 4, 5))


def test_a_folder_that_is_not_a_collection_is_ignored(data_dir: Path, environment: dict[str, str]) -> None:
    folder = data_dir / "collections" / "no\udcff"  # a byte that is not UTF-8
    folder.mkdir()
    (folder / "CURRENT").write_text("x")
    hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
    line = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello})
    done = subprocess.run(
        [sys.executable, "-m", "warmer_server.cli", "serve"],
        input=line + "\n",
        env={**environment, "WARMER_DATA_DIR": str(data_dir)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["result"]["serverInfo"]["name"] == "warmer"


def test_every_line_with_an_id_is_answered_and_the_server_goes_on(data_dir: Path, tmp_path: Path) -> None:
    lines = [
        b'{"jsonrpc":"2.0","id":"half","method":"tools/call","params":{"name":"search","arguments":{"query":"\\ud800"}}}',
        b'{"jsonrpc":"2.0","id":"nan","method":"tools/call","params":{"name":"search","arguments":{"limit":NaN}}}',
        b'{"jsonrpc":"2.0","id":"bytes","method":"ping","params":{"x":"\xff\xfe"}}',
        b'{"jsonrpc":"2.0","id":"shape","method":"ping","params":[]}',
        b'{"jsonrpc":"2.0","id":"prompt","method":"prompts/get","params":{"name":"nothing"}}',
    ]
    with StdioServer(tmp_path / "log", {"WARMER_DATA_DIR": str(data_dir)}) as server:
        server.initialize().call("search", query="bread")
        for line in lines:
            server.send(line)
            answer = server.receive()
            assert answer["id"] == json.loads(line.decode(errors="replace"))["id"]
            assert answer["error"]["code"] in {-32700, -32600, -32602}
        before = peak(server.process.pid)
        for _ in range(64):
            server.send_raw(b" " * 2**20)  # a line that never ends
        answer = server.receive()
        assert answer["id"] is None
        assert "a line of more than 1048576 bytes" in answer["error"]["message"]
        server.send(b"")
        assert server.call("search", query="bread")["hits"]
        assert peak(server.process.pid) < before + 20_000
    assert server.process.returncode == 0
    assert server.log.read_text() == ""


def peak(pid: int) -> int:
    """Return the peak memory of a process, in KiB."""
    return int(re.findall(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[0])


@pytest.mark.parametrize("end", [signal.SIGTERM, None])
def test_it_exits_cleanly_while_the_model_loads(data_dir: Path, tmp_path: Path, end: signal.Signals | None) -> None:
    with StdioServer(tmp_path / "log", {"WARMER_DATA_DIR": str(data_dir)}) as server:
        server.initialize().ask("tools/list")
        while b"onnxruntime" not in Path(f"/proc/{server.process.pid}/maps").read_bytes():
            assert server.process.poll() is None
        if end:
            server.process.send_signal(end)
    assert server.process.returncode == 0
    assert server.log.read_text() == ""


def test_it_exits_cleanly_when_stdout_is_closed(environment: dict[str, str]) -> None:
    pipe = subprocess.PIPE
    with subprocess.Popen(SERVE, env=environment, stdin=pipe, stdout=pipe, stderr=pipe, bufsize=0) as server:
        assert server.stdin
        assert server.stdout
        server.stdin.write(message(1, "server/discover").encode())
        assert server.stdout.readline()
        server.stdout.close()
        with suppress(BrokenPipeError):
            server.stdin.write(message(2, "ping").encode() + b"no JSON\n")
        assert server.stderr
        assert server.stderr.read() == b""
    assert server.returncode == 0


HEAVY = {
    *("anthropic", "docutils", "fastembed", "huggingface_hub", "markdown_it", "onnxruntime", "qdrant_client"),
    *("scipy", "semantic_text_splitter", "tokenizers", "torch"),
}


def test_the_handshake_needs_no_heavy_import(environment: dict[str, str], tmp_path: Path) -> None:
    client = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
    initialized = json.dumps({"jsonrpc": "2.0", "method": "notifications/initialized"}) + "\n"
    search = message(2, "tools/call", name="search", arguments={"query": "bread"})
    command = [SERVE[0], "-X", "importtime", *SERVE[1:]]
    log = tmp_path / "log"
    with (
        log.open("w") as stderr,
        subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, text=True
        ) as server,
    ):
        assert server.stdin
        assert server.stdout
        server.stdin.write(message(1, "initialize", **client))
        server.stdin.flush()
        assert "serverInfo" in server.stdout.readline()
        before = imported(log)
        server.stdin.write(initialized + search)
        server.stdin.flush()
        while '"id":2' not in (line := server.stdout.readline()):
            assert line
        server.stdin.close()
        server.stdout.read()
    assert "mcp" in before
    assert not HEAVY & before
    assert "onnxruntime" in imported(log)


def imported(log: Path) -> set[str]:
    """Return the packages that `-X importtime` logged."""
    return set(re.findall(r"^import time: .*\| +(\w+)", log.read_text(), re.MULTILINE))


def test_warmer_without_a_command_serves_if_stdin_is_no_terminal(environment: dict[str, str]) -> None:
    done = subprocess.run(
        SERVE[:-1], env=environment, input=message(1, "ping"), capture_output=True, text=True, check=True, timeout=60
    )
    assert done.returncode == 0
    assert "usage" not in done.stderr


SLOW_JUDGE = """
import sys
from pathlib import Path

class Slow:
    def score(self, query, passages):
        calls = Path(__file__).with_name("calls")
        with calls.open("a") as file:
            file.write(query + "\\n")
        if len(calls.read_text().splitlines()) == 6:
            Path(__file__).with_name("reached").touch()
            while Path(__file__).with_name("hold").exists():
                pass
        return [float(len(passage) % 11) for passage in passages]
"""


async def test_a_training_resumes_after_a_kill(environment: dict[str, str], tmp_path: Path) -> None:
    """Another process takes over and repeats only the scoring that was interrupted."""
    (tmp_path / "judge_of_a_test.py").write_text(SLOW_JUDGE)
    (tmp_path / "hold").touch()
    queries = [f"{a} {b}" for a in ("how", "why") for b in ("bread", "boats", "code", "garden", "stars", "data")]
    more = {"PYTHONPATH": f"{os.environ.get('PYTHONPATH', '')}:{tmp_path}", "WARMER_JUDGES": "judge_of_a_test:Slow"}
    parameters = StdioServerParameters(command=SERVE[0], args=SERVE[1:], env=environment | more)
    async with Client(parameters) as client:
        arguments = {"queries": queries, "judge": "judge_of_a_test:Slow", "limit": 8, "wait_seconds": 0}
        job = (await ask(client, "train_params", **arguments))["job_id"]
        while not (tmp_path / "reached").exists():
            assert (await ask(client, "train_params", job_id=job, wait_seconds=1))["status"] == "running"
        for pid in children():
            os.kill(pid, signal.SIGKILL)
    (tmp_path / "hold").unlink()
    with closing(Database(tmp_path / "data" / "journal.sqlite3")) as database, database.transaction() as connection:
        connection.execute("UPDATE jobs SET beat = beat - ?", (LEASE,))
    async with Client(parameters) as client:
        reply = await ask(client, "train_params", job_id=job, wait_seconds=0)
        while reply["status"] == "running":
            reply = await ask(client, "train_params", job_id=job, wait_seconds=5)
        assert reply["held_out"]["queries"] == len(queries)
        called = (tmp_path / "calls").read_text().splitlines()
        assert set(called) == set(queries)
        assert len(called) == len(queries) + 1
        resource = await client.read_resource("warmer://collections/notes/params")
        assert isinstance(json.loads(resource.contents[0].text)["trained"], list)  # type: ignore[union-attr]


def test_arguments_that_are_no_object_are_told_so(environment: dict[str, str], tmp_path: Path) -> None:
    with StdioServer(tmp_path / "log", environment).initialize() as server:
        for arguments, kind in (([], "a list"), ("{}", "a text"), (3, "a plain value")):
            result = server.ask("tools/call", name="search", arguments=arguments)["result"]
            assert result["isError"]
            assert "structuredContent" not in result
            assert result["content"][0]["text"].startswith(f"Error: the arguments are {kind}: send an object")
        nothing = server.ask("tools/call", name="search", arguments=None)["result"]
        assert nothing["content"][0]["text"].startswith("Error: the query is empty")


def test_serving_imports_nothing_that_the_handshake_can_do_without() -> None:
    script = """import sys, warmer_server.app, warmer_server.stdio
later = {"onnxruntime", "tokenizers", "qdrant_client", "PIL", "numpy.random", "difflib"}
assert not later & set(sys.modules), later & set(sys.modules)"""
    subprocess.run([sys.executable, "-c", script], check=True)
