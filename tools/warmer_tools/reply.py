"""What the tools answer with: the same facts as structured content and as compact JSON text.

Text is what most models read, so each list of hits is a table there: a row of column names, then a row a hit, with
null for what a hit lacks. Ten hits take 400 characters less than as objects, and are quoted like those: a passage
begins and ends with its quotes, and can pass neither for another hit nor for a word of ours. All texts are made plain.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from mcp.types import CallToolResult, ContentBlock, TextContent
from pydantic import BaseModel, Field, PrivateAttr
from pydantic_core import to_json

from warmer.index import Hit
from warmer.passage import PICTURE
from warmer.sanitize import sanitize, sanitize_json
from warmer_tools.arguments import also_ignored
from warmer_tools.prefix import prefix, prefixed
from warmer_tools.skim import skim
from warmer_tools.stopwatch import stage
from warmer_tools.titles import share_titles, shorten_title

REPLY_CHARACTERS = 40_000
_SOURCE = 300
_VALUE, _METADATA = 300, 1000  # characters of one value, and of all of a hit's metadata


class HitReply(BaseModel):
    """A passage that was found."""

    hit: int = Field(description="Number of this hit within the search; score it under this number")
    title: str | None = Field(None, description='Headings that lead to the passage; "= hit 3": title and source of 3')
    source: str | None = None
    text: str
    line: int | None = Field(None, description="Where in the source it begins")
    metadata: dict[str, Any] | None = Field(None, description="Other stored fields, without long values")
    earlier: float | None = Field(None, description="Your score of it, 0-10, when you asked the same before")
    near_copies: int | None = Field(None, description="How many near-copies of it are left out")
    score: float | None = Field(None, description="The engine's score, only when asked for")
    id: str | None = Field(None, description="Point id in Qdrant, only when asked for")
    before: str | None = Field(None, description="The passages before it in its document, only when asked for")
    after: str | None = Field(None, description="Those after it")


class HitsReply(BaseModel):
    """A reply with hits; their pictures follow its text, and are in none of its fields."""

    _pictures: list[ContentBlock] = PrivateAttr(default_factory=list)

    def show(self, pictures: list[ContentBlock]) -> Self:
        """Add pictures of hits."""
        self._pictures = pictures
        return self

    @property
    def pictures(self) -> list[ContentBlock]:
        """The pictures of hits, each after a line that says of which hit it is."""
        return self._pictures


@dataclass(frozen=True, slots=True)
class Form:
    """How hits are shown.

    Attributes:
        limit: Characters of a text at most.
        terms: The words that are looked for, which choose what a skim shows; None: texts are shown from the beginning.
        whole: Whether hits have lines, metadata and unshortened titles.
        scores: Whether they have the engine's scores.
        ids: Whether they have point ids.
        around: Point id -> the texts before and after it in its document.
        earlier: Point id -> the score that it has from an earlier search.
    """

    limit: int
    terms: Mapping[int, float] | None = None
    whole: bool = False
    scores: bool = False
    ids: bool = False
    around: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    earlier: Mapping[str, float] = field(default_factory=dict)


@stage("reply")
def hit_replies(numbers: Sequence[int], hits: Sequence[Hit], form: Form) -> list[HitReply]:
    """Describe hits, their texts cut so that the whole reply stays readable for an agent."""
    payloads = [sanitize_json(hit.payload) for hit in hits]
    named = [(number, heading(one.get("source")), _title(one)) for number, one in zip(numbers, payloads, strict=True)]
    titles = [(title, source) for _, source, title in named] if form.whole else share_titles(named)
    return [
        _hit_reply(number, hit, payload, name, form)
        for number, hit, payload, name in zip(numbers, hits, payloads, titles, strict=True)
    ]


@stage("reply")
def result(reply: BaseModel) -> CallToolResult:
    """Wrap a reply for the protocol; clients show the model one of the two forms, so both say all."""
    structured = sanitize_json(reply.model_dump(mode="json", exclude_none=True))
    structured["next"] = prefixed(structured["next"], prefix.get()) + sanitize(also_ignored())
    text = to_json(_tables(reply, structured), inf_nan_mode="null").decode()
    pictures = reply.pictures if isinstance(reply, HitsReply) else []
    return CallToolResult(content=[TextContent(type="text", text=text), *pictures], structured_content=structured)


def _tables(reply: BaseModel, structured: Mapping[str, Any]) -> dict[str, Any]:
    """Turn lists of models into rows of values under a row of names."""
    told = dict(structured)
    for name, value in structured.items():
        items = getattr(reply, name)
        if isinstance(items, list) and items and isinstance(items[0], BaseModel):
            rows = [_tables(item, row) for item, row in zip(items, value, strict=True)]
            columns = [column for column in type(items[0]).model_fields if any(column in row for row in rows)]
            told[name] = [columns, *(_cells(row, columns) for row in rows)]
    return told


def _cells(row: Mapping[str, Any], columns: Sequence[str]) -> list[Any]:
    """Give a row's values, null for what it lacks; nothing for what it lacks at its end."""
    cells = [row.get(column) for column in columns]
    while cells and cells[-1] is None:
        del cells[-1]
    return cells


def _hit_reply(number: int, hit: Hit, payload: dict[str, Any], name: tuple[str, str], form: Form) -> HitReply:
    rest = {key: value for key, value in payload.items() if key not in {"text", "title", "source", "line", PICTURE}}
    line = payload.get("line") if type(payload.get("line")) is int else None
    before, after = form.around.get(hit.id, ("", ""))
    return HitReply(
        hit=number,
        title=name[0] or None,
        source=name[1] or None,
        line=line if form.whole and line != 1 else None,
        metadata=_short(rest, _METADATA) or None if form.whole else None,
        earlier=form.earlier.get(hit.id),
        near_copies=hit.copies or None,
        score=round(hit.score, 4) if form.scores else None,
        id=hit.id if form.ids else None,
        text=_text(str(payload.get("text", "")), name[0], form),
        before=before or None,
        after=after or None,
    )


def _text(text: str, title: str, form: Form) -> str:
    return cut(text, form.limit) if form.terms is None else skim(text, form.terms, form.limit, title)


def _title(payload: Mapping[str, Any]) -> str:
    return cut(payload.get("title") or "", _VALUE)


def heading(value: object) -> str:
    """Cut a source; empty where there is none."""
    return cut(value or "", _SOURCE)


def short_title(value: object) -> str | None:
    """Shorten a title for a ranking; None where there is none."""
    return shorten_title(sanitize(str(value or ""))) or None


def cut(value: object, limit: int) -> str:
    """Cut a text, and mark the cut."""
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
