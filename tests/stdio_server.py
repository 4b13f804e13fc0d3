"""`warmer serve` as a process, driven over its pipes line by line, without a client library."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from types import TracebackType
from typing import Any, Self

SERVE = [sys.executable, "-m", "warmer_server.cli", "serve"]
HELLO = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
SECONDS = 60.0


class EndedError(Exception):
    """The server ended, or did not answer within a minute."""


class StdioServer:
    """A server process. Leaving the block closes its stdin and waits for it to exit.

    Attributes:
        log: File for its stderr.
    """

    def __init__(self, log: Path, environment: Mapping[str, str], command: Sequence[str] = SERVE) -> None:
        self.log = log
        self._last = 0
        with log.open("wb") as errors:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env={**os.environ, **environment},
            )
        self._lines: Queue[bytes] = Queue()
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()

    def initialize(self) -> Self:
        """Do the handshake."""
        self.ask("initialize", **HELLO)
        self.send(json.dumps({"jsonrpc": "2.0", "method": "notifications/initialized"}).encode())
        return self

    def send(self, line: bytes) -> None:
        """Send any line."""
        self.send_raw(line + b"\n")

    def send_raw(self, part: bytes) -> None:
        """Send bytes that need not be a line."""
        assert self.process.stdin
        try:
            self.process.stdin.write(part)
            self.process.stdin.flush()
        except OSError as error:
            raise EndedError(str(error)) from error

    def receive(self, seconds: float = SECONDS) -> dict[str, Any]:
        """Read the next message."""
        try:
            line = self._lines.get(timeout=seconds)
        except Empty as error:
            raise EndedError(f"nothing was said for {seconds} seconds") from error
        if not line:
            raise EndedError(f"the server ended: {self.log.read_text(errors='replace')[-500:]}")
        message: dict[str, Any] = json.loads(line)
        return message

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a request and return its answer, skipping other messages."""
        self._last += 1
        id_ = f"asked-{self._last}"
        self.send(json.dumps({"jsonrpc": "2.0", "id": id_, "method": method, "params": params}).encode())
        while (answer := self.receive()).get("id") != id_:
            pass
        return answer

    def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Call a tool that must succeed and return its structured content."""
        result = self.ask("tools/call", name=tool, arguments=arguments)["result"]
        assert not result["isError"], result["content"]
        content: dict[str, Any] = result["structuredContent"]
        return content

    def refusal(self, tool: str, **arguments: Any) -> str:
        """Call a tool and return its error text, or an empty string if it succeeds."""
        result = self.ask("tools/call", name=tool, arguments=arguments)["result"]
        return str(result["content"][0]["text"]) if result["isError"] else ""

    def kill(self) -> None:
        """Kill the server with SIGKILL."""
        self.process.kill()
        self.process.wait()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put(b"")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self.process.stdin
        assert self.process.stdout
        with suppress(OSError):
            self.process.stdin.close()
        try:
            self.process.wait(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        finally:
            self._reader.join()
            self.process.stdout.close()
