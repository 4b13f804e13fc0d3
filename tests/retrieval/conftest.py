from pathlib import Path

import pytest
from qdrant_client import AsyncQdrantClient
from shared_stores import Open, qdrant, sqlite


@pytest.fixture(params=["sqlite", "qdrant"])
def open_memory(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    """Open one and the same journal, parameters and jobs, as every process does."""
    return sqlite(tmp_path / "j") if request.param == "sqlite" else qdrant(AsyncQdrantClient(":memory:"))


@pytest.fixture(params=["sqlite", "qdrant"])
def open_other(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    """Open another one."""
    return sqlite(tmp_path / "other") if request.param == "sqlite" else qdrant(AsyncQdrantClient(":memory:"))
