"""The connection to a Qdrant server: bounded in time, tried again only where that is safe."""

import asyncio
import math
import random
import warnings
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from itertools import count
from math import ceil
from typing import TypeVar
from urllib.parse import urlsplit

from qdrant_client import AsyncQdrantClient

from warmer.errors import EngineError, WarmerError
from warmer.index.remote.address import REST_PORT, read_address
from warmer.index.remote.faults import ERRORS, Place, ServerError

_T = TypeVar("_T")

GRPC_PORT = 6334
_ATTEMPTS = 3
_PROBE = 3.0  # seconds that the gRPC port is given to answer
_SECOND_BEST = 30.0  # seconds after which gRPC is tried again where REST had to do
_RESTART = 8  # pauses that a server which was there is given to come back: 4 seconds
_UNKNOWN = (0, 0)
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True, slots=True)
class Connection:
    """How to reach a server.

    Attributes:
        url: `https://host:6333`; a path in it is kept, for servers behind a proxy. Without a port 6333 is tried, with
            https 443 too.
        api_key: Sent with every call, and shown in no message.
        timeout: Seconds that one request to the server may take, with all its attempts.
        prefer_grpc: Whether to speak gRPC where its port answers; REST otherwise.
        grpc_port: Where gRPC is; 0: beside Qdrant's own REST port, and nowhere for other ports.
        pause: Seconds to wait at most before a second attempt, twice that before a third.
    """

    url: str
    api_key: str = field(default="", repr=False)
    timeout: float = 20
    prefer_grpc: bool = True
    grpc_port: int = 0
    pause: float = 0.5


_MEMORY = Place("memory")


