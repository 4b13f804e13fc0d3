"""`warmer index --image-model`: a folder of pictures becomes a collection, with captions, within limits."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from zlib import crc32

import numpy as np
import pytest
from PIL import Image

from warmer.index.edge.catalog import Catalog
from warmer.publishing.embedded.published import PublishedGeneration
from warmer_server.cli import main

Index = Callable[..., str]


def stored(data: Path) -> dict[str, dict[str, object]]:
    """Map the last part of each source to its point."""
    points = PublishedGeneration(Catalog(data).generations("photos")).payloads()
    return {payload["source"].split("/", 1)[1]: {"id": id_, **payload} for id_, payload in points}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Pictures with captions of all kinds, odd ones and broken ones."""
    folder = tmp_path / "photos"
    (folder / "more").mkdir(parents=True)
    for number, name in enumerate(["a.png", "b.jpg", "more/c.webp", "d.gif", "e.png", "f.png"]):
        Image.new("RGB", (20, 30), (40 * number, 0, 0)).save(folder / name)
    (folder / "a.txt").write_text("A harbour\nat dawn\n")
    (folder / "b.jpg.json").write_text(json.dumps({"title": "Boats", "alt": "Two boats", "width": 3}))
    (folder / "d.json").write_text("[1]")
    (folder / "page.md").write_text("![Three gulls](more/c.webp) <img src='e.png' alt='A pier'> ![x](https://a/e.png)")
    (folder / "more" / "page.html").write_text("<img src='../e.png' alt='The same pier'><img src='../a.png' alt='no'>")
    (folder / "notes.rst").write_text("Nothing\n")
    (folder / "notes.txt").write_text("Of no picture\n")
    (folder / "drawing.svg").write_text("<svg/>")
    _add_odd(folder)
    _add_broken(folder)
    return folder


def _add_odd(folder: Path) -> None:
    red, blue = (Image.new("P", (9, 9), colour) for colour in (3, 7))
    red.save(folder / "moving.gif", save_all=True, append_images=[blue])
    Image.new("CMYK", (9, 9), (10, 200, 30, 0)).save(folder / "PRINT.JPG")
    Image.fromarray(np.arange(81, dtype=np.uint16).reshape(9, 9) * 800).save(folder / "deep.png")
    Image.new("LA", (9, 9), (200, 100)).save(folder / "grey.png")
    Image.new("RGB", (9, 9), "blue").save(folder / "plain.png")
    (folder / "moving.txt").write_text("  \n")
    (folder / "PRINT.TXT").write_text("In upper case")
    (folder / "deep.txt").write_text("word " * 50_000)
    (folder / "grey.json").write_text('{"title": "A \\ud83d", "text": "cut \\ud83d"}')
    (folder / "plain.txt").write_bytes("Käse am Hafen".encode("latin-1"))


