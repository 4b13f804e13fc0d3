"""Serve MCP over HTTP in one process."""

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
from mcp.server.auth.provider import TokenVerifier
from mcp.server.auth.routes import create_protected_resource_routes
from mcp.server.auth.settings import AuthSettings
from pydantic import AnyHttpUrl
from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware

from warmer.heap import use_one_arena
from warmer_server.access import Authorization, StoredTokenVerifier
from warmer_server.app import build_server
from warmer_server.http.address import BACKLOG, RefusedHeaders, transport_security
from warmer_server.http.connections import CallLimit, limited_protocol
from warmer_server.http.health import Readiness, health
from warmer_server.http.limits import BODY_BYTES, BodyTimeout, CallTimeout, ConnectionRotation, PostOnly
from warmer_server.oauth import EitherVerifier, make_verifier
from warmer_server.settings import Settings
from warmer_server.tokens import SCOPES, Tokens

_BEAT_SECONDS = 1.0
_SHUTDOWN_GRACE = 3.0  # seconds to close connections after `stop_seconds`
_ISSUER = AnyHttpUrl("http://localhost")  # required by the SDK, but never published
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Listener:
    """A listening socket, and the host that --host named."""

    sock: socket.socket
    host: str


def load_tokens(settings: Settings) -> Tokens | None:
    """Load the tokens, or return None if none are set: then everybody who reaches the server may use it.

    Raises:
        WarmerError: The tokens cannot be read.
    """
    text = settings.tokens.get_secret_value()
    return Tokens(settings.tokens_file, text) if settings.tokens_file or text.strip() else None


def authentication(settings: Settings) -> tuple[TokenVerifier | None, AuthSettings | None]:
    """Find out whose tokens are good: those of `warmer token`, an issuer's, or both; nobody needs one where neither is.

    Raises:
        WarmerError: The tokens cannot be read, or the issuer's settings are not whole.
    """
    tokens, issued = load_tokens(settings), make_verifier(settings)
    verifiers: list[TokenVerifier] = [StoredTokenVerifier(tokens)] if tokens else []
    if issued is None:
        return (verifiers[0], AuthSettings(issuer_url=_ISSUER, resource_server_url=None)) if tokens else (None, None)
    auth = AuthSettings.model_validate(
        {
            "issuer_url": settings.oauth_issuer,
            "resource_server_url": settings.oauth_resource,
            "validate_token_resource": False,  # the verifier checks the audience, and stored tokens have none
        }
    )
    return EitherVerifier([*verifiers, issued]), auth


def build_app(settings: Settings, host: str) -> Starlette:
    """Build the ASGI application: /mcp, /health and /ready."""
    verifier, auth = authentication(settings)
    authorization = [Authorization(settings.collection_name, settings.tool_prefix)] if verifier else []
    readiness = Readiness()
    server = build_server(
        settings,
        middleware=[CallTimeout(settings.call_seconds), *authorization],
        verifier=verifier,
        auth=auth,
        on_start=readiness.set_workspace,
    )
    server.custom_route("/health", methods=["GET"])(health)
    server.custom_route("/ready", methods=["GET"])(readiness.answer)
    app = server.streamable_http_app(
        stateless_http=True,
        max_request_body_size=BODY_BYTES,
        transport_security=transport_security(host, settings.allowed_hosts, settings.allowed_origins),
    )
    if auth and auth.resource_server_url:  # before the SDK's own route, which does not tell the scopes
        app.router.routes[:0] = create_protected_resource_routes(
            auth.resource_server_url, [auth.issuer_url], list(SCOPES), settings.name
        )
    app.add_middleware(RefusedHeaders)
    app.add_middleware(CallLimit)
    app.add_middleware(BodyTimeout)
    app.add_middleware(PostOnly)
    app.add_middleware(ConnectionRotation)
    if settings.allowed_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=sorted(settings.allowed_origins),
            allow_methods=["POST"],
            allow_headers=["authorization", "content-type", "mcp-protocol-version", "mcp-method", "mcp-name"],
        )
    return app


def serve(settings: Settings, listener: Listener, on_beat: Callable[[], None]) -> NoReturn:
    """Serve until SIGTERM or SIGINT. Calls then have `stop_seconds` to end, and the process exits.

    Args:
        settings: Settings.
        listener: Where to serve.
        on_beat: Called as soon as requests are answered, and once a second from then on.

    Raises:
        WarmerError: Collections, journal or tokens cannot be opened.
    """
    use_one_arena()
    anyio.run(_serve, settings, listener, on_beat)
    logging.shutdown()
    os._exit(0)  # a regular exit would abort while a model is still loading


async def _serve(settings: Settings, listener: Listener, on_beat: Callable[[], None]) -> None:
    app = build_app(settings, listener.host)
    config = uvicorn.Config(
        app,
        lifespan="off",  # entered below, where its errors can be reported
        log_config=None,
        access_log=False,
        backlog=1,  # connections accepted at once: a free worker takes the next, and none takes them all
        server_header=False,
        http=limited_protocol(settings.connections_per_address),
        timeout_graceful_shutdown=settings.stop_seconds,
    )
    ready = anyio.Event()
    server = _Server(config, ready.set)
    # For signals before uvicorn handles them, and those that it raises again at its end.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, server.request_stop)
    async with app.router.lifespan_context(app), anyio.create_task_group() as tasks:
        tasks.start_soon(_beat, ready, on_beat)
        await server.serve(sockets=[listener.sock])
        tasks.cancel_scope.cancel()


async def _beat(ready: anyio.Event, on_beat: Callable[[], None]) -> None:
    await ready.wait()
    while True:
        on_beat()
        await anyio.sleep(_BEAT_SECONDS)


class _Server(uvicorn.Server):
    """Calls `on_ready` once it has started."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for sock in sockets or []:
            sock.listen(BACKLOG)
        self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let calls end, and exit if one does not: work in a thread, such as a judge's, cannot be cancelled."""
        timer = Timer((self.config.timeout_graceful_shutdown or 0) + _SHUTDOWN_GRACE, _force_exit)
        timer.daemon = True
        timer.start()
        await super().shutdown(sockets)

    def request_stop(self, *_: object) -> None:
        """Ask the server to stop; for use as a signal handler."""
        self.should_exit = True


def _force_exit() -> None:
    _log.error("a call did not end in time, and is cut off")
    os._exit(1)