class Remote:
    """A server: every call goes through `call`, every failure is a ServerError.

    Attributes:
        url: Where it is, without what must not be shown.
        embeds: Whether a text may be sent for the server to embed.
        exact: Whether every query looks at all points, without a graph.
    """

    def __init__(self, clients: list[AsyncQdrantClient], place: Place, timeout: float, pause: float = 0) -> None:
        """Take clients of one server, the preferred one first."""
        self.url = place.url
        self.exact = place == _MEMORY
        self.embeds = all(client.cloud_inference for client in clients)
        self._clients = clients
        self._place = place
        self._timeout = timeout
        self._pause = pause
        self._chosen: AsyncQdrantClient | None = None
        self._chosen_until = math.inf
        self._version = _UNKNOWN
        self._choosing = asyncio.Lock()

    @classmethod
    def local(cls, client: AsyncQdrantClient) -> "Remote":
        """Take qdrant-client's own engine for a server."""
        return cls([client], _MEMORY, timeout=600)

    async def call(
        self,
        ask: Callable[[AsyncQdrantClient], Awaitable[_T]],
        *,
        what: str,
        retry: bool = True,
        share: float = 1,
    ) -> _T:
        """Ask the server.

        Args:
            ask: The call.
            what: What it is for, to begin messages with: "searching 'docs'".
            retry: Whether doing it twice does no harm, so that it is tried again after a passing failure.
            share: The part of the connection's timeout that one attempt may take. Below 1 there are as many attempts as
                it allows, three at most otherwise.

        Raises:
            ServerError: It failed, or did not answer within the connection's timeout.
        """
        deadline = asyncio.get_running_loop().time() + self._timeout
        try:
            async with asyncio.timeout_at(deadline):
                return await self._attempts(ask, what, retry, share, deadline)
        except TimeoutError:
            raise self._place.late(what, self._timeout) from None

    async def version(self) -> tuple[int, int]:
        """Give the server's version, major and minor.

        Raises:
            ServerError: It cannot be reached, or is no Qdrant server.
        """

        async def ask(_: AsyncQdrantClient) -> tuple[int, int]:
            return self._version

        return await self.call(ask, what="asking for the server's version")

    async def close(self) -> None:
        """Close the connections."""
        for client in self._clients:
            await client.close()

    async def _attempts(
        self,
        ask: Callable[[AsyncQdrantClient], Awaitable[_T]],
        what: str,
        retry: bool,
        share: float,
        deadline: float,
    ) -> _T:
        clock = asyncio.get_running_loop().time
        attempts = (math.inf if share < 1 else _ATTEMPTS) if retry else 1
        each = self._timeout * share
        patience = clock() + _RESTART * self._pause if self._version != _UNKNOWN else 0.0
        for attempt in count(1):
            try:
                async with asyncio.timeout(each):
                    return await ask(await self._client(what))
            except WarmerError:
                raise
            except ERRORS as error:
                late = isinstance(error, TimeoutError)
                fault = self._place.late(what, each) if late else self._place.fault(error, what)
                if not fault.status:
                    self._chosen = None  # gRPC may be gone while REST is there
                pause = fault.retry_after or self._pause * min(attempt, _ATTEMPTS) * random.uniform(0.2, 1)  # noqa: S311
                most = 2 if fault.retry_after and attempts == _ATTEMPTS else attempts
                restarting = (fault.unsent or (attempts > 1 and not fault.status)) and clock() < patience
                again = fault.transient and (attempt < most or restarting)
                if not again or clock() + pause >= deadline:
                    raise fault from error
            await asyncio.sleep(pause)
        raise AssertionError

    async def _client(self, what: str) -> AsyncQdrantClient:
        """Choose the first client that is answered; the last one's failure is the reason if none is."""
        clock = asyncio.get_running_loop().time
        async with self._choosing:
            if clock() >= self._chosen_until:
                self._chosen = None
            for client in self._clients[:-1] if self._chosen is None else []:
                try:
                    async with asyncio.timeout(min(_PROBE, self._timeout / 2)):
                        await self._choose(client, what)
                    break
                except (*ERRORS, ServerError):
                    continue
            if self._chosen is None:
                await self._choose(self._clients[-1], what)
                self._chosen_until = clock() + _SECOND_BEST if len(self._clients) > 1 else math.inf
        assert self._chosen
        return self._chosen

    async def _choose(self, client: AsyncQdrantClient, what: str) -> None:
        said = (await client.info()).version
        major, minor, *_ = [*said.split("."), "", ""]
        if not (major.isdecimal() and minor.isdecimal()):
            message = f"{what}: {self.url} says it is version {said[:40]!r}: does QDRANT_URL name a Qdrant server?"
            raise ServerError(message, HTTPStatus.OK)
        self._version = int(major), int(minor)
        self._chosen, self._chosen_until = client, math.inf


def connect(connection: Connection) -> Remote:
    """Prepare a connection; the first call makes it.

    Raises:
        EngineError: The URL or the key cannot be used.
    """
    address = read_address(connection.url)
    key = connection.api_key.strip()
    if not (key.isascii() and key.isprintable()):
        raise EngineError("QDRANT_API_KEY contains a character that no key can have: copy it again")
    base = address.url
    beside = address.port == REST_PORT and not address.path
    grpc_port = connection.grpc_port or (GRPC_PORT if beside else 0)
    clients = [_make(base, key, connection.timeout, grpc_port)] if connection.prefer_grpc and grpc_port else []
    clients += [_make(url, key, connection.timeout, 0) for url in (base, address.other) if url]
    return Remote(clients, Place(address.shown, key), connection.timeout, connection.pause)


def _make(url: str, key: str, timeout: float, grpc_port: int) -> AsyncQdrantClient:
    with warnings.catch_warnings():
        if urlsplit(url).hostname in _LOOPBACK:
            warnings.filterwarnings("ignore", message="Api key is used with an insecure connection")
        return AsyncQdrantClient(
            url=url,
            api_key=key or None,
            timeout=ceil(timeout),
            prefer_grpc=bool(grpc_port),
            grpc_port=grpc_port or GRPC_PORT,
            check_compatibility=False,
            cloud_inference=True,
        )
