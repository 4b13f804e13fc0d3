"""Two replicas behind a real nginx with docs/compose/nginx.conf, whose addresses and certificates are replaced."""

import os
import re
import shutil
import socket
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any, Literal

import httpx2
import pytest
from http_server import HttpServer, environment_of, serving
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from support import ask

from warmer_server.tokens import SCOPES, make_token

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(not (shutil.which("nginx") and shutil.which("openssl")), reason="nginx is not installed"),
]
CONF = Path(__file__).parents[2] / "docs" / "compose" / "nginx.conf"
NAME = "mcp.example.com"
JUDGE = """
from pathlib import Path

class Slow:
    def score(self, query, passages):
        while Path(__file__).with_name("hold").exists():
            pass
        return [float(len(passage) % 11) for passage in passages]
"""
MAIN = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log; {user}
events {{}}
http {{
    access_log off; include {folder}/default.conf;
    client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
    uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
}}
"""


@dataclass
class Proxied:
    """nginx in front of two replicas; `folder` holds the judge."""

    url: str
    replicas: list[HttpServer]
    token: str
    folder: Path

    def http(self, **headers: str) -> dict[str, Any]:
        known = {"host": NAME, "authorization": f"Bearer {self.token}"}
        return {"headers": known | headers, "verify": False, "timeout": 60}

    def post(self, method: str, params: dict[str, Any], **headers: str) -> httpx2.Response:
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        accept = "application/json, text/event-stream"
        return httpx2.post(f"{self.url}/mcp", json=body, **self.http(accept=accept, **headers))


@pytest.fixture(scope="module")
def proxied(made_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxied]:
    folder = tmp_path_factory.mktemp("nginx")
    subprocess.run(["cp", "-r", made_once, folder / "data"], check=True)
    (folder / "judge_of_nginx.py").write_text(JUDGE)
    secret, token = make_token("ann", SCOPES, (), {}, None)
    settings = environment_of(
        folder / "data",
        WARMER_TOKENS=token.line(),
        WARMER_ALLOWED_HOSTS=NAME,
        WARMER_LOG_LEVEL="INFO",
        WARMER_JUDGES="judge_of_nginx:Slow",
        PYTHONPATH=f"{os.environ.get('PYTHONPATH', '')}:{folder}",
    )
    with ExitStack() as stack:
        replicas = [stack.enter_context(serving(settings)) for _ in range(2)]
        port = configure(folder, replicas)
        nginx = stack.enter_context(subprocess.Popen(["nginx", "-c", folder / "nginx.conf"], stderr=subprocess.PIPE))
        stack.callback(nginx.terminate)
        yield wait_until_reachable(Proxied(f"https://127.0.0.1:{port}", replicas, secret, folder), nginx)


def configure(folder: Path, replicas: list[HttpServer]) -> int:
    made = f"req -x509 -newkey rsa:2048 -nodes -subj /CN={NAME} -keyout privkey.pem -out fullchain.pem"
    subprocess.run(["openssl", *made.split()], cwd=folder, check=True, stderr=subprocess.DEVNULL)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    conf = CONF.read_text()
    replacements = {
        "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl http2;",  # the syntax before nginx 1.25
        "http2 on;": "",
        "/certificates/": f"{folder}/",
        **{f"warmer-{n}:8765": one.base.removeprefix("http://") for n, one in enumerate(replicas, start=1)},
    }
    for old, new in replacements.items():
        assert old in conf
        conf = conf.replace(old, new)
    (folder / "default.conf").write_text(conf)
    (folder / "nginx.conf").write_text(MAIN.format(folder=folder, user="user root;" if os.geteuid() == 0 else ""))
    return port


def wait_until_reachable(proxied: Proxied, nginx: subprocess.Popen[bytes]) -> Proxied:
    deadline = monotonic() + 60
    while monotonic() < deadline:
        assert nginx.poll() is None, nginx.stderr and nginx.stderr.read()
        try:
            assert httpx2.get(f"{proxied.url}/health", **proxied.http()).json() == {"alive": True}
        except httpx2.ConnectError:
            continue
        return proxied
    raise AssertionError("nginx does not answer")


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_search_of_one_replica_is_scored_on_any(proxied: Proxied, mode: Literal["auto", "legacy"]) -> None:
    scores = {"1": 9, "2": 0}
    for _ in range(3):
        async with (
            httpx2.AsyncClient(**proxied.http()) as http,
            Client(streamable_http_client(f"{proxied.url}/mcp", http_client=http), mode=mode) as client,
        ):
            found = await ask(client, "search", query="bread")
            assert (await ask(client, "give_feedback", search_id=found["search_id"], scores=scores))["ranking"]


def test_each_replica_has_answered(proxied: Proxied) -> None:
    for _ in range(8):
        assert proxied.post("tools/call", {"name": "search", "arguments": {"query": "bread"}}).status_code == 200
    assert all("tool=search" in "".join(replica.stderr_lines) for replica in proxied.replicas)


def test_a_reply_is_streamed(proxied: Proxied) -> None:
    """Progress arrives before the training can end."""
    hold = proxied.folder / "hold"
    hold.touch()
    queries = [f"{a} {b}" for a in ("how", "why") for b in ("bread", "boats", "code", "garden", "stars", "data")]
    arguments = {"queries": queries, "judge": "judge_of_nginx:Slow", "limit": 5, "wait_seconds": 60}
    params = {"name": "train_params", "arguments": arguments, "_meta": {"progressToken": 7}}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    asked = proxied.http(accept="application/json, text/event-stream")
    said: list[str] = []
    with httpx2.stream("POST", f"{proxied.url}/mcp", json=body, **asked) as reply:
        for line in reply.iter_lines():
            said.append(line)
            if "notifications/progress" in line:
                hold.unlink(missing_ok=True)
    assert not hold.exists()
    assert re.search(r'"job_id":"t_', "".join(said))


def test_refusals(proxied: Proxied) -> None:
    assert proxied.post("ping", {}).status_code == 200
    assert proxied.post("ping", {}, authorization="Bearer none").status_code == 401
    assert proxied.post("ping", {}, host="evil.example.com").status_code == 421
    assert proxied.post("ping", {}, origin="https://evil.example.com").status_code == 403
    assert proxied.post("ping", {"x": "x" * 2**20}).status_code == 413
    assert httpx2.get(f"{proxied.url}/ready", **proxied.http()).status_code == 404


def test_one_replica_is_enough(proxied: Proxied) -> None:
    assert proxied.replicas[0].stop() == 0
    for _ in range(6):
        assert proxied.post("ping", {}).status_code == 200


def test_frequent_callers_are_rate_limited(proxied: Proxied) -> None:
    with httpx2.Client(**proxied.http(authorization="Bearer none")) as client:
        codes = Counter(client.post(f"{proxied.url}/mcp").status_code for _ in range(150))
    assert set(codes) == {401, 429}
