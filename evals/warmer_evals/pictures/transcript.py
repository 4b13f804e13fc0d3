"""Write down what an MCP client sends and gets: `python -m warmer_evals.pictures.transcript [FILE]`.

The SDK's client talks to a server over stdio about drawings: it searches in words, looks at thumbnails, scores them as
one would who sees them, gets the next list, and has one picture shown larger. Base64 is shortened.
"""

import base64
import io
import json
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any

import anyio
from mcp import Client, StdioServerParameters
from mcp.types import CallToolResult, ContentBlock, ImageContent, TextContent
from PIL import Image

from warmer_evals.pictures.drawn import Drawing, drawings
from warmer_evals.pictures.pair import make_pair
from warmer_server.cli import main as warmer

_OUT = Path("evals/results/pictures-transcript.md")
_PICTURES, _SHOWN = 300, 5
_QUERY = "a cross at the top left"
_BASE64 = 60  # characters of it that are shown
_ABOUT = """# A client's transcript with pictures

{count} drawings, indexed and searched by the small pair of `warmer_evals.pictures.pair`, whose words are vague on
purpose; no weights of CLIP. The client is the MCP SDK's, over stdio; scores are what one who sees gives: 10 for a cross
at the top left, 5 for one elsewhere or for something else in that corner, 0 for the rest.
Made by `python -m warmer_evals.pictures.transcript`; base64 is shortened.
"""


def main(out: Path, work: Path) -> None:
    """Index drawings in a folder of its own, talk to a server about them, and write what was said."""
    photos, pair = work / "photos", make_pair(work / "pair")
    photos.mkdir()
    shown = []
    for number, (drawing, picture) in enumerate(drawings(_PICTURES)):
        picture.save(photos / f"{number:04}.png")
        shown.append(drawing)
    settings = {"WARMER_DATA_DIR": str(work / "data"), "WARMER_IMAGE_MODEL": str(pair), "QDRANT_URL": ""}
    os.environ |= settings
    with redirect_stderr(io.StringIO()):
        warmer(["index", str(photos), "--collection", "photos", "--image-model", str(pair)])
    parts = anyio.run(_talk, settings, shown)
    out.write_text("\n".join([_ABOUT.format(count=_PICTURES), *parts]), encoding="utf-8")


async def _talk(settings: Mapping[str, str], shown: Sequence[Drawing]) -> list[str]:
    command = ["-m", "warmer_server.cli", "serve"]
    server = StdioServerParameters(command=sys.executable, args=command, env={**os.environ, **settings})
    said: list[str] = []
    async with Client(server) as client:

        async def call(tool: str, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401
            result = await client.call_tool(tool, arguments)
            told = result.structured_content or {}
            seen = [f"{hit['hit']}: {_drawing(hit, shown)}" for hit in told["hits"]]
            said.append(f"{_written(tool, arguments, result)}\nWhat is drawn there: {'; '.join(seen)}.\n")
            return told

        first = await call("search", query=_QUERY, collection="photos", limit=_SHOWN, pictures=True)
        scores = {str(hit["hit"]): _score(_drawing(hit, shown)) for hit in first["hits"]}
        thread = {"search_id": first["search_id"]}
        second = await call("give_feedback", **thread, scores=scores, limit=_SHOWN, pictures=True)
        await call("search", **thread, read=[second["hits"][0]["hit"]], pictures=True)
    return said


def _drawing(hit: Mapping[str, Any], shown: Sequence[Drawing]) -> Drawing:
    return shown[int(Path(hit["source"]).stem)]


def _score(drawing: Drawing) -> int:
    return 5 * ((drawing.shape == "cross") + (drawing.place == "top left"))


def _written(tool: str, arguments: Mapping[str, Any], result: CallToolResult) -> str:
    blocks = "\n\n".join(_block(block) for block in result.content)
    return f"## {tool}\n\n```json\n{json.dumps(arguments)}\n```\n\nThe content of the reply:\n\n{blocks}\n"


def _block(block: ContentBlock) -> str:
    if isinstance(block, ImageContent):
        data = base64.b64decode(block.data)
        width, height = Image.open(io.BytesIO(data)).size
        told = block.model_dump(mode="json", by_alias=True, exclude_none=True)
        told["data"] = f"{block.data[:_BASE64]}… ({len(data)} bytes, {width} x {height} pixels)"
        return f"```json\n{json.dumps(told, ensure_ascii=False)}\n```"
    assert isinstance(block, TextContent)
    return f"```text\n{block.text}\n```"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="warmer-pictures-") as folder:
        main(Path(sys.argv[1]) if len(sys.argv) > 1 else _OUT, Path(folder))
