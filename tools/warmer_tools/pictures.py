"""Pictures of hits, as content that clients show to models which see."""

import base64
from collections.abc import Sequence
from typing import Annotated

import anyio.to_thread
from mcp.types import ContentBlock, ImageContent, TextContent
from pydantic import Field

from warmer.index import Hit, Index
from warmer.pictures import Bounds
from warmer_tools.stopwatch import stage
from warmer_tools.workspace import Workspace

Pictures = Annotated[bool, Field(description="Show hits' pictures, where they have some")]


async def pictures_of(
    workspace: Workspace, index: Index, numbers: Sequence[int], hits: Sequence[Hit], bounds: Bounds
) -> list[ContentBlock]:
    """Show the pictures of hits, in their order, each after the number of its hit.

    A hit whose picture is not there, or must not be shown, has none.
    """
    info = await index.info()
    gallery = workspace.gallery

    def shown() -> list[ContentBlock]:
        return [block for number, hit in zip(numbers, hits, strict=True) for block in _blocks(number, hit)]

    def _blocks(number: int, hit: Hit) -> list[ContentBlock]:
        if (picture := gallery.picture(hit.payload, info.roots, bounds)) is None:
            return []
        data = base64.b64encode(picture).decode()
        return [
            TextContent(type="text", text=f"Picture of hit {number}:"),
            ImageContent(type="image", data=data, mime_type="image/jpeg"),
        ]

    with stage("reply"):
        return await anyio.to_thread.run_sync(shown)
