"""Pictures that payloads of other collections name: shown from one folder, and from nowhere else."""

import base64
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio.to_thread
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp import Client
from mcp.types import ImageContent
from PIL import Image
from qdrant_client import models
from qdrant_server import QdrantServer

from warmer.embedding.pair import load_pair
from warmer.index import LEXICAL
from warmer.index.bm25 import document_words
from warmer.passage import PICTURE
from warmer.pictures.gallery import Gallery
from warmer_server.app import build_server
from warmer_server.cli import main
from warmer_server.settings import read_settings

Shown = tuple[Path, Path]


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    """A folder of pictures, and a picture outside of it, to which links lead."""
    top = tmp_path_factory.mktemp("top")
    inside, outside = top / "images", top / "images-of-others" / "secret.png"
    for file in (inside / "a b" / "cat.png", inside / "dog.jpg", outside):
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8), "red").save(file)
    (inside / "notes.txt").write_text("no picture")
    (inside / "folder.png").mkdir()
    (inside / "link.png").symlink_to(outside)
    (inside / "out").symlink_to(outside.parent)
    (inside / "loop.png").symlink_to(inside / "loop.png")
    (inside / "again.png").symlink_to(inside / "dog.jpg")
    return inside, outside


def test_what_is_inside_is_found(images: Shown) -> None:
    inside, _ = images
    gallery, cat = Gallery(inside), inside / "a b" / "cat.png"
    for value in ("a b/cat.png", "./a b/../a b/cat.png", str(cat), cat.as_uri(), f"file://localhost{cat}"):
        for name in ("image_url", "path", "uri"):
            assert gallery.find({name: value}, {}) == cat, (name, value)
    assert gallery.find({"image_url": "https://example.com/cat.png", "path": "dog.jpg"}, {}) == inside / "dog.jpg"
    assert gallery.find({"path": "again.png"}, {}) == inside / "dog.jpg"
    assert Gallery().find({"path": str(cat)}, {}) is None


def test_what_is_outside_is_not(images: Shown) -> None:
    inside, outside = images
    gallery = Gallery(inside)
    for value in (
        str(outside),
        outside.as_uri(),
        "../images-of-others/secret.png",
        "a b/../../images-of-others/secret.png",
        f"file://{inside}/%2e%2e/images-of-others/secret.png",
        "link.png",
        "out/secret.png",
        "loop.png",
        "folder.png",
        "notes.txt",
        "gone.png",
        "dog.jpg\0.png",
        "https://example.com/dog.jpg",
        "http://[::1/dog.jpg",
        "//example.com/dog.jpg",
        "file://example.com/dog.jpg",
        "data:image/png;base64,AAAA.png",
        "x" * 5000 + ".png",
        7,
        None,
        ["dog.jpg"],
    ):
        assert gallery.find({"path": value}, {}) is None, value
    roots = {"photos": str(inside)}
    for source in ("photos/../../images-of-others/secret.png", "photos/link.png", f"photos/{outside}", "other/dog.jpg"):
        assert gallery.find({PICTURE: "x", "source": source}, roots) is None
    assert gallery.find({PICTURE: "x", "source": "photos/dog.jpg"}, roots) == inside / "dog.jpg"


PARTS = st.sampled_from(
    ["..", ".", "a b", "out", "cat.png", "dog.jpg", "link.png", "secret.png", "/", "", "%2e%2e", "file://"]
)


@given(parts=st.lists(PARTS, min_size=1, max_size=6), prefix=st.sampled_from(["", "/", "file://", "file:", "//"]))
def test_nothing_leads_outside(images: Shown, parts: list[str], prefix: str) -> None:
    found = Gallery(images[0]).find({"uri": prefix + "/".join(parts)}, {})
    assert found is None or found.resolve().is_relative_to(images[0])


@pytest.fixture(scope="module")
def qdrant(pair: Path) -> Iterator[QdrantServer]:
    model = load_pair(str(pair))
    with QdrantServer() as server:
        size = models.VectorParams(size=model.dim, distance=models.Distance.COSINE)
        server.store.create_collection("products", size)
        for number, payload in enumerate(
            [
                {"name": "a cat", "image_url": "a b/cat.png", "picture": "theirs"},
                {"name": "a dog", "image_url": "https://example.com/dog.jpg"},
                {"name": "a secret", "image_url": "link.png"},
                {"name": "another dog", "path": "dog.jpg"},
            ]
        ):
            vector = model.embed_images([Image.new("RGB", (32, 32), (200, 40 * number, 30))])[0]
            point = models.PointStruct(id=number, vector=vector.tolist(), payload=payload)
            server.store.upsert("products", [point])
        yield server


@pytest.mark.anyio
async def test_a_collection_of_others_is_shown(
    qdrant: QdrantServer, images: Shown, pair: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"WARMER_RETRIEVERS": f"products={pair}", "WARMER_DATA_DIR": str(tmp_path), "QDRANT_URL": qdrant.url}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    assert await pictures_shown() == {}
    monkeypatch.setenv("WARMER_IMAGES", str(images[0]))
    shown = await pictures_shown()
    assert shown.keys() == {"a cat", "another dog"}
    assert Image.open(io.BytesIO(shown["a cat"])).size == (8, 8)


async def pictures_shown(query: str = "a red circle") -> dict[str, bytes]:
    """Search, and give what is shown by the text of its hit."""
    async with Client(build_server(read_settings())) as client:
        result: Any = await client.call_tool("search", {"query": query, "pictures": True})
    assert not result.is_error, result.content
    texts = {f"Picture of hit {hit['hit']}:": hit["text"] for hit in result.structured_content["hits"]}
    assert len(texts) == 4
    return {
        texts[said.text]: base64.b64decode(picture.data)
        for said, picture in zip(result.content[1::2], result.content[2::2], strict=True)
        if isinstance(picture, ImageContent)
    }


@pytest.mark.anyio
async def test_pictures_on_a_server_are_shown_from_the_folder(
    pair: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number, name in enumerate(("a", "b", "c", "d")):
        Image.new("RGB", (20, 20), (60 * number, 0, 0)).save(folder / f"{name}.png")
        (folder / f"{name}.txt").write_text(f"caption {name}")
    with QdrantServer() as server:
        command = ["index", str(folder), "--collection", "photos", "--image-model", str(pair), "--url", server.url]
        await anyio.to_thread.run_sync(main, command)
        (folder / "a.txt").write_text("The harbour master")
        (folder / "b.png").rename(folder / "e.png")
        (folder / "b.txt").rename(folder / "e.txt")
        before = {point.id for point in server.store.scroll("photos")[0]}
        await anyio.to_thread.run_sync(main, command)
        after: dict[Any, Any] = {one.id: one for one in server.store.scroll("photos", with_vectors=True)[0]}
        assert after.keys() == before
        for point in after.values():
            assert point.vector[LEXICAL].indices == document_words(point.payload["text"]).indices, point.payload
        Image.new("RGB", (9, 9), "white").save(folder / "d.png")  # not the one that was indexed
        settings = {"WARMER_IMAGE_MODEL": pair, "WARMER_DATA_DIR": tmp_path / "data", "QDRANT_URL": server.url}
        for name, value in {**settings, "WARMER_IMAGES": tmp_path}.items():
            monkeypatch.setenv(name, str(value))
        assert (await pictures_shown("harbour master")).keys() == {"The harbour master", "caption b", "caption c"}
