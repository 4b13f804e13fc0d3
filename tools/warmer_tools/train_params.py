"""The tool `train_params`: scores that were given anyway become parameters that are worth using."""

import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated, Any, Literal

import anyio
from mcp.types import CallToolResult, InputRequiredResult, ToolAnnotations
from pydantic import BaseModel, Field

from warmer.errors import JudgeError, SearchError
from warmer.index import Hit
from warmer.journal import AGENT, Search
from warmer.journal.jobs import ENDED, Job
from warmer.judges import ANCHORS
from warmer.judges.client import CLIENT
from warmer.training.cross_validation import FEWEST_QUERIES
from warmer.training.fit import FEWEST_HITS
from warmer_tools.arguments import named
from warmer_tools.calls import known
from warmer_tools.reply import Form, HitReply, hit_replies, result
from warmer_tools.sampling import answered_job, ask_client, check_offered
from warmer_tools.stopwatch import about, stopwatch
from warmer_tools.tool import ToolContext, make_tool, spoken_errors
from warmer_tools.training import clean_queries, quiet, run_job, scored_queries, unscored, whose
from warmer_tools.workspace import Workspace

MAX_QUERIES = 500
MOST_HITS, USUAL_HITS = 50, 25
MOST_SECONDS = 600
GOOD_QUERIES = (
    "what users of this collection really ask, in their own words, on different subjects, easy and hard; "
    "not the titles of its documents"
)
BATCH_CHARACTERS = 24_000  # about 6,000 tokens
_POLL = 0.5
_LAST_SECONDS = 30.0  # for the fit, once the client's model has scored all
_log = logging.getLogger(__name__)
Report = Callable[[int, int], Awaitable[None]]

Status = Literal["needs_queries", "needs_scores", "running", "applied", "rejected", "failed", "cancelled"]


class ToScore(BaseModel):
    """A query and hits to score with give_feedback, under the search_id."""

    search_id: str
    query: str
    hits: list[HitReply]


class Progress(BaseModel):
    """How many queries are done."""

    done: int
    total: int


class TrainReply(BaseModel):
    """How a training stands."""

    job_id: str
    status: Status
    progress: Progress
    to_score: list[ToScore] = []
    params: dict[str, Any] | None = Field(None, description="What was fitted; in use if the status is applied")
    held_out: dict[str, Any] | None = Field(None, description="How it did on queries that it was not fitted on")
    usage: dict[str, Any] | None = Field(None, description="Calls, tokens and cost in USD of a paid judge")
    reason: str = ""
    next: str = Field(description="What to do next")


async def train_params(
    ctx: ToolContext,
    collection: Annotated[str, Field(description="Collection; optional if there is only one")] = "",
    queries: Annotated[
        list[str],
        Field(
            max_length=MAX_QUERIES,
            description=f"Queries as users ask them, 50 or so, {MAX_QUERIES} at most; none: use what was scored",
        ),
    ] = [],  # noqa: B006
    judge: Annotated[
        str,
        Field(
            description='Who scores: "agent" (you), "client" (your client\'s model, by sampling), "claude", '
            '"fastembed:<model>", or "module:Class"'
        ),
    ] = AGENT,
    limit: Annotated[
        int,
        Field(
            ge=FEWEST_HITS,
            le=MOST_HITS,
            description=f"Hits to score per query, {FEWEST_HITS}-{MOST_HITS}; default {USUAL_HITS}",
        ),
    ] = USUAL_HITS,
    job_id: Annotated[str, Field(description="Continue this training")] = "",
    wait_seconds: Annotated[
        float, Field(ge=0, le=MOST_SECONDS, description=f"Seconds to wait, 0-{MOST_SECONDS}; default 45")
    ] = 45,
    cancel: Annotated[bool, Field(description="Stop the training job_id; scores are kept")] = False,
) -> Annotated[CallToolResult, TrainReply] | InputRequiredResult:
    """Train how far scores steer give_feedback on a Qdrant collection; optional, the defaults work without.

    With judge="agent" it uses the scores that give_feedback was given. Pass queries to score more: it runs them and
    returns batches in to_score; score each with give_feedback under its search_id, then call again with the job_id.
    A model as judge scores by itself. Parameters are used only if they win on queries that were held out.
    """
    with spoken_errors():
        workspace = ctx.request_context.lifespan_context
        if job_id := job_id or answered_job(ctx):
            job = await workspace.jobs.find(job_id)
            if cancel:
                await workspace.jobs.settle(job.id, "cancelled", {"reason": "it was cancelled; its scores are kept"})
        else:
            if judge == CLIENT:
                check_offered(ctx)
            started = await start(workspace, await named(workspace, collection), queries, judge, limit)
            if isinstance(started, TrainReply):
                return result(started)
            job = started
        if job.judge == CLIENT:
            return await _with_client(ctx, workspace, job, wait_seconds)
        return result(await follow(workspace, job, wait_seconds, partial(_report, ctx)))


