"""Nodes of Qdrant, one or a cluster."""

import os
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep
from typing import Any

import httpx

_START = 60.0  # seconds


class Node:
    """A process; `kill` ends it at once, `hang` stops it without closing its connections."""

    def __init__(self, binary: Path, folder: Path, *, cluster: bool = False, joins: str | None = None) -> None:
        self.port, self.grpc_port, self._peer_port = _free_ports(3)
        self.url = f"http://127.0.0.1:{self.port}"
        self.peer = f"http://127.0.0.1:{self._peer_port}"
        self._binary, self._folder, self._cluster, self._joins = binary, folder, cluster, joins
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        folder = self._folder
        folder.mkdir(parents=True, exist_ok=True)
        settings = {
            "SERVICE__HOST": "127.0.0.1",
            "SERVICE__HTTP_PORT": self.port,
            "SERVICE__GRPC_PORT": self.grpc_port,
            "STORAGE__STORAGE_PATH": folder / "storage",
            "STORAGE__SNAPSHOTS_PATH": folder / "snapshots",
            "TELEMETRY_DISABLED": "true",
            "CLUSTER__ENABLED": str(self._cluster).lower(),
            "CLUSTER__P2P__PORT": self._peer_port,
        }
        joining = ["--bootstrap", self._joins] if self._joins else []
        arguments = ["--uri", self.peer, *joining] if self._cluster else []
        with (folder / "log").open("ab") as log:
            return subprocess.Popen(
                [self._binary, *arguments],
                cwd=folder,
                env={"PATH": os.environ["PATH"], **{f"QDRANT__{name}": str(value) for name, value in settings.items()}},
                stdout=log,
                stderr=log,
            )

    def wait(self) -> None:
        """Wait until it answers."""
        deadline = monotonic() + _START
        while True:
            try:
                if httpx.get(f"{self.url}/readyz", timeout=2, trust_env=False).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            if self.process.poll() is not None or monotonic() > deadline:
                raise SystemExit(f"a node did not start; its log is {self._folder}")
            sleep(0.2)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def hang(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Ask by REST and give the result."""
        answer = httpx.request(method, self.url + path, json=body, timeout=60, trust_env=False)
        answer.raise_for_status()
        return answer.json()["result"]


def version_of(binary: Path) -> str:
    """Say which version of Qdrant it is."""
    said = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True, timeout=60).stdout
    return said.split()[-1]


@contextmanager
def nodes(binary: Path, count: int) -> Iterator[list[Node]]:
    """Run one node, or a cluster of several."""
    with TemporaryDirectory(prefix="warmer-real-") as folder, ExitStack() as stack:
        running: list[Node] = []
        for number in range(count):
            joins = running[0].peer if running else None
            node = Node(binary, Path(folder) / f"node{number}", cluster=count > 1, joins=joins)
            stack.callback(node.kill)
            node.wait()
            running.append(node)
        yield running


def _free_ports(count: int) -> list[int]:
    """Find ports that nobody listens on, all different."""
    with ExitStack() as stack:
        held = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in held:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in held]
