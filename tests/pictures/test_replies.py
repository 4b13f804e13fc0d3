"""Pictures of hits in replies, through the SDK's own client, and scores of them."""

import base64
import io
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio.to_thread
import numpy as np
import pytest
from mcp import Client
from mcp.types import CallToolResult, ImageContent, TextContent
from PIL import Image

from warmer_evals.pictures.drawn import Drawing
from warmer_server.app import build_server
from warmer_server.cli import main
from warmer_server.settings import Settings

pytestmark = pytest.mark.anyio
Index = Callable[..., str]
Drawn = tuple[Path, list[Drawing]]


@asynccontextmanager
async def connected() -> AsyncIterator[Client]:
    async with Client(build_server(Settings())) as client:
        yield client


async def call(client: Client, tool: str, **arguments: Any) -> tuple[dict[str, Any], list[tuple[int, bytes]]]:
    """Call a tool; gives what it says, and the pictures that it shows by the number of their hit."""
    result: CallToolResult = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    assert result.structured_content
    shown = []
    for said, picture in zip(result.content[1::2], result.content[2::2], strict=True):
        assert isinstance(said, TextContent)
        assert isinstance(picture, ImageContent)
        assert picture.mime_type == "image/jpeg"
        number = int(said.text.removeprefix("Picture of hit ").removesuffix(":"))
        shown.append((number, base64.b64decode(picture.data)))
    return result.structured_content, shown


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def journal_of(data: Path) -> bytes:
    return b"".join(file.read_bytes() for file in data.glob("journal.sqlite3*"))


def drawing_of(hit: dict[str, Any], drawn: Drawn) -> Drawing:
    return drawn[1][int(Path(hit["source"]).stem)]


@pytest.mark.usefixtures("drawings_collection")
async def test_pictures_are_found_by_words_shown_scored_and_read(data: Path, drawn: Drawn) -> None:
    async with connected() as client:
        silent, shown = await call(client, "search", query="a red cross top left", limit=5)
        assert shown == []
        assert "pictures=true" in silent["next"]
        first, shown = await call(client, "search", query="a red cross top left", limit=5, pictures=True)
        assert [hit["source"] for hit in first["hits"]] == [hit["source"] for hit in silent["hits"]]
        assert "pictures=true" not in first["next"]
        assert [number for number, _ in shown] == [hit["hit"] for hit in first["hits"]] == [1, 2, 3, 4, 5]
        assert drawing_of(first["hits"][0], drawn).colour == "red"
        for (_, data_), hit in zip(shown, first["hits"], strict=True):
            original = np.asarray(Image.open(drawn[0] / Path(hit["source"]).name), np.int16)
            assert np.abs(np.asarray(opened(data_), np.int16) - original).mean() < 5
        scores = {str(hit["hit"]): 10 if drawing_of(hit, drawn).shape == "cross" else 0 for hit in first["hits"]}
        second, shown = await call(
            client, "give_feedback", search_id=first["search_id"], scores=scores, limit=3, pictures=True
        )
        assert second["outcome"] == "steered"
        assert [number for number, _ in shown] == [6, 7, 8]
        read, shown = await call(client, "search", search_id=first["search_id"], read=[3], pictures=True)
        assert [number for number, _ in shown] == [3]
        assert read["hits"][0]["source"] == first["hits"][2]["source"]
        assert "metadata" not in read["hits"][0]
        again, _ = await call(client, "search", query="a red cross top left", limit=5, pictures=True)
        assert {hit["hit"] for hit in again["hits"] if "earlier" in hit}, "the earlier scores are not remembered"
    page = data.parent / "thread.html"
    await anyio.to_thread.run_sync(main, ["journal", "show", "--html", str(page)])
    thumbnails = re.findall(r'<img alt="([^"]+)" src="data:image/jpeg;base64,([^"]+)">', page.read_text())
    assert len(thumbnails) == page.read_text().count("<tr><td")
    assert opened(base64.b64decode(thumbnails[0][1])).size == (96, 96)
    assert {alt.split("/")[0] for alt, _ in thumbnails} <= {"picture photos", "The badge of the harbour master"}
    journal = journal_of(data)
    assert b"red cross" in journal
    assert b"\xff\xd8\xff" not in journal
    assert b"/9j/" not in journal


@pytest.mark.usefixtures("drawings_collection")
async def test_captions_are_searched_by_words() -> None:
    async with connected() as client:
        found, _ = await call(client, "search", query="badge of the harbour master", limit=5)
        assert "009.png" in {Path(hit["source"]).name for hit in found["hits"]}
        told = next(hit for hit in found["hits"] if hit["source"].endswith("009.png"))
        assert (told["title"], told["text"]) == ("Signs", "The badge of the harbour master")


async def test_pictures_keep_within_bounds(index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    upright = Image.effect_noise((300, 1200), 90).convert("RGB")
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    upright.save(folder / "noise.jpg", exif=exif, quality=95)
    Image.new("RGBA", (40, 40), (0, 0, 0, 0)).save(folder / "clear.png")
    monkeypatch.setenv("WARMER_THUMBNAIL_SIDE", "128")
    monkeypatch.setenv("WARMER_THUMBNAIL_BYTES", "3000")
    monkeypatch.setenv("WARMER_PICTURE_SIDE", "600")
    index(folder)
    async with connected() as client:
        found, shown = await call(client, "search", query="a square", pictures=True)
        by_name = {Path(hit["source"]).name: data for hit, (_, data) in zip(found["hits"], shown, strict=True)}
        noise, clear = opened(by_name["noise.jpg"]), opened(by_name["clear.png"])
        assert noise.width > 3 * noise.height
        assert noise.width <= 128
        assert len(by_name["noise.jpg"]) <= 3000
        assert clear.getpixel((20, 20)) == (255, 255, 255)
        numbers = [hit["hit"] for hit in found["hits"]]
        _, read = await call(client, "search", search_id=found["search_id"], read=numbers, pictures=True)
        assert max(opened(data).width for _, data in read) == 600
        Image.new("RGB", (40, 40), "red").save(folder / "clear.png")
        replaced, shown = await call(client, "search", query="a square", pictures=True)
        kept = [hit["hit"] for hit in replaced["hits"] if hit["source"] == "photos/noise.jpg"]
        assert [number for number, _ in shown] == kept, "another picture of the same name is shown"
        for file in folder.iterdir():
            file.unlink()
        (folder / "noise.jpg").symlink_to(tmp_path / "other.jpg")
        upright.save(tmp_path / "other.jpg")
        _, shown = await call(client, "search", query="a circle", pictures=True)
        assert shown == []


async def test_a_collection_of_texts_shows_none(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WARMER_DATA_DIR", str(data_dir))
    async with connected() as client:
        found, shown = await call(client, "search", query="something that slows down", limit=3, pictures=True)
        assert len(found["hits"]) == 3
        assert shown == []
        assert "pictures" not in found["next"]
