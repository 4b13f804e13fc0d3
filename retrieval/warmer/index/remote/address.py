"""The address of a Qdrant server, as people write it."""

import re
from typing import NamedTuple
from urllib.parse import urlsplit

from warmer.errors import EngineError

REST_PORT = 6333
_PROXY_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"[\w.-]+|[\da-f.]*:[\da-f:.]*(%\w+)?", re.ASCII)
_EXAMPLE = "write it as http://localhost:6333"


class Address(NamedTuple):
    """Where a server is.

    Attributes:
        url: The whole, with the port, and nothing that must not be shown.
        port: Where none is given 6333, or with a path, which only a proxy has, 443 or 80.
        path: Of a proxy; empty, or with a slash in front.
        other: Where else it may be: behind port 443, if https was given without a port; empty otherwise.
    """

    url: str
    port: int
    path: str
    other: str = ""

    @property
    def shown(self) -> str:
        """The address for people, with the port that was not given."""
        return f"{self.url} (or port {_PROXY_PORTS['https']})" if self.other else self.url


def read_address(text: str) -> Address:
    """Read an address; what may be a password is in no message.

    Raises:
        EngineError: It is none, or has a user or a password in it.
    """
    text = text.strip()
    if "@" in text:
        raise EngineError(f"QDRANT_URL has a user or a password in it: {_EXAMPLE}, and put the key in QDRANT_API_KEY")
    try:
        url = urlsplit(text)
        given = url.port
        host = (url.hostname or "").encode("idna").decode()
    except ValueError:
        raise EngineError(f"QDRANT_URL has an invalid host or port: {_EXAMPLE}") from None
    if url.scheme not in {"http", "https"} or not url.netloc:
        shown = "no http:// address" if url.netloc else repr(text[:80])
        raise EngineError(f"QDRANT_URL is {shown}: {_EXAMPLE}")
    path = url.path.rstrip("/").removesuffix("/dashboard")
    if not _HOST.fullmatch(host) or not path.isprintable():
        raise EngineError(f"QDRANT_URL contains a character that no address can have: {_EXAMPLE}")
    port = given or (_PROXY_PORTS[url.scheme] if path else REST_PORT)
    base = f"{url.scheme}://{f'[{host}]' if ':' in host else host}"
    other = "" if given or path or url.scheme == "http" else f"{base}:{_PROXY_PORTS['https']}"
    return Address(f"{base}:{port}{path}", port, path, other)
