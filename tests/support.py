"""Helpers for several rooms of tests."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import anyio
import numpy as np
from mcp import Client
from mcp.types import CallToolResult

from warmer.index import Coefficients, DenseQuery, FeedbackItem, Filter, Hit, Index
from warmer.judges import DEFAULT_CLAUDE_MODEL
from warmer.passage import Passage
from warmer.steering.feedback import Example, dense_query, weigh
from warmer.steering.params import Params
from warmer.steering.ranking import nearest, rank
from warmer.steering.thread import compose
from warmer.steering.wording import Wording
from warmer.vectors import QueryVector, Vector

DEFAULTS = Params()


@dataclass(frozen=True)
class Reference:
    """36 passages on six subjects, and their cosines with the queries by the fp32 model."""

    queries: list[str]
    passages: list[Passage]
    cosines: np.ndarray

    @cached_property
    def subjects(self) -> dict[str, list[Passage]]:
        return {title: [p for p in self.passages if p.title == title] for title in {p.title for p in self.passages}}


async def ask(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    """Call a tool that must succeed and return its structured content."""
    with anyio.fail_after(120):
        result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    assert isinstance(result.structured_content, dict)
    return result.structured_content


async def refusal(client: Client, tool: str, **arguments: Any) -> str:
    """Call a tool that must fail and return its error text."""
    result: CallToolResult = await client.call_tool(tool, arguments)
    assert result.is_error, result.structured_content
    return str(getattr(result.content[0], "text", ""))


async def near(
    index: Index, vector: QueryVector, limit: int, *, where: Filter | None = None, without: Sequence[str] = ()
) -> list[Hit]:
    """Retrieve what is nearest to a vector."""
    return await nearest(index, DenseQuery(vector), limit, where=where, without=without)


def feedback_query(
    vector: QueryVector, scored: Iterable[tuple[str, Vector, float]], params: Params = DEFAULTS
) -> DenseQuery:
    """Write a query and scored points (id, vector, score) as a feedback query, which must say something."""
    query = dense_query(vector, weigh([Example(*one) for one in scored], params))
    assert query.items
    return query


async def feed_back(
    index: Index,
    vector: QueryVector,
    items: Sequence[FeedbackItem],
    coefficients: Coefficients,
    limit: int,
    *,
    where: Filter | None = None,
    without: Sequence[str] = (),
) -> list[Hit]:
    """Retrieve by a feedback query."""
    return await nearest(index, DenseQuery(vector, items, coefficients), limit, where=where, without=without)


async def hybrid(
    index: Index,
    vector: QueryVector,
    text: str,
    limit: int,
    *,
    scored: Iterable[Example] = (),
    params: Params = DEFAULTS,
    where: Filter | None = None,
    without: Sequence[str] = (),
) -> list[Hit]:
    """Retrieve by vector, words and scores, as a thread of one wording does."""
    query = compose([Wording("query", text, vector)], params, scored)
    return await rank(index, query, limit, where=where, without=without)


class Api:
    """Fake of Anthropic's Messages API with canned answers, the last of which repeats.

    An answer may be a function of the request.
    """

    def __init__(self) -> None:
        self.answers: list[Any] = []
        self.requests: list[dict[str, Any]] = []

    def next(self, request: dict[str, Any]) -> tuple[int, Any]:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        made: tuple[int, Any] = answer(request) if callable(answer) else answer
        return made


def claude_reply(text: str, stop_reason: str = "end_turn", tokens: tuple[int, int] = (1000, 50)) -> tuple[int, Any]:
    return 200, {
        "id": "msg_01",
        "type": "message",
        "role": "assistant",
        "model": DEFAULT_CLAUDE_MODEL,
        "content": [{"type": "thinking", "thinking": "", "signature": "c2ln"}, {"type": "text", "text": text}],
        "stop_reason": stop_reason,
        "stop_sequence": None,
        "usage": {"input_tokens": tokens[0], "output_tokens": tokens[1]},
    }


def write_jsonl(file: Path, lines: Mapping[str, Mapping[str, str]]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(json.dumps({"_id": id_, **line}) + "\n" for id_, line in lines.items()), encoding="utf-8")


def write_qrels(folder: Path, split: str, lines: list[str]) -> None:
    (folder / "qrels").mkdir(exist_ok=True)
    text = "\n".join(["query-id\tcorpus-id\tscore", *lines]) + "\n"
    (folder / "qrels" / f"{split}.tsv").write_text(text, encoding="utf-8")
