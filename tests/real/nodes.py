"""Nodes of Qdrant, one or a cluster."""

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep
from typing import Any

import httpx

FIRST_PORT = 7301
_PORTS = 10  # a node: REST, gRPC and the cluster's own
_START = 60.0  # seconds


class Node:
    """A process; `kill` ends it at once, `hang` stops it without closing its connections."""

    def __init__(self, binary: Path, folder: Path, number: int, *, cluster: bool = False) -> None:
        self.port = FIRST_PORT + _PORTS * number
        self.url = f"http://127.0.0.1:{self.port}"
        self.grpc_port = self.port + 1
        self.peer = f"http://127.0.0.1:{self.port + 2}"
        self._binary, self._folder, self._number, self._cluster = binary, folder, number, cluster
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        folder = self._folder / f"node{self._number}"
        folder.mkdir(parents=True, exist_ok=True)
        settings = {
            "SERVICE__HOST": "127.0.0.1",
            "SERVICE__HTTP_PORT": self.port,
            "SERVICE__GRPC_PORT": self.grpc_port,
            "STORAGE__STORAGE_PATH": folder / "storage",
            "STORAGE__SNAPSHOTS_PATH": folder / "snapshots",
            "TELEMETRY_DISABLED": "true",
            "CLUSTER__ENABLED": str(self._cluster).lower(),
            "CLUSTER__P2P__PORT": self.port + 2,
        }
        first = f"http://127.0.0.1:{FIRST_PORT + 2}"
        joining = ["--bootstrap", first] if self._number else []
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

    def again(self) -> None:
        """Start it again after a kill."""
        self.process = self._start()
        self.wait()

    def stop(self) -> None:
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Ask by REST and give the result."""
        answer = httpx.request(method, self.url + path, json=body, timeout=60, trust_env=False)
        answer.raise_for_status()
        return answer.json()["result"]

    def version(self) -> str:
        """Say which version of Qdrant it is."""
        return str(httpx.get(self.url, timeout=60, trust_env=False).json()["version"])


@contextmanager
def nodes(binary: Path, count: int) -> Iterator[list[Node]]:
    """Run one node, or a cluster of several."""
    with TemporaryDirectory(prefix="warmer-real-") as folder, ExitStack() as stack:
        running = []
        for number in range(count):
            node = Node(binary, Path(folder), number, cluster=count > 1)
            stack.callback(node.stop)
            node.wait()
            running.append(node)
        yield running
