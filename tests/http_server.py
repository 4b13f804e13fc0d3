"""`warmer serve --http` as a process on 127.0.0.1, and clients of it."""

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from threading import Thread
from time import monotonic
from typing import Literal

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client


@dataclass
class HttpServer:
    """A running server; `stderr_lines` holds what it has logged so far."""

    process: subprocess.Popen[str]
    url: str
    stderr_lines: list[str]

    @property
    def base(self) -> str:
        return self.url.removesuffix("/mcp")

    def get(self, path: str) -> httpx2.Response:
        return httpx2.get(self.base + path, timeout=30)

    def wait_ready(self) -> None:
        deadline = monotonic() + 60
        while (answer := self.get("/ready")).status_code == 503:
            assert monotonic() < deadline
        assert answer.status_code == 200, answer.text

    def stop(self, seconds: float = 30) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)


@contextmanager
def serving(environment: Mapping[str, str], *arguments: str) -> Iterator[HttpServer]:
    command = [sys.executable, "-m", "warmer_server.cli", "serve", "--http", "--port", "0", *arguments]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        stderr_lines: list[str] = []
        try:
            for line in process.stderr:
                stderr_lines.append(line)
                if line.startswith("warmer: serving "):
                    break
            else:
                raise AssertionError(f"it ended with {process.wait()}: {''.join(stderr_lines)}")
            reader = Thread(target=stderr_lines.extend, args=(process.stderr,), daemon=True)
            reader.start()
            yield HttpServer(process, stderr_lines[-1].split()[-1], stderr_lines)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(30)


@asynccontextmanager
async def connected(url: str, token: str = "", mode: Literal["auto", "legacy"] = "auto") -> AsyncIterator[Client]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=60) as http,
        Client(streamable_http_client(url, http_client=http), mode=mode) as client,
    ):
        yield client


def environment_of(data_dir: object, **more: str) -> dict[str, str]:
    return {**os.environ, "WARMER_DATA_DIR": str(data_dir), **more}
