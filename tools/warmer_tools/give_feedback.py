"""The tool `give_feedback`: scores in, a second retrieval over the whole collection out."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import anyio.to_thread
from mcp.types import CallToolResult, ToolAnnotations
from pydantic import BaseModel, Field, WithJsonSchema

from warmer.embedding.retrievers import same_model
from warmer.errors import ModelMismatchError, ScoreError
from warmer.index import DenseQuery, Hit, Index
from warmer.journal import AGENT, Search, Shown
from warmer.journal.parameters import Key, choose
from warmer.judges import ANCHORS
from warmer.steering.feedback import steer
from warmer.steering.params import Params
from warmer.steering.ranking import rank
from warmer.steering.scores import SCALE, parse_scores
from warmer_tools.reply import HitReply, heading, hit_replies, result
from warmer_tools.search import MAX_LIMIT
from warmer_tools.stopwatch import about, stage
from warmer_tools.tool import NoObject, NoText, ToolContext, make_tool, spoken_errors
from warmer_tools.training import score_shown, whose
from warmer_tools.workspace import RUBRIC, Workspace

_HOPELESS, _USEFUL = 10, 3  # so many scores below that: the words are wrong, not the ranking
_ENOUGH = 15
_DESCRIBED = 5  # of a ranking: with all of fifteen, it would cost as much as the hits' texts

Scores = Annotated[
    dict[str, Any],
    NoObject,
    WithJsonSchema({"type": "object", "additionalProperties": {"type": "number", "minimum": 0, "maximum": SCALE}}),
    Field(description=f'Hit number -> score 0-10, e.g. {{"1": 9, "2": 0}}: {ANCHORS}'),
]


class Ranked(BaseModel):
    """A scored hit; what it is was said when it was shown, and is repeated for the best."""

    hit: int
    score: float
    id: str | None = None
    title: str | None = None
    source: str | None = None


class ParamsReply(BaseModel):
    """The numbers that steered: Qdrant's a, b, c and the neutral score, and where they are from."""

    a: float
    b: float
    c: float
    neutral: float
    source: str


class FeedbackReply(BaseModel):
    """Hits of the second retrieval, and all that was scored so far."""

    search_id: str
    outcome: Literal["steered", "no_signal", "off"]
    hits: list[HitReply]
    ranking: list[Ranked] = Field(description="Every scored hit of every round, best first; the best five described")
    params: ParamsReply
    next: str = Field(description="What to do next")


async def give_feedback(
    ctx: ToolContext,
    search_id: Annotated[str, Field(description="The search_id that search gave")],
    scores: Scores = {},  # noqa: B006
    judge: Annotated[
        str,
        NoText,
        Field(description='Instead of scores, a model that scores the shown hits: "claude", "fastembed:<model>"'),
    ] = "",
    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT, description="Hits at most; unscored ones may come again")] = 5,
    include_scored: Annotated[
        bool, Field(description="Whether hits that were scored already may come back; default: new ones only")
    ] = False,
) -> Annotated[CallToolResult, FeedbackReply]:
    """Score the hits of a search; Qdrant's relevance feedback then retrieves better ones.

    Score absolutely, not against each other, and spread the scores. Bad hits help as much as good ones, and one score
    is enough. New hits go on numbering: score them and call again, rounds add up. `ranking` is the answer after the
    last round.
    """
    with spoken_errors():
        workspace = ctx.request_context.lifespan_context
        return result(await run(workspace, search_id, scores, judge, limit, include_scored))


async def run(
    workspace: Workspace, search_id: str, scores: dict[str, Any], judge: str, limit: int, include_scored: bool
) -> FeedbackReply:
    """Keep the scores, then retrieve again with all scores of the search.

    Raises:
        WarmerError: The search is unknown or expired, the scores do not fit its hits, or the collection
            is gone or was embedded anew by another model.
    """
    with stage("judge" if judge else "journal"):
        found, by = await _score(workspace, search_id, scores, judge)
    about(found.collection)
    with stage("journal"):
        params = choose(await workspace.parameters.all(), Key(found.collection, found.model, *by))
    scored = found.scored
    without = [] if include_scored else [shown.id for shown in scored]
    with stage("engine"):
        index = await workspace.collections.find(found.collection)
        there = await index.retrieve([shown.id for shown in scored])
        outcome, hits = await _retrieve(index, found, scored, there, params, limit, without)
    with stage("journal"):
        numbers = await workspace.journal.show(search_id, hits)
    return FeedbackReply(
        search_id=search_id,
        outcome=outcome,
        hits=hit_replies(numbers, hits, workspace.text_limit, scores=False),
        ranking=_ranking(scored),
        params=_params_reply(params),
        next=_gone([s.hit for s in scored if s.id not in {hit.id for hit in there}])
        + _next(outcome, [n for n in numbers if n not in {s.hit for s in scored}], [s.score or 0 for s in scored]),
    )


