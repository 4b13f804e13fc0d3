import json
import signal
import subprocess
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from environment import forget_settings
from hypothesis import settings
from support import Api, Reference

from warmer.embedding import Embedder
from warmer.embedding.fastembedder import load
from warmer.index.edge.catalog import Catalog
from warmer.passage import Passage
from warmer.publishing.embedded.publish import index_passages

forget_settings()
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell lets processes in the background ignore it
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
    """A data directory with the collection `notes`, for this test alone; others may have written a journal there."""
    folder = tmp_path / "data"
    folder.mkdir()
    subprocess.run(["cp", "-r", made_once / "collections", folder], check=True)  # keeps sparse files sparse
    return folder


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    served = Api()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["content-length"])))
            status, answer = served.next(request)
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.send_header("retry-after-ms", "1")  # otherwise the SDK waits half a second or more
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        monkeypatch.setenv("ANTHROPIC_BASE_URL", f"http://127.0.0.1:{server.server_address[1]}")
        monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-dummy-key")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        yield served
        server.shutdown()
        thread.join()
