"""What the tools answer with: the same facts as structured content and as compact JSON text."""

import json
from collections.abc import Iterable
from typing import Any

from mcp.types import CallToolResult, TextContent
from pydantic import BaseModel, Field

from warmer.index import Hit

REPLY_CHARACTERS = 40_000
_VALUE, _METADATA = 300, 1000  # characters of one value, and of all of a hit's metadata


class HitReply(BaseModel):
    """A passage that was found."""

    hit: int = Field(description="Number of this hit within the search; score it under this number")
    id: str = Field(description="Point id in Qdrant")
    text: str
    title: str | None = Field(None, description="Headings that lead to the passage")
    source: str | None = None
    metadata: dict[str, Any] | None = Field(None, description="Other stored fields, without long values")
    score: float | None = Field(None, description="The engine's score, only when asked for")


def hit_replies(numbers: Iterable[int], hits: list[Hit], text_limit: int, scores: bool) -> list[HitReply]:
    """Describe hits, their texts cut so that the whole reply stays readable for an agent."""
    limit = min(text_limit, REPLY_CHARACTERS // max(len(hits), 1))
    return [_hit_reply(number, hit, limit, scores) for number, hit in zip(numbers, hits, strict=True)]


def result(reply: BaseModel) -> CallToolResult:
    """Wrap a reply for the protocol; clients show the model one of the two forms, so both say all."""
    return CallToolResult(
        content=[TextContent(type="text", text=reply.model_dump_json(exclude_none=True))],
        structured_content=reply.model_dump(mode="json", exclude_none=True),
    )


def _hit_reply(number: int, hit: Hit, limit: int, scores: bool) -> HitReply:
    payload = dict(hit.payload)
    return HitReply(
        hit=number,
        id=hit.id,
        text=_cut(payload.pop("text", ""), limit),
        title=_cut(payload.pop("title", None) or "", _VALUE) or None,
        source=_cut(payload.pop("source", None) or "", _VALUE) or None,
        metadata=_short(payload, _METADATA) or None,
        score=round(hit.score, 4) if scores else None,
    )


def _cut(value: object, limit: int) -> str:
    text = str(value)
    return text if len(text) <= limit else text[:limit].rstrip() + " …"


def _short(values: dict[str, Any], room: int) -> dict[str, Any]:
    """Leave out long values, and those for which there is no room; in objects likewise."""
    kept = {}
    for name, value in sorted(values.items()):
        most, short = _VALUE, value
        if isinstance(value, dict) and value:
            most, short = room, _short(value, room - len(name))
        size = len(name) + len(json.dumps(short, ensure_ascii=False, default=str))
        if size <= min(most, room) and (short or not value):
            kept[name] = short
            room -= size
    return kept