async def _score(
    workspace: Workspace, search_id: str, scores: dict[str, Any], judge: str
) -> tuple[Search, tuple[str, str]]:
    """Keep an agent's scores or get a judge's; gives the search with them, and whose they are by which rubric."""
    if judge and scores:
        raise ScoreError("there are scores and a judge: send the scores, or name a judge that is to score")
    if judge:
        model = await anyio.to_thread.run_sync(workspace.load_judge, judge)
        return await score_shown(workspace, search_id, model), whose(model)
    found = await workspace.journal.find(search_id)
    given = parse_scores(scores, found.shown)
    await workspace.journal.score(search_id, given, AGENT, RUBRIC)
    return found.with_scores(given), whose(None)


async def _retrieve(
    index: Index,
    found: Search,
    scored: Sequence[Shown],
    there: Sequence[Hit],
    params: Params,
    limit: int,
    without: Sequence[str],
) -> tuple[Literal["steered", "no_signal", "off"], list[Hit]]:
    await _check_model(index, found)
    examples = [(shown.id, shown.vector, (shown.score or 0) / SCALE) for shown in scored]
    steering = steer(found.query_vector, examples, params)
    if steering is None:
        text = found.query if found.lexical else ""
        query = found.query_vector
        unsteered = await index.search(query, limit, text=text, where=found.where, without=without)
        return "off" if params.off else "no_signal", unsteered
    texts = {hit.id: hit.passage for hit in there}
    return "steered", await rank(
        index,
        DenseQuery(found.query_vector, steering.items, steering.coefficients),
        limit,
        lexical=steering.lexical(found.query, texts) if found.lexical else None,
        share=steering.share,
        neighbours=steering.neighbours,
        where=found.where,
        without=without,
    )


async def _check_model(index: Index, found: Search) -> None:
    info = await index.info()
    if info.declared and not same_model(info.model, found.model):
        raise ModelMismatchError(
            f"collection {info.name!r} is now embedded by {info.model!r}, the search was made with {found.model!r}: "
            "your scores are kept; call search again"
        )


def _ranking(scored: Sequence[Shown]) -> list[Ranked]:
    best_first = sorted(scored, key=lambda shown: (-(shown.score or 0), shown.id))
    return [_described(s) for s in best_first[:_DESCRIBED]] + [
        Ranked(hit=s.hit, score=s.score or 0) for s in best_first[_DESCRIBED:]
    ]


def _described(s: Shown) -> Ranked:
    return Ranked(hit=s.hit, score=s.score or 0, id=s.id, title=heading(s.title), source=heading(s.source))


def _params_reply(params: Params) -> ParamsReply:
    return ParamsReply(a=params.a, b=params.b, c=params.c, neutral=params.neutral * SCALE, source=params.source)


def _gone(hits: Sequence[int]) -> str:
    if not hits:
        return ""
    numbers = ", ".join(map(str, sorted(hits)))
    return f"Deleted from the collection meanwhile: hits {numbers}; their scores still count. "


def _next(outcome: str, unscored: Sequence[int], scores: Sequence[float]) -> str:
    """Say what pays now: rounds of five up to about fifteen scores, and other words where all is bad."""
    numbers = ", ".join(map(str, sorted(unscored)))
    if outcome == "off":
        return (
            "Such scores made results worse on held-out queries, so they do not steer: these are the next hits without "
            "feedback. Score what helps and answer from the ranking, or search again in other words."
        )
    if outcome == "no_signal":
        advice = f"score hits {numbers} too" if unscored else "search again in other words"
        return (
            "The scores say nothing: none differs from the neutral one. These are the next hits without "
            f"feedback; {advice}, and spread the scores."
        )
    if not unscored:
        return "There is nothing new to show: answer from the ranking, or search again in other words."
    if len(scores) >= _HOPELESS and max(scores) < _USEFUL:
        return f"Nothing useful in {len(scores)} hits: search again in other words, or score hits {numbers}."
    if len(scores) >= _ENOUGH:
        return f"Further rounds seldom pay: answer from the ranking, or score hits {numbers} and call again."
    return f"Score hits {numbers} and call again, or answer from the ranking."


TOOL = make_tool(
    give_feedback,
    "Score hits and retrieve again with Qdrant relevance feedback",
    ToolAnnotations(read_only_hint=False, destructive_hint=False, idempotent_hint=True, open_world_hint=False),
)