async def _with_client(
    ctx: ToolContext, workspace: Workspace, job: Job, wait_seconds: float
) -> CallToolResult | InputRequiredResult:
    """Go on with a job whose hits the client's model scores: run the queries, have them scored, and fit."""
    until = anyio.current_time() + wait_seconds
    reply = await follow(workspace, job, wait_seconds, _unreported)
    if reply.status != "needs_scores" or not workspace.may_read:
        return result(reply)
    check_offered(ctx)
    job = await workspace.jobs.find(job.id)
    try:
        asked = await ask_client(ctx, workspace, job, until)
    except JudgeError as error:
        await workspace.jobs.settle(job.id, "failed", {"reason": str(error)})
        return result(await describe(workspace, await workspace.jobs.find(job.id)))
    if isinstance(asked, InputRequiredResult):
        return asked
    if asked == "declined":
        await workspace.jobs.settle(
            job.id, "cancelled", {"reason": "the user declined to let the client's model score"}
        )
    elif not await unscored(workspace, job):
        wait_seconds = max(_LAST_SECONDS, until - anyio.current_time())
        return result(await follow(workspace, await workspace.jobs.find(job.id), wait_seconds, _unreported))
    return result(await describe(workspace, await workspace.jobs.find(job.id)))


async def _unreported(done: int, total: int) -> None:
    """Say nothing: running queries is quick, and asking the client has a progress of its own."""


async def start(workspace: Workspace, collection: str, queries: list[str], judge: str, limit: int) -> Job | TrainReply:
    """Begin a training; a reply instead of a job says that there is nothing to train on.

    Raises:
        WarmerError: The collection, a query or the judge cannot be used.
    """
    info = await (await workspace.collections.find(collection)).info()
    asked = clean_queries(queries)
    if not (await workspace.retrievers.of(info.name, pictures=info.pictures).ready(quiet)).dim:
        raise SearchError(
            f"the queries of {info.name!r} are embedded by Qdrant itself, so that there are no vectors to train on: "
            "the default parameters are used; to train, choose a retriever that runs here"
        )
    model = None if judge == AGENT else await workspace.judge_threads.run(workspace.load_judge, judge)
    if model and not asked:
        asked = clean_queries(await workspace.journal.queries(info.name))[-MAX_QUERIES:]
    if len(asked) < FEWEST_QUERIES:
        scored = {found.query for found in await scored_queries(workspace, info, *whose(model))}
        if len(scored | set(asked)) < FEWEST_QUERIES:
            return _needs_queries(len(scored - set(asked)), len(asked))
    return await workspace.jobs.create(info.name, judge, limit, asked, "running")


async def follow(workspace: Workspace, job: Job, wait_seconds: float, report: Report) -> TrainReply:
    """Go on with a job in the background, wait for it, and say how it stands."""
    about(job.collection)
    finished = anyio.Event()
    seen = -1
    with anyio.move_on_after(wait_seconds) as waiting:
        workspace.background.start_soon(_work, workspace, job, finished, waiting)
        while not finished.is_set() or job.status == "running":
            if (done := job.result.get("done", 0)) > seen:
                seen = done
                await report(done, len(job.queries))
            with anyio.move_on_after(_POLL):
                await finished.wait()
            job = await workspace.jobs.find(job.id)
    return await describe(workspace, await workspace.jobs.find(job.id))


