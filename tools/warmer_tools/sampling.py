"""Scores by the model of the client that called: MCP's sampling, in both eras of the protocol.

Up to 2025-11-25 the server sends its requests while the call waits. Since 2026-07-28 the call is answered by the
requests, and the client calls again with the answers; what they answer is in their keys, so that any worker goes on.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import anyio
from mcp.shared.exceptions import MCPError
from mcp.shared.message import ServerMessageMetadata
from mcp.types import (
    CreateMessageRequest,
    CreateMessageRequestParams,
    CreateMessageResult,
    ElicitRequest,
    ElicitRequestFormParams,
    ElicitResult,
    InputRequiredResult,
    SamplingMessage,
    TextContent,
)

from warmer.errors import JudgeError
from warmer.index import Hit
from warmer.journal import Search
from warmer.journal.jobs import Job
from warmer.judges.client import CLIENT
from warmer.judges.prompt import (
    FORM,
    PROMPT,
    RUBRIC,
    UnusableReplyError,
    complaint,
    question,
    read_scores,
    tokens,
)
from warmer.sanitize import sanitize
from warmer_tools.tool import ToolContext
from warmer_tools.training import unscored
from warmer_tools.workspace import Workspace

AT_ONCE, ROUNDS = 8, 8  # requests of a round, rounds of a call; clients of 2026-07-28 end a call after ten
CONSENT_FROM = 10  # requests
ATTEMPTS = 2
ANSWER_SECONDS = 120.0
PASSAGE_CHARACTERS, REQUEST_CHARACTERS = 8_000, 40_000  # about 10,000 tokens
_INPUT_REQUIRED = "2026-07-28"
_CONSENT = "consent"
_METHODS: dict[str, Any] = {"sampling/createMessage": CreateMessageResult, "elicitation/create": ElicitResult}

Outcome = Literal["asked", "declined"]


@dataclass(frozen=True, slots=True)
class _Question:
    """Hits of a search to be scored in one request."""

    search: Search
    hits: Sequence[int]
    texts: Sequence[str]
    attempt: int = 1
    problem: str = ""

    def key(self, job: Job, round_: int) -> str:
        return " ".join([job.id, str(round_), str(self.attempt), self.search.id, ",".join(map(str, self.hits))])

    def request(self) -> CreateMessageRequest:
        again = "\n\n" + complaint(self.problem) if self.problem else ""
        text = question(sanitize(self.search.query), self.texts) + again
        message = SamplingMessage(role="user", content=TextContent(type="text", text=text))
        return CreateMessageRequest(
            params=CreateMessageRequestParams(
                messages=[message], system_prompt=PROMPT + FORM, max_tokens=tokens(len(self.hits))
            )
        )


@dataclass(frozen=True, slots=True)
class _Answered:
    """What came back for one question."""

    search: str
    hits: list[int]
    attempt: int
    text: str


def check_offered(ctx: ToolContext) -> None:
    """Make sure that the client's model can be asked.

    Raises:
        JudgeError: The client does not offer it.
    """
    if not (ctx.client_capabilities and ctx.client_capabilities.sampling):
        raise JudgeError(
            "the judge client is your client's model, but this client does not offer sampling on this connection: "
            'leave judge out and score yourself, or choose "claude" or "fastembed:<model>"'
        )


def answered_job(ctx: ToolContext) -> str:
    """Name the job whose requests a call answers; empty if it answers none."""
    return next((key.split(" ")[0] for key in ctx.input_responses or {}), "")


async def ask_client(ctx: ToolContext, workspace: Workspace, job: Job, until: float) -> InputRequiredResult | Outcome:
    """Have hits of a job scored by the client's model, as many as a call may ask for.

    Args:
        ctx: The call.
        workspace: Workspace.
        job: The job.
        until: When no further round begins, by the event loop's clock.

    Returns:
        Requests with which the call is to be answered, or what came of them.

    Raises:
        JudgeError: The client refuses, or its model's answers cannot be used.
        WarmerError: The journal or the collection fails.
    """
    answers = dict(ctx.input_responses or {})
    round_ = max((int(key.split(" ")[1]) for key in answers if _is_key(key, job)), default=-1) + 1
    while True:
        consent = answers.pop(f"{job.id} 0 {_CONSENT}", None)
        if isinstance(consent, ElicitResult) and not _agreed(consent):
            return "declined"
        failed = await _keep(workspace, job, answers)
        open_ = [_again(one, failed) for one in _questions(await unscored(workspace, job))]
        await _report(ctx, job, open_)
        if not open_ or round_ > ROUNDS or anyio.current_time() >= until or await _has_ended(workspace, job):
            return "asked"
        requests: dict[str, Any] = {one.key(job, round_): one.request() for one in open_[:AT_ONCE]}
        if round_ == 0 and len(open_) >= CONSENT_FROM and _elicits(ctx):
            requests = {f"{job.id} 0 {_CONSENT}": _consent(open_)}
        if (ctx.protocol_version or "") >= _INPUT_REQUIRED:
            return InputRequiredResult(input_requests=requests)
        answers = await _sent(ctx, requests)
        round_ += 1


async def _sent(ctx: ToolContext, requests: Mapping[str, Any]) -> dict[str, Any]:
    """Send requests on the connection of a call, all at once, and wait for the answers."""
    answers: dict[str, Any] = {}
    faults: list[str] = []

    async def send(key: str, request: Any, scope: anyio.CancelScope) -> None:  # noqa: ANN401  either request
        metadata = ServerMessageMetadata(related_request_id=ctx.request_id)
        try:
            answers[key] = await ctx.session.send_request(request, _METHODS[request.method], metadata=metadata)
        except MCPError as error:
            faults.append(sanitize(str(error))[:300].rstrip("."))
            scope.cancel()

    with anyio.move_on_after(ANSWER_SECONDS) as waiting:
        async with anyio.create_task_group() as tasks:
            for key, request in requests.items():
                tasks.start_soon(send, key, request, tasks.cancel_scope)
    if faults:
        raise JudgeError(
            f"the client refused to ask its model ({faults[0]}): allow sampling in the client, or choose another judge"
        )
    if waiting.cancelled_caught and not answers:
        raise JudgeError(
            f"the client's model did not answer in {ANSWER_SECONDS:g} seconds: approve the requests in the client, or "
            "choose another judge"
        )
    return answers


async def _keep(workspace: Workspace, job: Job, answers: Mapping[str, Any]) -> dict[str, tuple[int, str]]:
    """Keep the scores of answers; gives the attempt and the problem of each search without usable ones.

    Raises:
        JudgeError: An answer could not be used again and again.
    """
    failed = {}
    for one in _answered(job, answers):
        found = await workspace.journal.find(one.search, CLIENT)
        there = [hit for hit in one.hits if hit in found.shown]
        try:
            scores = dict(zip(there, read_scores(one.text, len(there)), strict=True))
        except UnusableReplyError as error:
            if one.attempt >= ATTEMPTS:
                raise JudgeError(
                    f"the client's model gave no usable scores, asked {ATTEMPTS} times: {sanitize(str(error))}. Choose "
                    "a stronger model in the client, or another judge"
                ) from error
            failed[one.search] = one.attempt + 1, sanitize(str(error))
        else:
            await workspace.journal.score(found.id, scores, CLIENT, RUBRIC)
    return failed


def _answered(job: Job, answers: Mapping[str, Any]) -> Iterator[_Answered]:
    """Read the keys of answers; what is no key of this job is passed over."""
    for key, answer in answers.items():
        parts = key.split(" ")
        if not _is_key(key, job) or len(parts) != 5 or parts[3] not in job.searches.values():  # noqa: PLR2004
            continue
        hits = [int(hit) for hit in parts[4].split(",") if hit.isascii() and hit.isdecimal() and len(hit) <= 4]  # noqa: PLR2004
        yield _Answered(parts[3], hits, ATTEMPTS if parts[2] != "1" else 1, _text(answer))


def _is_key(key: str, job: Job) -> bool:
    parts = key.split(" ")
    return len(parts) > 1 and parts[0] == job.id and parts[1] in {str(number) for number in range(ROUNDS + 2)}


def _text(answer: Any) -> str:  # noqa: ANN401  any of the SDK's results
    content = getattr(answer, "content", [])
    blocks = content if isinstance(content, list) else [content]
    return "".join(block.text for block in blocks if isinstance(block, TextContent))


def _questions(searches: Iterable[tuple[Search, list[Hit]]]) -> list[_Question]:
    """Divide what is to be scored into requests, each of one query."""
    questions = []
    for search, hits in searches:
        numbers = {shown.id: shown.hit for shown in search.shown.values()}
        parts: list[list[tuple[int, str]]] = [[]]
        size = 0
        for hit in hits:
            text = sanitize(hit.passage)[:PASSAGE_CHARACTERS]
            size += len(text)
            if parts[-1] and size > REQUEST_CHARACTERS:
                parts.append([])
                size = len(text)
            parts[-1].append((numbers[hit.id], text))
        questions += [_Question(search, [hit for hit, _ in part], [text for _, text in part]) for part in parts]
    return questions


def _again(one: _Question, failed: Mapping[str, tuple[int, str]]) -> _Question:
    attempt, problem = failed.get(one.search.id, (1, ""))
    return _Question(one.search, one.hits, one.texts, attempt, problem)


def _elicits(ctx: ToolContext) -> bool:
    offered = ctx.client_capabilities.elicitation if ctx.client_capabilities else None
    return offered is not None and (
        offered.form is not None or offered.url is None
    )  # before 2025-11-25 there was one mode


def _consent(open_: Sequence[_Question]) -> ElicitRequest:
    now = min(len(open_), AT_ONCE * ROUNDS)
    passages = sum(len(one.hits) for one in open_)
    message = (
        f"Warmer wants to ask your model {now} times{f' ({len(open_)} in all)' if now < len(open_) else ''}, to score "
        f"{passages} passages for a training. That uses your model's tokens. Go on?"
    )
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {"go_on": {"type": "boolean", "title": "Let the model score", "default": True}},
        "required": ["go_on"],
    }
    return ElicitRequest(params=ElicitRequestFormParams(message=message, requested_schema=schema))


def _agreed(consent: ElicitResult) -> bool:
    return consent.action == "accept" and (consent.content or {}).get("go_on", True) is not False


async def _has_ended(workspace: Workspace, job: Job) -> bool:
    return (await workspace.jobs.find(job.id)).status != "needs_scores"


async def _report(ctx: ToolContext, job: Job, open_: Sequence[_Question]) -> None:
    done = len(job.queries) - len({one.search.id for one in open_})
    await ctx.report_progress(done, len(job.queries) or None, "queries scored")
