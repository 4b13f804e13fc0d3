"""A folder of drawings, a pair of models that sees them, and a collection of both: made once."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from warmer_evals.pictures.drawn import Drawing, drawings
from warmer_evals.pictures.pair import make_pair
from warmer_server.cli import main

Index = Callable[..., str]


@pytest.fixture(scope="session")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_pair(tmp_path_factory.mktemp("models") / "pair")


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Drawing]]:
    """80 drawings in a folder, the tenth with a caption."""
    folder = tmp_path_factory.mktemp("drawn") / "photos"
    folder.mkdir()
    shown = []
    for number, (drawing, picture) in enumerate(drawings(80)):
        picture.save(folder / f"{number:03}.png")
        shown.append(drawing)
    (folder / "009.json").write_text(json.dumps({"title": "Signs", "caption": "The badge of the harbour master"}))
    return folder, shown


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory, pair: Path, drawn: tuple[Path, list[Drawing]]) -> Path:
    """A data directory with the collection `photos` of all drawings."""
    folder = tmp_path_factory.mktemp("built") / "data"
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("WARMER_DATA_DIR", str(folder))
        main(["index", str(drawn[0]), "--collection", "photos", "--image-model", str(pair)])
    return folder


@pytest.fixture
def drawings_collection(data: Path, built: Path) -> Path:
    """A copy of it, for one test alone."""
    data.mkdir(exist_ok=True)
    subprocess.run(["cp", "-r", built / "collections", data], check=True)  # keeps sparse files sparse
    return data


@pytest.fixture
def data(tmp_path: Path, pair: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WARMER_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("WARMER_IMAGE_MODEL", str(pair))
    return tmp_path / "data"


@pytest.fixture
def index(data: Path, pair: Path, capsys: pytest.CaptureFixture[str]) -> Index:
    def index(*arguments: object, model: str = str(pair)) -> str:
        main(["index", *map(str, arguments), "--collection", "photos", "--image-model", model])
        return capsys.readouterr().err

    assert data
    return index


@pytest.fixture
def picture() -> Image.Image:
    return next(iter(drawings(1)))[1]
