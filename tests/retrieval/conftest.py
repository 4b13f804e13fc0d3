from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from qdrant_client import AsyncQdrantClient
from remote_engine import NO_SERVER, delete, real_server
from shared_stores import Open, on_server, qdrant, sqlite

KINDS = ["sqlite", "qdrant", "server"]


@pytest.fixture(params=KINDS)
def open_memory(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Open one and the same journal, parameters and jobs, as every process does."""
    yield from opener(request.param, tmp_path / "j")


@pytest.fixture(params=KINDS)
def open_other(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Open another one."""
    yield from opener(request.param, tmp_path / "other")


def opener(kind: str, path: Path) -> Iterator[Open]:
    if kind == "sqlite":
        yield sqlite(path)
    elif kind == "qdrant":
        yield qdrant(AsyncQdrantClient(":memory:"))
    elif connection := real_server():
        name = f"warmer-test-{uuid4().hex}"
        yield on_server(connection, name)
        delete(connection, name)
    else:
        pytest.skip(NO_SERVER)
