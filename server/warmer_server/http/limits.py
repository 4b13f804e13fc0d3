"""Limit the body of a request and the time of a call."""

from random import randrange
from typing import Any

import anyio
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from warmer_server.faults import refused

BODY_BYTES = 2**20
_BODY_SECONDS = 30.0
_REQUESTS_PER_CONNECTION = 16  # on average
_UNLIMITED_TOOL = "train_params"  # has a wait of its own


class PostOnly:
    """ASGI middleware that accepts only POST at /mcp: a server without sessions has nothing to stream to a GET."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer 405 if it is not a POST. Probes pass."""
        if scope["type"] == "http" and scope["path"] == "/mcp" and scope["method"] != "POST":
            await PlainTextResponse("Method not allowed", 405, {"allow": "POST"})(scope, receive, send)
        else:
            await self._app(scope, receive, send)


class BodyTimeout:
    """ASGI middleware that limits the time for a request's body: a stalled client must not hold a connection."""

    def __init__(self, app: ASGIApp, seconds: float = _BODY_SECONDS) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer 408 if its body does not arrive in time."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        complete = False
        deadline = anyio.current_time() + self._seconds

        async def receive_in_time() -> Message:
            nonlocal complete
            if complete:
                return await receive()
            with anyio.fail_after(max(0.0, deadline - anyio.current_time())):
                message = await receive()
            complete = not message.get("more_body", False)
            return message

        try:
            await self._app(scope, receive_in_time, send)
        except TimeoutError:
            if complete:
                raise
            await PlainTextResponse("Request body did not come in time", 408)(scope, receive, send)


class ConnectionRotation:
    """ASGI middleware that closes connections at random, so that their clients reconnect to a worker that is free.

    Otherwise a client would stay with its first worker, however busy that is.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; one answer in sixteen, on average, closes its connection."""
        last = scope["type"] == "http" and randrange(_REQUESTS_PER_CONNECTION) == 0  # noqa: S311

        async def send_last(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [pair for pair in message.get("headers", ()) if pair[0].lower() != b"connection"]
                message = {**message, "headers": [*headers, (b"connection", b"close")]}
            await send(message)

        await self._app(scope, receive, send_last if last else send)


class CallTimeout:
    """MCP middleware that limits the time of a tool call and tells the agent when it runs out.

    Args:
        seconds: The limit.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    async def __call__(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        """Pass a call on, or answer with an error if it takes too long."""
        tool = (ctx.params or {}).get("name") if ctx.method == "tools/call" else None
        if not isinstance(tool, str) or tool.endswith(_UNLIMITED_TOOL):
            return await call_next(ctx)
        with anyio.move_on_after(self._seconds):
            return await call_next(ctx)
        message = f"{tool} took longer than {self._seconds:g} seconds and was stopped: call again, or ask for less"
        return refused(message)