def _add_broken(folder: Path) -> None:
    whole = (folder / "a.png").read_bytes()
    (folder / "cut.png").write_bytes(whole[: len(whole) // 2])
    (folder / "text.jpg").write_text("no picture")
    (folder / "empty.gif").touch()
    Image.new("RGB", (9, 9)).save(folder / "other.webp", "BMP")
    (folder / "huge.png").write_bytes(_of_size(whole, 20_000, 20_000))
    (folder / "long.png").write_bytes(whole + b"\0" * 2**20)


@pytest.fixture
def indexed(index: Index, folder: Path) -> str:
    """What was said when the folder was indexed."""
    return index(folder, "--max-size", "0.5")


def test_what_pictures_show_and_what_is_left_out(index: Index, indexed: str, data: Path, folder: Path) -> None:
    assert "photos: 11 pictures, 11 files read, 11 embedded" in indexed
    assert "1 of an unsupported kind: *.svg" in indexed
    assert "2 no picture: *.rst (1), *.txt (1)" in indexed
    for name in ("cut.png", "text.jpg", "empty.gif", "other.webp"):
        assert f"{folder / name}: is not a picture that can be decoded" in indexed
    assert "1 of too many pixels" in indexed
    assert f"{folder / 'huge.png'}: " in indexed
    assert "long.png: larger than 0.5 MB" in indexed
    points = stored(data)
    assert points["deep.png"]["text"] == ("word " * 800)[:4000]
    said = {name: (point["title"], point["text"]) for name, point in points.items() if name != "deep.png"}
    assert said == {
        "a.png": ("", "A harbour\nat dawn"),
        "b.jpg": ("Boats", "Two boats"),
        "more/c.webp": ("", "Three gulls"),
        "d.gif": ("", ""),
        "e.png": ("", "The same pier\nA pier"),
        "f.png": ("", ""),
        "moving.gif": ("", ""),
        "PRINT.JPG": ("", "In upper case"),
        "grey.png": ("A ?", "cut ?"),
        "plain.png": ("", "Käse am Hafen"),
    }
    (folder / "a.txt").write_text("Another caption")
    (folder / "f.png").rename(folder / "more" / "f.png")
    assert "11 pictures, 11 files read, 0 embedded\nfiles: 1 moved" in index(folder, "--max-size", "0.5")
    again = stored(data)
    assert again["a.png"]["text"] == "Another caption"
    assert [again[now]["id"] for now in ("a.png", "more/f.png")] == [points[was]["id"] for was in ("a.png", "f.png")]
    assert "nothing had changed" in index(folder, "--max-size", "0.5")


def _of_size(png: bytes, width: int, height: int) -> bytes:
    """Let a PNG claim another size, with a checksum that fits."""
    header = b"IHDR" + width.to_bytes(4, "big") + height.to_bytes(4, "big") + png[24:29]
    return png[:12] + header + crc32(header).to_bytes(4, "big") + png[33:]


@pytest.mark.usefixtures("data_dir", "drawings_collection")
def test_a_model_is_named_rightly_or_refused(index: Index, picture: Image.Image, tmp_path: Path, pair: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    picture.save(folder / "a.png")
    (folder / "note.md").write_text("# Words\n\nOf another model.\n")
    for model, problem in (
        ("no/such", "cannot load the model of pictures 'no/such'"),
        (str(tmp_path), "cannot load the model of pictures"),
        ("json:JSONDecoder", "cannot load the retriever json:JSONDecoder|failed on 'dimension'"),
        (str(tmp_path / "half"), "lacks vision/model.onnx"),
    ):
        (tmp_path / "half" / "vision").mkdir(parents=True, exist_ok=True)
        with pytest.raises(SystemExit, match=problem):
            index(folder, "--replace", model=model)
    with pytest.raises(SystemExit, match=r"the collection was embedded by 'pair@.*, and EMBEDDING_MODEL is"):
        main(["index", str(folder / "note.md"), "--collection", "photos"])
    with pytest.raises(SystemExit, match="and --image-model is 'pair@"):
        main(["index", str(folder), "--collection", "notes", "--image-model", str(pair)])


class Brightness:
    """A retriever of one's own, which knows light from dark."""

    name = "brightness"

    def embed_query(self, text: str) -> list[float]:
        return [1.0, 0.0] if "light" in text else [0.0, 1.0]

    def embed_images(self, pictures: list[Image.Image]) -> list[list[float]]:
        light = [float(np.asarray(picture).mean()) for picture in pictures]
        return [[one, 255 - one] for one in light]


def test_a_retriever_of_ones_own_sees(
    index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "brightness_of_tests", sys.modules[__name__])
    monkeypatch.setenv("WARMER_IMAGE_MODEL", "brightness_of_tests:Brightness")
    folder = tmp_path / "photos"
    folder.mkdir()
    for name, grey in (("night.png", 10), ("noon.png", 240)):
        Image.new("RGB", (8, 8), (grey, grey, grey)).save(folder / name)
    index(folder, model="brightness_of_tests:Brightness")
    main(["search", "something light", "--collection", "photos", "--json"])
    assert json.loads(capsys.readouterr().out)["hits"][0]["source"] == "photos/noon.png"
