"""What the tools answer with: the same facts as structured content and as compact JSON text.

Text is what most models read, so each list of hits is a table there: a row of column names, then a row a hit, with
null for what a hit lacks. Ten hits take 400 characters less than as objects, and are quoted like those: a passage
begins and ends with its quotes, and can pass neither for another hit nor for a word of ours. All texts are made plain.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from mcp.types import CallToolResult, TextContent
from pydantic import BaseModel, Field
from pydantic_core import to_json

from warmer.index import Hit
from warmer.sanitize import sanitize_json
from warmer_tools.stopwatch import stage

REPLY_CHARACTERS = 40_000
_VALUE, _METADATA = 300, 1000  # characters of one value, and of all of a hit's metadata


class HitReply(BaseModel):
    """A passage that was found."""

    hit: int = Field(description="Number of this hit within the search; score it under this number")
    id: str = Field(description="Point id in Qdrant")
    title: str | None = Field(None, description="Headings that lead to the passage")
    source: str | None = None
    line: int | None = Field(None, description="Where in the source it begins")
    metadata: dict[str, Any] | None = Field(None, description="Other stored fields, without long values")
    score: float | None = Field(None, description="The engine's score, only when asked for")
    text: str


@stage("reply")
def hit_replies(numbers: Iterable[int], hits: list[Hit], text_limit: int, scores: bool) -> list[HitReply]:
    """Describe hits, their texts cut so that the whole reply stays readable for an agent."""
    limit = min(text_limit, REPLY_CHARACTERS // max(len(hits), 1))
    return [_hit_reply(number, hit, limit, scores) for number, hit in zip(numbers, hits, strict=True)]


@stage("reply")
def result(reply: BaseModel) -> CallToolResult:
    """Wrap a reply for the protocol; clients show the model one of the two forms, so both say all."""
    structured = sanitize_json(reply.model_dump(mode="json", exclude_none=True))
    text = to_json(_tables(reply, structured), inf_nan_mode="null").decode()
    return CallToolResult(content=[TextContent(type="text", text=text)], structured_content=structured)


def _tables(reply: BaseModel, structured: Mapping[str, Any]) -> dict[str, Any]:
    """Turn lists of models into rows of values under a row of names."""
    told = dict(structured)
    for name, value in structured.items():
        items = getattr(reply, name)
        if isinstance(items, list) and items and isinstance(items[0], BaseModel):
            rows = [_tables(item, row) for item, row in zip(items, value, strict=True)]
            columns = [column for column in type(items[0]).model_fields if any(column in row for row in rows)]
            told[name] = [columns, *([row.get(column) for column in columns] for row in rows)]
    return told


def _hit_reply(number: int, hit: Hit, limit: int, scores: bool) -> HitReply:
    payload = sanitize_json(hit.payload)
    line = payload.pop("line", None) if type(hit.payload.get("line")) is int else None
    return HitReply(
        hit=number,
        id=hit.id,
        text=_cut(payload.pop("text", ""), limit),
        title=heading(payload.pop("title", None)),
        source=heading(payload.pop("source", None)),
        line=line,
        metadata=_short(payload, _METADATA) or None,
        score=round(hit.score, 4) if scores else None,
    )


def heading(value: object) -> str | None:
    """Cut a title or a source; None where there is none."""
    return _cut(value or "", _VALUE) or None


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
