"""One process that serves MCP over HTTP on a socket."""

import logging
import os
import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass
from threading import Timer
from typing import NoReturn

import anyio
import uvicorn
from mcp.server.auth.settings import AuthSettings
from pydantic import AnyHttpUrl
from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware

from warmer.heap import use_one_arena
from warmer_server.access import Admission, StoredTokens
from warmer_server.app import build_server
from warmer_server.http.address import BACKLOG, security
from warmer_server.http.health import Readiness, health
from warmer_server.http.limits import BODY_BYTES, BodyInTime, CallInTime, OnlyPost, Rotation
from warmer_server.settings import Settings
from warmer_server.tokens import Tokens

_PARTING = 3.0  # seconds to close what is open
_CONNECTIONS = 1000  # more are answered 503
_ISSUER = AnyHttpUrl("http://localhost")  # published nowhere: tokens are not issued over HTTP


_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Listening:
    """How to serve: the socket, and the host that it was asked for by."""

    sock: socket.socket
    host: str


def tokens_of(settings: Settings) -> Tokens | None:
    """Read the tokens; None if none are set, so that whoever reaches the server may use it.

    Raises:
        WarmerError: They cannot be read.
    """
    text = settings.tokens.get_secret_value()
    return Tokens(settings.tokens_file, text) if settings.tokens_file or text.strip() else None


def build_app(settings: Settings, host: str) -> Starlette:
    """Make the ASGI application: /mcp, /health and /ready."""
    tokens = tokens_of(settings)
    readiness = Readiness()
    server = build_server(
        settings,
        middleware=[CallInTime(settings.call_seconds), *([Admission(settings.collection_name)] if tokens else [])],
        verifier=StoredTokens(tokens) if tokens else None,
        auth=AuthSettings(issuer_url=_ISSUER, resource_server_url=None) if tokens else None,
        started=readiness.begin,
    )
    server.custom_route("/health", methods=["GET"])(health)
    server.custom_route("/ready", methods=["GET"])(readiness.answer)
    app = server.streamable_http_app(
        stateless_http=True,
        max_request_body_size=BODY_BYTES,
        transport_security=security(host, settings.allowed_hosts, settings.allowed_origins),
    )
    app.add_middleware(BodyInTime)
    app.add_middleware(OnlyPost)
    app.add_middleware(Rotation)
    if settings.allowed_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=sorted(settings.allowed_origins),
            allow_methods=["POST"],
            allow_headers=["authorization", "content-type", "mcp-protocol-version", "mcp-method", "mcp-name"],
        )
    return app


def serve(settings: Settings, listening: Listening, ready: Callable[[], None]) -> NoReturn:
    """Serve until SIGTERM or SIGINT; then calls have `stop_seconds` to end, and the process ends with them.

    Args:
        settings: Settings.
        listening: The socket.
        ready: Called once requests are answered.

    Raises:
        WarmerError: What the settings name cannot be opened.
    """
    use_one_arena()
    anyio.run(_serve, settings, listening, ready)
    logging.shutdown()
    os._exit(0)  # nothing is open; the interpreter's own end would abort where a model is still being loaded


async def _serve(settings: Settings, listening: Listening, ready: Callable[[], None]) -> None:
    app = build_app(settings, listening.host)
    config = uvicorn.Config(
        app,
        lifespan="off",  # entered here, where its errors can be told
        log_config=None,
        access_log=False,
        backlog=1,  # so many are accepted at once: whichever worker has time takes the next, and none takes all
        server_header=False,
        limit_concurrency=_CONNECTIONS,
        timeout_graceful_shutdown=settings.stop_seconds,
    )
    server = _Server(config, ready)
    for number in (signal.SIGTERM, signal.SIGINT):  # until uvicorn handles them, and when it raises them in the end
        signal.signal(number, server.stop)
    async with app.router.lifespan_context(app):
        await server.serve(sockets=[listening.sock])


class _Server(uvicorn.Server):
    """Says when it has started."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for sock in sockets or []:
            sock.listen(BACKLOG)
        self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let calls end; what runs in a thread beyond the time for that, such as a judge, cannot be cancelled."""
        timer = Timer((self.config.timeout_graceful_shutdown or 0) + _PARTING, _give_up)
        timer.daemon = True
        timer.start()
        await super().shutdown(sockets)

    def stop(self, *_: object) -> None:
        """End as soon as it can."""
        self.should_exit = True


def _give_up() -> None:
    _log.error("a call did not end in time, and is cut off")
    os._exit(1)
