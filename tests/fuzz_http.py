"""Send malformed requests over HTTP: messages in both eras of the protocol, bad headers, broken framing."""

import json
import re
import socket
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPMessage, parse_headers
from io import BytesIO
from random import Random
from typing import Any
from urllib.parse import urlsplit

from fuzz import KINDS, Checks, expected_ids, make_request

SECONDS = 60.0
_LEGACY, _MODERN = "2025-06-18", "2026-07-28"
_META = {
    "io.modelcontextprotocol/protocolVersion": _MODERN,
    "io.modelcontextprotocol/clientInfo": {"name": "fuzz", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}
_UNFINISHED = {"cut short", "chunks cut short", "too long a length", "an endless chunk"}
Headers = dict[str, str]


@dataclass(frozen=True)
class Reply:
    """The reply on a connection; status 0 if it was closed without one."""

    status: int
    headers: HTTPMessage
    body: bytes

    def messages(self) -> list[dict[str, Any]]:
        """Return the messages of a JSON body or an event stream."""
        if self.headers.get_content_type() == "application/json" and self.status != 202:
            return [json.loads(self.body)]
        if self.headers.get_content_type() == "text/event-stream":
            return [json.loads(data) for data in re.findall(rb"^data: (.+?)\r?$", self.body, re.MULTILINE)]
        return []


class HttpFuzzer:
    """Sends requests one by one, each on its own connection and followed by a valid one.

    Attributes:
        sent: Number of requests sent of each kind.
        statuses: Number of replies by status; 0 for a closed connection.
        checks: Checks of the messages in the replies.
    """

    def __init__(self, url: str, seed: int, token: str = "") -> None:
        place = urlsplit(url)
        assert place.hostname
        assert place.port
        self._place = place.hostname, place.port
        self._random = Random(seed)
        self._number = 0
        self._headers = {"host": place.netloc, "connection": "close"} | (
            {"authorization": f"Bearer {token}"} if token else {}
        )
        self.sent: Counter[str] = Counter()
        self.statuses: Counter[int] = Counter()
        self.checks = Checks(self._ask("tools/list", {})["result"])
        first = self._ask("tools/call", {"name": "search", "arguments": {"query": "bread", "limit": 5}})
        self._handle = first["result"]["structuredContent"]["search_id"]
        self._senders: list[Callable[[], str]] = [
            *[self._message] * 4,
            *([self._bad_headers, self._bad_framing]),
            *([self._bad_token] if token else []),
        ]

    def run(self, calls: int) -> None:
        """Send a number of requests.

        Raises:
            AssertionError: A reply is missing or invalid.
        """
        for _ in range(calls):
            self._number += 1
            self.sent[self._random.choice(self._senders)()] += 1
            assert self._ask("ping", {}) == {"jsonrpc": "2.0", "id": "good", "result": {}}

    def _ask(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        reply = self._post(make_request("good", method, params), _headers(_LEGACY))
        assert reply.status == 200, reply
        return reply.messages()[-1]

    def _message(self) -> str:
        kind = self._random.choice(KINDS)
        id_ = f"fuzz-{self._number}"
        body, tool = kind(self._random, id_, self._handle)
        era = self._random.choice([_LEGACY, _MODERN])
        headers = _headers(era)
        if era == _MODERN:
            body, more = _modern(body)
            headers |= more
        reply = self._post(body, headers)
        finals = self._check(reply, tool)
        due = expected_ids(body)
        if due not in ([], ["null"]):
            assert len(finals) == 1, (body[:500], reply)
            assert json.dumps(finals[0]["id"]) in {"null", *due}, (body[:500], reply)
        elif due and reply.status != 202:  # a notification, whose id counts for nothing
            assert finals, (body[:500], reply)
        return f"{kind.__name__.strip('_').replace('_', ' ')}, {era}"

    def _bad_headers(self) -> str:
        bad = self._random.choice(
            [
                {"content-type": self._random.choice(["text/plain", "", "application/json; charset=utf-7", "\xff"])},
                {"accept": self._random.choice(["text/html", "application/json", "", "*/*", "a" * 5000])},
                {"mcp-protocol-version": self._random.choice(["1999-01-01", "", "x" * 1000, "\x80", "2026-07-28"])},
                {"mcp-session-id": self._random.choice(["s", "", "\xe9", "../..", "x" * 10_000])},
                {"mcp-method": "tools/list", "mcp-name": "give_feedback", "mcp-protocol-version": _MODERN},
                {"host": self._random.choice(["evil.example.com", "", "127.0.0.1:x", "[::1"])},
                {"origin": self._random.choice(["https://evil.example.com", "null", "\xff"])},
                {"last-event-id": "5", "content-encoding": "gzip"},
                {"x-long": "x" * 200_000},
                {f"x-{n}": "x" for n in range(1000)},
            ]
        )
        body = make_request(f"fuzz-{self._number}", "tools/call", {"name": "search", "arguments": {"query": "bread"}})
        self._check(self._post(body, _headers(_LEGACY) | bad), "search")
        return "bad headers"

    def _bad_token(self) -> str:
        token = self._random.choice(["Bearer x", "Bearer", "", "Basic eA==", "Bearer \xff", "Bearer " + "x" * 10_000])
        reply = self._post(make_request("x", "ping", {}), _headers(_LEGACY) | {"authorization": token})
        assert reply.status == 401, reply
        return "bad token"

    def _bad_framing(self) -> str:
        body = make_request(f"fuzz-{self._number}", "tools/call", {"name": "search", "arguments": {"query": "bread"}})
        half, size = body[: len(body) // 2], len(body)
        name, framing, sent = self._random.choice(
            [
                ("cut short", {"content-length": str(size)}, half),
                ("too short a length", {"content-length": str(size // 2)}, body),
                ("too long a length", {"content-length": "9" * 30}, body),
                ("no length that is one", {"content-length": self._random.choice(["-1", "x", "1, 2", "0x10"])}, body),
                ("length and chunks", {"content-length": str(size), "transfer-encoding": "chunked"}, _chunked(body)),
                ("chunks", {"transfer-encoding": "chunked"}, _chunked(body)),
                ("chunks cut short", {"transfer-encoding": "chunked"}, _chunked(body)[:-20]),
                ("chunks without sizes", {"transfer-encoding": "chunked"}, b"zz\r\n" + body),
                ("an endless chunk", {"transfer-encoding": "chunked"}, b"f" * 30 + b"\r\n" + body),
                ("an unknown encoding", {"transfer-encoding": "what"}, body),
                ("no body", {"content-length": "0"}, b""),
                ("a body that is too large", {"content-length": "2000000"}, b" " * 2_000_000),
            ]
        )
        head = self._head("POST /mcp", _headers(_LEGACY) | framing)
        self._check(self._exchange(head + sent, hang_up=name in _UNFINISHED), "search")
        strange = self._random.choice(
            [
                "GET /mcp",
                "DELETE /mcp",
                "PUT /mcp",
                "POST /",
                "POST /mcp/../mcp",
                "X" * 100_000,
                "POST /mcp\0",
                "\x16\x03",
            ]
        )
        self._check(self._exchange(self._head(strange, {"content-length": "0"})), "")
        return f"framing: {name}"

    def _check(self, reply: Reply, tool: str) -> list[dict[str, Any]]:
        """Check a reply and return its messages that are answers."""
        self.statuses[reply.status] += 1
        assert reply.status < 500, reply
        finals = [message for message in reply.messages() if "method" not in message]
        for message in finals:
            self.checks.check(message, tool)
        return finals

    def _post(self, body: bytes, headers: Headers) -> Reply:
        return self._exchange(self._head("POST /mcp", headers | {"content-length": str(len(body))}) + body)

    def _head(self, line: str, headers: Headers) -> bytes:
        lines = [f"{line} HTTP/1.1", *(f"{name}: {value}" for name, value in {**self._headers, **headers}.items())]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    def _exchange(self, sent: bytes, *, hang_up: bool = False) -> Reply:
        """Send a request and read the reply to its end, which must come within a minute."""
        with socket.create_connection(self._place, SECONDS) as connection:
            came = bytearray()
            try:
                connection.sendall(sent)
                if hang_up:
                    connection.shutdown(socket.SHUT_WR)
                while part := connection.recv(2**16):
                    came += part
            except (ConnectionResetError, BrokenPipeError):
                pass  # the server closed without reading all of the request
        return _parse_reply(bytes(came))


def _headers(era: str) -> Headers:
    accept = "application/json, text/event-stream"
    return {"accept": accept, "content-type": "application/json", "mcp-protocol-version": era}


def _modern(body: bytes) -> tuple[bytes, Headers]:
    """Add the metadata and headers of the era without a handshake, if the body has parameters."""
    try:
        raw = json.loads(body)
    except (ValueError, RecursionError):
        return body, {}
    if not isinstance(raw, dict) or not isinstance(raw.get("params"), dict):
        return body, {}
    params = raw["params"]
    named = {"mcp-method": raw.get("method"), "mcp-name": params.get("name", params.get("uri"))}
    headers = {name: value for name, value in named.items() if isinstance(value, str) and value.isprintable()}
    safe = {name: value for name, value in headers.items() if value.isascii()}
    return json.dumps({**raw, "params": {"_meta": _META, **params}}).encode(), safe


def _chunked(body: bytes) -> bytes:
    parts = [body[start : start + 50] for start in range(0, len(body), 50)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in [*parts, b""])


def _parse_reply(came: bytes) -> Reply:
    if not came:
        return Reply(0, HTTPMessage(), b"")
    head, _, body = came.partition(b"\r\n\r\n")
    line, _, fields = head.partition(b"\r\n")
    status = re.fullmatch(rb"HTTP/1\.1 (\d{3})( .*)?", line)
    assert status, came[:200]
    headers = parse_headers(BytesIO(fields + b"\r\n\r\n"))
    if headers["transfer-encoding"] == "chunked":
        body = _decode_chunks(body)
    return Reply(int(status[1]), headers, body)


def _decode_chunks(body: bytes) -> bytes:
    whole, stream = b"", BytesIO(body)
    while size := int(stream.readline(), 16):
        whole += stream.read(size)
        stream.readline()
    return whole
