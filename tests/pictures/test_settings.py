"""Settings of pictures: what `warmer status` and `warmer doctor` say of them, and errors that name them."""

from pathlib import Path

import pytest

from warmer.errors import WarmerError
from warmer_server.cli import main
from warmer_server.doctor import local
from warmer_server.settings import Settings, read_settings


@pytest.mark.usefixtures("drawings_collection")
def test_status_finds_a_collection_of_pictures_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    main(["status"])
    said = capsys.readouterr().out
    assert "photos: 80 passages" in said
    assert "WARMER_IMAGE_MODEL" not in said
    assert "queries are embedded by" not in said


@pytest.mark.anyio
@pytest.mark.usefixtures("drawings_collection")
async def test_doctor_finds_a_collection_of_pictures_in_order(pair: Path) -> None:
    found = [*[one async for one in local.models(Settings())], *[one async for one in local.collections(Settings())]]
    assert [one.state for one in found] == ["ok"] * 3, found
    assert f"{pair}: " in found[1].said


@pytest.mark.usefixtures("drawings_collection")
@pytest.mark.parametrize(
    ("model", "problem"),
    [
        ("no/such", "cannot load the model of pictures 'no/such': there is no such pair"),
        ("json:JSONDecoder", "failed on 'dimension'"),
        ("dark_of_tests:Dark", "queries are embedded by 'dark': set WARMER_IMAGE_MODEL to the former"),
    ],
)
def test_a_wrong_model_is_named_with_its_setting(
    model: str, problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "dark_of_tests.py").write_text(
        "class Dark:\n    name = 'dark'\n    def embed_query(self, text):\n        return [1.0, 0.0]\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("WARMER_IMAGE_MODEL", model)
    with pytest.raises(SystemExit, match=problem):
        main(["search", "a red cross", "--collection", "photos"])


def test_the_folder_of_pictures_must_be_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    for name in ("file", "missing"):
        monkeypatch.setenv("WARMER_IMAGES", str(tmp_path / name))
        with pytest.raises(WarmerError, match=f"WARMER_IMAGES.*{name} is not a folder"):
            read_settings()
