"""The address of a Qdrant server, as people write it."""

import re
from typing import NamedTuple
from urllib.parse import urlsplit

from warmer.errors import EngineError

REST_PORT = 6333
_HOST = re.compile(r"[\w.-]+|[\da-f.]*:[\da-f:.]*(%\w+)?", re.ASCII)
_EXAMPLE = "write it as http://localhost:6333"


class Address(NamedTuple):
    """Where a server is.

    Attributes:
        url: The whole, with the port, and nothing that must not be shown.
        port: 6333 where none is given.
        path: Of a proxy; empty, or with a slash in front.
    """

    url: str
    port: int
    path: str


def read_address(text: str) -> Address:
    """Read an address; what may be a password is in no message.

    Raises:
        EngineError: It is none, or has a user or a password in it.
    """
    text = text.strip()
    if "@" in text:
        raise EngineError(f"QDRANT_URL has a user or a password in it: {_EXAMPLE}, and the key into QDRANT_API_KEY")
    try:
        url = urlsplit(text)
        port = url.port or REST_PORT
        host = (url.hostname or "").encode("idna").decode()
    except ValueError:
        raise EngineError(f"QDRANT_URL has a host or a port that is none: {_EXAMPLE}") from None
    if url.scheme not in {"http", "https"} or not url.netloc:
        shown = "no http:// address" if url.netloc else repr(text[:80])
        raise EngineError(f"QDRANT_URL is {shown}: {_EXAMPLE}")
    path = url.path.rstrip("/").removesuffix("/dashboard")
    if not _HOST.fullmatch(host) or not path.isprintable():
        raise EngineError(f"QDRANT_URL has a character that no address has: {_EXAMPLE}")
    return Address(f"{url.scheme}://{f'[{host}]' if ':' in host else host}:{port}{path}", port, path)
