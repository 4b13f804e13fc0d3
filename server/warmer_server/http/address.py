"""Where a server listens, and which Host and Origin headers it answers to."""

import logging
import socket
from collections.abc import Iterable
from ipaddress import ip_address

from mcp.server.transport_security import TransportSecuritySettings

from warmer.errors import WarmerError

_LOCAL = ("127.0.0.1", "localhost", "[::1]")
_SDK = "mcp.server.transport_security"
BACKLOG = 2048
_REFUSED = {"Invalid Host": "WARMER_ALLOWED_HOSTS", "Invalid Origin": "WARMER_ALLOWED_ORIGINS"}


def is_local(host: str) -> bool:
    """Say whether a host is reached from this machine alone."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def bind(host: str, port: int) -> socket.socket:
    """Listen.

    Raises:
        WarmerError: The address is none of this machine's, or is taken.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        sock = socket.socket(family, kind, protocol)
    except OSError as error:
        raise WarmerError(
            f"cannot listen on {host}: {error.strerror}: --host names an address of this machine"
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


def url(sock: socket.socket) -> str:
    """Give the URL that a socket is reached by, on this machine."""
    host, port = sock.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/mcp"


def security(host: str, hosts: Iterable[str], origins: Iterable[str]) -> TransportSecuritySettings:
    """Check the headers wherever the server listens: a page elsewhere must not reach it through a browser.

    Args:
        host: Where it listens.
        hosts: Further names that it is called by, such as a proxy's; with any port, unless they have one.
        origins: Pages that may call it, such as https://app.example.com.
    """
    logging.getLogger(_SDK).addFilter(_advised)
    own = f"[{host}]" if ":" in host else host
    names = dict.fromkeys((*_LOCAL, own, *hosts))
    with_ports = [f"{name}:*" for name in names if name.endswith("]") or ":" not in name]
    local = [f"http://{name}{port}" for name in _LOCAL for port in ("", ":*")]
    return TransportSecuritySettings(allowed_hosts=[*names, *with_ports], allowed_origins=[*local, *origins])


def _advised(record: logging.LogRecord) -> bool:
    """Let the SDK's line on a header that it refuses name the setting."""
    for said, setting in _REFUSED.items():
        if str(record.msg).startswith(said):
            record.msg = f"{setting} does not have it: {record.msg}"
    return True