async def _work(workspace: Workspace, job: Job, finished: anyio.Event, waiting: anyio.CancelScope) -> None:
    try:
        with stopwatch():  # its own: it goes on when the call that began it has been answered
            if job.status not in ENDED:
                await run_job(workspace, job)
    except Exception:  # noqa: BLE001  whatever it is, it must not end the server
        _log.exception("training %s is left unfinished", known(job.id))
        waiting.cancel()
    finally:
        finished.set()


async def describe(workspace: Workspace, job: Job) -> TrainReply:
    """Say how a job stands."""
    waits = job.status == "needs_scores"
    open_searches = await unscored(workspace, job) if waits else []
    total = len(job.queries)
    done = total - len(open_searches) if job.status != "running" else job.result.get("done", 0)
    reason = job.result.get("reason", "")
    by_client = job.judge == CLIENT and waits
    next_ = _BY_CLIENT if by_client else _NEXT[job.status]
    return TrainReply(
        job_id=job.id,
        status=job.status,
        progress=Progress(done=done, total=total),
        to_score=_batch(workspace, open_searches) if workspace.may_read and not by_client else [],
        params=job.result.get("params"),
        held_out=job.result.get("held_out"),
        usage=job.result.get("usage"),
        reason=reason,
        next=next_ if workspace.may_read or not waits else _UNREAD,
    )


_NEXT: dict[str, str] = {
    "needs_scores": f"Score every hit of to_score 0-10 ({ANCHORS}) with give_feedback under its search_id (limit=1), "
    "then call train_params again with the job_id.",
    "running": "Call train_params again with the job_id to see how it goes.",
    "applied": "The parameters are in use: scores steer by them from now on.",
    "rejected": "The parameters are not used; give_feedback goes on as before.",
    "failed": "Fix what the reason names, then call again with the job_id: scores are kept.",
    "cancelled": "Call train_params without a job_id to start over; scores are kept.",
}


_BY_CLIENT = "Call train_params again with the job_id: the client's model scores the rest; scores are kept."
_DECLINED = "the user declined to let the client's model score"
_UNREAD = (
    "This token may not read passages: with the scope search, train_params shows the hits to score under this job_id."
)


def _needs_queries(scored: int, asked: int) -> TrainReply:
    more = f" and {asked} to score" if asked else ""
    return TrainReply(
        job_id="",
        status="needs_queries",
        progress=Progress(done=scored + asked, total=FEWEST_QUERIES),
        reason=f"there are {scored} queries with {FEWEST_HITS} scored hits or more{more}: at least {FEWEST_QUERIES} "
        "are needed, 50 are good",
        next=f"Call train_params with about 50 queries: {GOOD_QUERIES}.",
    )


def _batch(workspace: Workspace, searches: list[tuple[Search, list[Hit]]]) -> list[ToScore]:
    """Show hits to score, as many as an agent can read at once."""
    batch: list[ToScore] = []
    size = 0
    for found, hits in searches:
        numbers = {shown.id: shown.hit for shown in found.shown.values()}
        replies = hit_replies([numbers[hit.id] for hit in hits], hits, Form(workspace.text_limit, whole=True))
        size += sum(len(reply.model_dump_json(exclude_none=True)) for reply in replies)
        if batch and size > BATCH_CHARACTERS:
            break
        batch.append(ToScore(search_id=found.id, query=found.query, hits=replies))
    return batch


async def _report(ctx: ToolContext, done: int, total: int) -> None:
    await ctx.report_progress(done, total or None, "queries scored")


TOOL = make_tool(
    train_params,
    "Train how far scores steer Qdrant relevance feedback",
    ToolAnnotations(read_only_hint=False, destructive_hint=False, idempotent_hint=False, open_world_hint=True),
)
