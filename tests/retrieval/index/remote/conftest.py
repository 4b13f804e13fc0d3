from collections.abc import AsyncIterator

import pytest
from qdrant_server import QdrantServer

from warmer.index.remote.client import Connection, Remote, connect


@pytest.fixture
async def remote(server: QdrantServer, anyio_backend: str) -> AsyncIterator[Remote]:  # noqa: ARG001
    connected = connect(Connection(server.url, pause=0.001))
    yield connected
    await connected.close()
