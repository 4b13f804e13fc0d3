"""A server process with a minimal client on its pipes: a client library would add its own time."""

import json
import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from warmer_evals import EvalError

_INITIALIZE = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}}


class Process:
    """A server that was started and has completed the handshake.

    Attributes:
        spawned: When the process was started, by `time.perf_counter`.
        handshake: Seconds from then to the reply to `initialize`.
        instructions: The server's instructions in that reply.

    Raises:
        EvalError: The server ended without a reply; the message has the end of its log.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self._log = log
        self._last_id = 0
        self.spawned = time.perf_counter()
        with log.open("wb") as errors:
            self._process = subprocess.Popen(  # noqa: S603
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env={**os.environ, **environment},
            )
        try:
            self.instructions = str(self._request("initialize", _INITIALIZE).get("instructions") or "")
            self.handshake = time.perf_counter() - self.spawned
            self._send({"method": "notifications/initialized"})
        except BaseException:
            self._process.kill()
            self._process.wait()
            raise

    def call(self, tool: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Call a tool.

        Raises:
            EvalError: The call was refused, or the server ended.
        """
        result = self._request("tools/call", {"name": tool, "arguments": arguments})
        if result.get("isError"):
            raise EvalError(f"{tool} was refused: {result['content']}")
        return result

    def tools(self) -> list[dict[str, Any]]:
        """Return the tools as the server declares them."""
        listed: list[dict[str, Any]] = self._request("tools/list", {})["tools"]
        return listed

    @property
    def memory(self) -> float | None:
        """Resident memory in MB (10^6 bytes); None without /proc."""
        with suppress(OSError):
            pages = int(Path(f"/proc/{self._process.pid}/statm").read_text(encoding="ascii").split()[1])
            return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
        return None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        assert self._process.stdin
        assert self._process.stdout
        with suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def _request(self, method: str, params: Mapping[str, Any]) -> dict[str, Any]:
        self._last_id += 1
        self._send({"id": self._last_id, "method": method, "params": params})
        assert self._process.stdout
        while line := self._process.stdout.readline():
            message = json.loads(line)
            if message.get("id") != self._last_id or "method" in message:
                continue
            if "result" not in message:
                raise EvalError(f"{method} was refused: {message.get('error')}")
            result: dict[str, Any] = message["result"]
            return result
        tail = self._log.read_text(encoding="utf-8", errors="replace").strip()[-500:]
        raise EvalError(f"the server {' '.join(self._process.args)} ended: {tail}")  # type: ignore[arg-type]

    def _send(self, message: Mapping[str, Any]) -> None:
        assert self._process.stdin
        with suppress(BrokenPipeError):  # the next read raises with the server's log
            self._process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
            self._process.stdin.flush()
