"""A Qdrant server on 127.0.0.1 that can be made to fail: HTTP, keys and faults in front of `qdrant_api`.

It answers what AsyncQdrantClient asks with `prefer_grpc=False`.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from qdrant_api import Api, Embed, RefusedError

_READS = ("/points", "/query", "/query/batch", "/scroll", "/count")


@dataclass
class Fault:
    """How to treat the next matching requests; see `QdrantServer.fail`."""

    status: int | None
    times: int
    retry_after: int | None
    body: str | None
    stall: Event | None
    cut: bool
    when: Callable[[str, str], bool]


class QdrantServer:
    """A context manager. `requests` records every request as (method, path without query, body).

    `store` is the client of the engine behind the server; `inference` fakes Qdrant Cloud Inference.
    """

    def __init__(
        self,
        version: str = "1.19.0",
        api_key: str = "",
        read_only_key: str = "",
        inference: Embed | None = None,
        port: int = 0,
    ) -> None:
        self.version = version
        self.api = Api(version, inference)
        self.store = self.api.store
        self.requests: list[tuple[str, str, Any]] = []
        self._api_key = api_key
        self._read_only_key = read_only_key
        self._lock = Lock()
        self._faults: list[Fault] = []
        self._http = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        self._http.daemon_threads = True
        self._thread = Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def __enter__(self) -> "QdrantServer":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for fault in self._faults:
            if fault.stall:
                fault.stall.set()
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()
        self.store.close()

    def fail(
        self,
        status: int | None = None,
        times: int = 1,
        retry_after: int | None = None,
        body: str | None = None,
        stall: Event | None = None,
        cut: bool = False,
        when: Callable[[str, str], bool] = lambda *_: True,
    ) -> None:
        """Inject a fault into the next `times` requests for which `when(method, path)` is true.

        `status` and `body` replace the real reply, `stall` delays the reply until it is set, and `cut` closes the
        connection in the middle of the reply. Without status or body the request is carried out.
        """
        self._faults.append(Fault(status, times, retry_after, body, stall, cut, when))

    def fault(self, method: str, path: str) -> Fault | None:
        """Return the fault for this request, if any, and count it down."""
        with self._lock:
            for fault in self._faults:
                if fault.times and fault.when(method, path):
                    fault.times -= 1
                    return fault
        return None

    def authorise(self, method: str, path: str, key: str) -> None:
        if not self._api_key or path in _HEALTH:
            return
        if not key:
            raise RefusedError(401, "Must provide an API key or an Authorization bearer token")
        if key not in {self._api_key, self._read_only_key}:
            raise RefusedError(401, "Invalid API key or JWT")
        reads = method == "GET" or (method == "POST" and path.endswith(_READS))
        if key == self._read_only_key and not reads:
            raise RefusedError(403, "Forbidden: Global write access is required")

    def answer(self, method: str, path: str, body: Any) -> str:
        if path in _HEALTH:
            return "healthz check passed"
        if path == "/":
            return json.dumps({"title": "qdrant - vector search engine", "version": self.version, "commit": ""})
        return json.dumps({"result": self.api.answer(method, path, body), "status": "ok", "time": 0.0})


_HEALTH = ("/healthz", "/readyz", "/livez")


class _Handler(BaseHTTPRequestHandler):
    served: QdrantServer

    def serve(self) -> None:
        path = urlsplit(self.path).path.rstrip("/") or "/"
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        body = json.loads(raw) if raw else None
        self.served.requests.append((self.command, path, body))
        fault = self.served.fault(self.command, path)
        if fault and fault.stall:
            fault.stall.wait()
        if fault and (fault.status or fault.body is not None):
            status = fault.status or 200
            self._reply(status, _error(f"fault {status}") if fault.body is None else fault.body, fault)
            return
        try:
            self.served.authorise(self.command, path, self.headers.get("api-key", ""))
            self._reply(200, self.served.answer(self.command, path, body), fault)
        except RefusedError as refused:
            plain = refused.status in {401, 403} or not str(refused)
            self._reply(refused.status, str(refused) if plain else _error(str(refused)), fault)

    def _reply(self, status: int, text: str, fault: Fault | None) -> None:
        content = text.encode()
        self.send_response(status)
        kinds = {"{": "application/json", "<": "text/html"}
        self.send_header("content-type", kinds.get(text[:1], "text/plain"))
        self.send_header("content-length", str(len(content)))
        if fault and fault.retry_after is not None:
            self.send_header("retry-after", str(fault.retry_after))
        try:
            self.end_headers()
            self.wfile.write(content[: len(content) // 2] if fault and fault.cut else content)
        except (BrokenPipeError, ConnectionResetError):
            return  # the client closed the connection

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = serve  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


def _handler(server: QdrantServer) -> type[_Handler]:
    return type("Handler", (_Handler,), {"served": server})


def _error(message: str) -> str:
    return json.dumps({"status": {"error": message}, "time": 0.0})
