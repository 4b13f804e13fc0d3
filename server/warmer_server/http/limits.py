"""What one request may take: size and time of its body, and the time of a call."""

from random import randrange
from typing import Any

import anyio
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.types import CallToolResult, TextContent
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BODY_BYTES = 2**20
_BODY_SECONDS = 30.0
_ANSWERS = 16
_WAITS = "train_params"  # says itself how long it waits


class OnlyPost:
    """ASGI middleware that refuses streams without a request: a server without sessions has nothing to say on them."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through; 405 where it is not by POST, but for probes."""
        if scope["type"] == "http" and scope["path"] == "/mcp" and scope["method"] != "POST":
            await PlainTextResponse("Method not allowed", 405, {"allow": "POST"})(scope, receive, send)
        else:
            await self._app(scope, receive, send)


class BodyInTime:
    """ASGI middleware that gives up on a body which does not come, so that it holds no connection."""

    def __init__(self, app: ASGIApp, seconds: float = _BODY_SECONDS) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through; 408 where its body is late."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        complete = False
        deadline = anyio.current_time() + self._seconds

        async def in_time() -> Message:
            nonlocal complete
            if complete:
                return await receive()
            with anyio.fail_after(max(0.0, deadline - anyio.current_time())):
                message = await receive()
            complete = not message.get("more_body", False)
            return message

        try:
            await self._app(scope, in_time, send)
        except TimeoutError:
            if complete:
                raise
            await PlainTextResponse("Request body did not come in time", 408)(scope, receive, send)


class Rotation:
    """ASGI middleware that closes every connection now and then, so that its client comes to whichever worker has time.

    Else a client would keep the worker that first took it, however busy that is, for as long as it stays.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through; one answer in sixteen is the last of its connection."""
        last = scope["type"] == "http" and randrange(_ANSWERS) == 0  # noqa: S311

        async def send_last(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [pair for pair in message.get("headers", ()) if pair[0].lower() != b"connection"]
                message = {**message, "headers": [*headers, (b"connection", b"close")]}
            await send(message)

        await self._app(scope, receive, send_last if last else send)


class CallInTime:
    """MCP middleware that gives up on a call, and says so to the agent."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    async def __call__(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        """Let a call through."""
        tool = (ctx.params or {}).get("name") if ctx.method == "tools/call" else None
        if not isinstance(tool, str) or tool == _WAITS:
            return await call_next(ctx)
        with anyio.move_on_after(self._seconds):
            return await call_next(ctx)
        said = f"{tool} took longer than {self._seconds:g} seconds and was given up: call again, or ask for less"
        return CallToolResult(content=[TextContent(type="text", text=said)], is_error=True)
