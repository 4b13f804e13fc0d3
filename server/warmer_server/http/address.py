"""Listen on an address, and choose the Host and Origin headers to accept."""

import logging
import socket
from collections.abc import Iterable
from ipaddress import ip_address

from mcp.server.transport_security import TransportSecuritySettings
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from warmer.errors import WarmerError

_LOCAL_NAMES = ("127.0.0.1", "localhost", "[::1]")
_SDK_LOGGER = "mcp.server.transport_security"
BACKLOG = 2048
_SETTINGS = {"Invalid Host": "WARMER_ALLOWED_HOSTS", "Invalid Origin": "WARMER_ALLOWED_ORIGINS"}
_WHAT_TO_DO = {
    "WARMER_ALLOWED_HOSTS": "names the hosts by which this server may be called: add the one that the client uses",
    "WARMER_ALLOWED_ORIGINS": "names the web pages that may call this server: add the page's origin, such as "
    "https://app.example.com",
}


def is_local(host: str) -> bool:
    """Return whether a host can only be reached from this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def bind(host: str, port: int) -> socket.socket:
    """Return a socket that listens on an address.

    Raises:
        WarmerError: This machine does not have the address, or it is in use.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        sock = socket.socket(family, kind, protocol)
    except OSError as error:
        raise WarmerError(
            f"cannot listen on {host}: {error.strerror}: --host must be an address of this machine"
        ) from error
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        sock.listen(BACKLOG)
    except OSError as error:
        sock.close()
        raise WarmerError(
            f"cannot listen on {host}:{port}: {error.strerror}: choose another --host or --port"
        ) from error
    return sock


def socket_url(sock: socket.socket) -> str:
    """Return the URL of a socket on this machine."""
    host, port = sock.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/mcp"


def transport_security(host: str, hosts: Iterable[str], origins: Iterable[str]) -> TransportSecuritySettings:
    """Return the Host and Origin headers to accept, so that no foreign page reaches the server through a browser.

    Args:
        host: Address that the server listens on.
        hosts: Further names of the server, such as a proxy's. Those without a port are accepted with any.
        origins: Origins of pages that may call the server, such as https://app.example.com.
    """
    logging.getLogger(_SDK_LOGGER).addFilter(_name_setting)
    own = f"[{host}]" if ":" in host else host
    names = dict.fromkeys((*_LOCAL_NAMES, own, *hosts))
    with_ports = [f"{name}:*" for name in names if name.endswith("]") or ":" not in name]
    local = [f"http://{name}{port}" for name in _LOCAL_NAMES for port in ("", ":*")]
    return TransportSecuritySettings(allowed_hosts=[*names, *with_ports], allowed_origins=[*local, *origins])


def _name_setting(record: logging.LogRecord) -> bool:
    """Add the setting to the SDK's log line about a refused header."""
    for beginning, setting in _SETTINGS.items():
        if str(record.msg).startswith(beginning):
            record.msg = f"{setting} does not have it: {record.msg}"
    return True


class RefusedHeaders:
    """ASGI middleware that says in the answer to a refused Host or Origin header which setting accepts it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and complete the text of a refusal."""
        start: Message = {}

        async def complete(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start" and message["status"] in {403, 421}:
                start = message  # sent with the body, whose length it tells
            elif start:
                body = _explained(message.get("body", b""))
                headers = [pair for pair in start["headers"] if pair[0].lower() != b"content-length"]
                await send({**start, "headers": [*headers, (b"content-length", str(len(body)).encode())]})
                start = {}
                await send({**message, "body": body})
            else:
                await send(message)

        await self._app(scope, receive, complete)


def _explained(body: bytes) -> bytes:
    for beginning, setting in _SETTINGS.items():
        if body.startswith(beginning.encode()):
            return f"{body.decode()}: {setting} {_WHAT_TO_DO[setting]}".encode()
    return body
