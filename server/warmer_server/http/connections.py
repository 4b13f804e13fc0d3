"""Connections that send nothing must not keep others out."""

from asyncio import TimerHandle, Transport
from collections.abc import Collection
from ipaddress import ip_address
from typing import Any

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

MAX_CONNECTIONS = 1000
HEAD_SECONDS = 10.0  # for the first line and the headers of a request
_MAX_CALLS = 1000
_REFUSAL = (
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain\r\nconnection: close\r\n\r\n"
    b"too many connections from this address: WARMER_CONNECTIONS_PER_ADDRESS limits them\n"
)


class LimitedProtocol(H11Protocol):
    """HTTP/1.1 that waits ten seconds for the head of a request.

    Where an address, or all of them together, hold too many connections, the one that has sent nothing for the longest
    time is closed, so that a client that does send something gets through. Only where all of an address's connections
    are in use, a further one is refused.
    """

    per_address = 256

    def __init__(self, *arguments: Any, **named: Any) -> None:  # noqa: ANN401  uvicorn's
        super().__init__(*arguments, **named)
        self._deadline: TimerHandle | None = None  # while the head of a request is awaited
        self._network = ""

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]  # uvicorn's is narrower too
        """Begin to wait, and make room for it if there are too many."""
        super().connection_made(transport)
        self._network = _network(self.client[0] if self.client else "")
        self._await_head()
        others = [one for one in self.connections if isinstance(one, LimitedProtocol) and one is not self]
        beside = [one for one in others if one._network == self._network]
        if len(beside) >= self.per_address:
            if not _close_oldest(beside):
                transport.write(_REFUSAL)
                self._give_up()
        elif len(others) >= MAX_CONNECTIONS:
            _close_oldest(others)

    def handle_events(self) -> None:
        """Stop waiting once a head is there; wait again for that of the next request when it begins."""
        before = self.cycle
        super().handle_events()
        if self.cycle is not before:
            self._stop_waiting()
        elif self.cycle is None or self.cycle.response_complete:
            self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _await_head(self) -> None:
        if self._deadline is None and not self.transport.is_closing():
            self._deadline = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def _stop_waiting(self) -> None:
        if self._deadline:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        self._stop_waiting()
        self.transport.close()


def limited_protocol(per_address: int) -> type[LimitedProtocol]:
    """Make the protocol of a server whose every address may hold so many connections."""
    return type("LimitedProtocol", (LimitedProtocol,), {"per_address": per_address})


def _close_oldest(connections: Collection[LimitedProtocol]) -> bool:
    """Close the connection that has waited longest for a request; tells whether one waits at all."""
    waiting = [(one._deadline.when(), id(one), one) for one in connections if one._deadline]
    if waiting:
        min(waiting)[-1]._give_up()
    return bool(waiting)


def _network(address: str) -> str:
    """Give an IPv4 address, or the half of an IPv6 address that names its network, of which a host may have all."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    return parsed.exploded[:19] if parsed.version == 6 else address  # noqa: PLR2004


class CallLimit:
    """ASGI middleware that answers 503 where too many calls are being answered; probes pass."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._calls = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, unless there are too many."""
        if scope["type"] != "http" or scope["path"] != "/mcp":
            await self._app(scope, receive, send)
        elif self._calls >= _MAX_CALLS:
            await PlainTextResponse("Too many calls at once", 503, {"retry-after": "1"})(scope, receive, send)
        else:
            self._calls += 1
            try:
                await self._app(scope, receive, send)
            finally:
                self._calls -= 1
