"""The tool `give_feedback`: scores and new words in, a better list over the whole collection out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from mcp.types import CallToolResult, ToolAnnotations
from pydantic import BaseModel, Field, PlainSerializer

from warmer.embedding.background import Waiting
from warmer.errors import ScoreError
from warmer.journal import AGENT, Search, Shown
from warmer_tools import advice
from warmer_tools.compatibility import check_thread
from warmer_tools.lists import check_detail, form_of, next_list, params_of
from warmer_tools.pictures import Pictures, pictures_of
from warmer_tools.reply import HitReply, HitsReply, heading, hit_replies, result, short_title
from warmer_tools.scores import FORM, Scores, read_scores
from warmer_tools.search import MAX_LIMIT, USUAL_LIMIT, Avoid, Detail, Rewordings
from warmer_tools.stopwatch import about, stage
from warmer_tools.tool import ToolContext, make_tool, reporter, spoken_errors
from warmer_tools.training import score_shown, whose
from warmer_tools.wordings import checked, go_on
from warmer_tools.workspace import RUBRIC, Workspace

_DESCRIBED = 10  # of a ranking: what an answer holds

Outcome = Literal["steered", "no_signal", "off"]
Score = Annotated[float, PlainSerializer(lambda score: int(score) if score == int(score) else score)]


class Ranked(BaseModel):
    """A scored hit; what it is was said when it was shown, and is repeated for the best."""

    hit: int
    score: Score
    title: str | None = None
    source: str | None = None


class FeedbackReply(HitsReply):
    """The next hits, and all that was scored so far."""

    search_id: str
    outcome: Outcome
    hits: list[HitReply]
    ranking: list[Ranked] = Field(description="Every scored hit of the thread, best first; the best ten described")
    next: str = Field(description="What to do next")


@dataclass(frozen=True, slots=True)
class Given:
    """What a call brings.

    Attributes:
        search_id: The thread.
        scores: The scores as the client sent them.
        rewordings: The question in other words.
        avoid: What passages should not be about.
        judge: The model that is to score, if any.
    """

    search_id: str
    scores: Any
    rewordings: Sequence[str] = ()
    avoid: Sequence[str] = ()
    judge: str = ""


async def give_feedback(
    ctx: ToolContext,
    search_id: Annotated[str, Field(description="The search_id that search gave")],
    scores: Scores = None,
    rewordings: Rewordings = [],  # noqa: B006
    avoid: Avoid = [],  # noqa: B006
    judge: Annotated[
        str,
        Field(description='Instead of scores, a model to score: "claude", "fastembed:<model>"'),
    ] = "",
    limit: Annotated[
        int,
        Field(
            ge=0,
            le=MAX_LIMIT,
            description=f"Most hits, 0-{MAX_LIMIT}; default {USUAL_LIMIT}; 0 only keeps scores",
        ),
    ] = USUAL_LIMIT,
    include_scored: Annotated[bool, Field(description="Let hits already shown come back")] = False,
    detail: Detail = "",
    pictures: Pictures = False,
) -> Annotated[CallToolResult, FeedbackReply]:
    """Score the hits of a search and reword it: Qdrant's relevance feedback then retrieves better ones.

    Score all you skimmed, absolutely, not against each other, and spread the scores: bad hits help as much as good
    ones. Scores and new words together find most. New hits continue the numbers. Call again: rounds add up. `ranking`
    is the answer after the last round.
    """
    with spoken_errors():
        workspace = ctx.request_context.lifespan_context
        given = Given(search_id, scores, rewordings, avoid, "" if judge == AGENT else judge)
        shown = {"include_scored": include_scored, "pictures": pictures}
        return result(await run(workspace, given, limit, reporter(ctx), detail=detail, **shown))


async def run(
    workspace: Workspace,
    given: Given,
    limit: int,
    waiting: Waiting,
    *,
    include_scored: bool = False,
    detail: str = "",
    pictures: bool = False,
) -> FeedbackReply:
    """Keep scores and wordings, then retrieve what they lead to.

    Raises:
        WarmerError: The search is unknown or expired, the scores do not fit its hits, or the collection
            is gone or was embedded anew by another model.
    """
    check_detail(detail)
    said = checked(rewordings=given.rewordings, avoid=given.avoid)
    with stage("judge" if given.judge else "journal"):
        thread, by = await _scored(workspace, given)
        params = await params_of(workspace, thread, by)
    about(thread.collection)
    with stage("engine"):
        index = await workspace.collections.find(thread.collection)
        await check_thread(index, thread)
    thread, new = await go_on(workspace, index, thread, said, waiting)
    form = form_of(workspace, thread, params, detail, limit, scores=False, ids=False)
    with stage("engine"):
        without = [] if include_scored else [shown.id for shown in thread.shown.values()]
        query, hits, gone = await next_list(index, thread, params, limit, without)
    with stage("journal"):
        if new:
            await workspace.journal.reword(thread.id, new)
        numbers = await workspace.journal.show(thread.id, hits)
    outcome: Outcome = "off" if params.off and not new else "steered" if query.steered or new else "no_signal"
    reply = FeedbackReply(
        search_id=thread.id,
        outcome=outcome,
        hits=hit_replies(numbers, hits, form),
        ranking=_ranking(thread.scored),
        next=advice.gone(gone) + (_advice(outcome, thread.scored, numbers) if limit else advice.NOTHING_ASKED),
    )
    if pictures:
        reply.show(await pictures_of(workspace, index, numbers, hits, workspace.gallery.small))
    return reply


async def _scored(workspace: Workspace, given: Given) -> tuple[Search, tuple[str, str]]:
    """Keep an agent's scores or get a judge's; gives the thread with them, and whose they are by which rubric."""
    thread = await workspace.journal.find(given.search_id)
    scores = read_scores(given.scores, thread)
    if given.judge and scores:
        raise ScoreError("both scores and a judge were sent: send scores, or name a judge")
    if given.judge:
        model = await workspace.judge_threads.run(workspace.load_judge, given.judge)
        return await score_shown(workspace, given.search_id, model), whose(model)
    if scores:
        await workspace.journal.score(thread.id, scores, AGENT, RUBRIC)
        thread = thread.with_scores(scores)
        if workspace.memory:
            workspace.memory.learn(thread)
        return thread, whose(None)
    if given.rewordings or given.avoid:
        return thread, whose(None)
    raise ScoreError(f"scores is empty: send a score of 0 to 10 for each hit that you read, as {FORM}, or rewordings")


def _advice(outcome: Outcome, scored: Sequence[Shown], numbers: Sequence[int]) -> str:
    if outcome != "steered":
        return advice.unsteered(outcome, scored=bool(scored))
    unscored = set(numbers) - {shown.hit for shown in scored}
    return advice.after_scores([shown.score or 0 for shown in scored], sorted(unscored))


def _ranking(scored: Sequence[Shown]) -> list[Ranked]:
    best_first = sorted(scored, key=lambda shown: (-(shown.score or 0), shown.hit))
    return [_described(s) for s in best_first[:_DESCRIBED]] + [
        Ranked(hit=s.hit, score=s.score or 0) for s in best_first[_DESCRIBED:]
    ]


def _described(s: Shown) -> Ranked:
    return Ranked(hit=s.hit, score=s.score or 0, title=short_title(s.title), source=heading(s.source) or None)


TOOL = make_tool(
    give_feedback,
    "Score hits and retrieve again with Qdrant relevance feedback",
    ToolAnnotations(read_only_hint=False, destructive_hint=False, idempotent_hint=True, open_world_hint=False),
)
