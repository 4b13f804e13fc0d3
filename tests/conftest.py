import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from support import Reference

from warmer.embedding import Embedder
from warmer.embedding.fastembedder import load
from warmer.index.catalog import Catalog
from warmer.indexing import index_passages
from warmer.passage import Passage

settings.register_profile("warmer", deadline=None)
settings.load_profile("warmer")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def embedder() -> Embedder:
    return load()


@pytest.fixture(scope="session")
def reference() -> Reference:
    raw = json.loads((Path(__file__).parent / "data" / "reference.json").read_text(encoding="utf-8"))
    passages = [Passage(p["text"], p["title"], f"notes/{p['title']}.md", n + 1) for n, p in enumerate(raw["passages"])]
    return Reference(raw["queries"], passages, np.array(raw["cosines"]))


@pytest.fixture(scope="session")
def make_collection(embedder: Embedder, reference: Reference) -> Callable[[Path, str], Path]:
    """Index the reference passages into a data directory, under a name."""

    def make(data_dir: Path, name: str = "notes") -> Path:
        generations = Catalog(data_dir).generations(name)
        index_passages(generations, reference.passages, embedder, roots={"notes": Path("/notes")})
        return data_dir

    return make


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory, make_collection: Callable[[Path, str], Path]) -> Path:
    return make_collection(tmp_path_factory.mktemp("made"), "notes")


@pytest.fixture
def data_dir(tmp_path: Path, made_once: Path) -> Path:
    """A data directory with the collection `notes`."""
    subprocess.run(["cp", "-r", made_once, tmp_path / "data"], check=True)  # keeps sparse files sparse
    return tmp_path / "data"
