"""Claude as a judge: one call of the Messages API scores all hits of a query."""

import os
from collections.abc import Sequence
from threading import Lock

from anthropic import (
    Anthropic,
    AnthropicError,
    APIConnectionError,
    APIStatusError,
    AuthenticationError,
    InternalServerError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    transform_schema,
)
from anthropic.types import JSONOutputFormatParam, Message, OutputConfigParam
from pydantic import BaseModel, Field, ValidationError

from warmer.errors import JudgeError
from warmer.judges import quoted
from warmer.judges.prompt import PROMPT, RUBRIC, UnusableReplyError, complaint, question, tokens
from warmer.judges.usage import Usage

_ATTEMPTS = 2
_TIMEOUT_SECONDS = 120
_SDK_RETRIES = 4
# Models up to 4.6 take a temperature; later ones refuse it, think by default, and take an effort instead.
WITH_TEMPERATURE = (
    "claude-haiku-4-5",
    "claude-opus-4-5",
    "claude-opus-4-6",
    "claude-sonnet-4-5",
    "claude-sonnet-4-6",
)


class _Score(BaseModel):
    passage: int
    score: float = Field(ge=0, le=10)


class _Answer(BaseModel):
    scores: list[_Score]


_FORMAT: JSONOutputFormatParam = {"type": "json_schema", "schema": transform_schema(_Answer)}


class ClaudeJudge:
    """An Anthropic model as a judge.

    Args:
        model: The model's name in Anthropic's API.
        max_retries: How often the SDK retries after a rate limit, an overloaded server or a connection error.

    Raises:
        JudgeError: ANTHROPIC_API_KEY is not set.
    """

    rubric = RUBRIC
    workers = 4

    def __init__(self, model: str, *, max_retries: int = _SDK_RETRIES) -> None:
        self._key = os.environ.get("ANTHROPIC_API_KEY", "").strip()
        if not self._key:
            raise JudgeError(f"the judge claude:{model} needs a key: set ANTHROPIC_API_KEY, or choose another judge")
        self.name = f"claude:{model}"
        self._model = model
        self._client = Anthropic(api_key=self._key, max_retries=max_retries, timeout=_TIMEOUT_SECONDS)
        self._usage = Usage()
        self._lock = Lock()

    @property
    def usage(self) -> Usage:
        """Usage of all calls so far, including those with an unusable reply."""
        return self._usage

    def score(self, query: str, passages: Sequence[str]) -> list[float]:
        """Score the passages in one call; after an unusable reply, ask once more.

        Raises:
            JudgeError: The API call failed, or the second reply was unusable too.
        """
        content = [question(query, passages)]
        max_tokens = tokens(len(passages))
        for _ in range(_ATTEMPTS):
            try:
                return _parse_scores(self._request(content, max_tokens), len(passages))
            except UnusableReplyError as error:
                problem = str(error)
                content = [content[0], complaint(problem)]
        raise JudgeError(
            f"{self.name} gave no usable scores for the query {quoted(query)}, asked {_ATTEMPTS} times: {problem}. "
            f"Try again, with fewer or shorter passages, or with another model"
        )

    def _request(self, content: Sequence[str], max_tokens: int) -> Message:
        output: OutputConfigParam = {"format": _FORMAT}
        takes_temperature = self._model.startswith(WITH_TEMPERATURE)
        if not takes_temperature:
            output["effort"] = "low"
        try:
            reply = self._client.messages.create(
                model=self._model,
                system=PROMPT,
                messages=[{"role": "user", "content": [{"type": "text", "text": text} for text in content]}],
                max_tokens=max_tokens,
                output_config=output,
                extra_body={"temperature": 0} if takes_temperature else None,
            )
        except AnthropicError as error:
            raise JudgeError(explain(error, self.name, self._key)) from None  # the SDK's own error may quote the key
        if not isinstance(reply, Message):
            raise UnusableReplyError("it is not a message of the Messages API: check ANTHROPIC_BASE_URL")
        with self._lock:
            self._usage = self._usage.plus(self._model, reply.usage.input_tokens, reply.usage.output_tokens)
        return reply


def explain(error: AnthropicError, name: str, key: str) -> str:
    """Describe why a call of the API failed and what to do, without revealing the key."""
    reason = (error.api_message if isinstance(error, APIStatusError) else None) or str(error)
    status = f" ({error.status_code})" if isinstance(error, APIStatusError) else ""
    reason = reason.replace(key, "***")[:300].rstrip(".")
    return f"{name} could not be asked{status}: {reason}. {_advice(error)}"


def _parse_scores(reply: Message, count: int) -> list[float]:
    if reply.stop_reason != "end_turn":
        raise UnusableReplyError(f"it ended with {reply.stop_reason}")
    text = "".join(block.text for block in reply.content if block.type == "text")
    try:
        found = _Answer.model_validate_json(text, strict=True).scores
    except ValidationError as error:
        first = error.errors()[0]
        location = ".".join(map(str, first["loc"]))
        raise UnusableReplyError(f"{location or 'the reply'}: {first['msg']}") from error
    scores = {score.passage: score.score for score in found}
    if len(found) != count or set(scores) != set(range(1, count + 1)):
        numbers = ", ".join(str(score.passage) for score in found)
        raise UnusableReplyError(f"it scored the passages [{numbers}] instead of 1 to {count}, once each")
    return [scores[number] for number in range(1, count + 1)]


def _advice(error: AnthropicError) -> str:
    match error:
        case AuthenticationError() | PermissionDeniedError():
            return "Check ANTHROPIC_API_KEY"
        case NotFoundError():
            return "Check the model's name, and ANTHROPIC_BASE_URL if that is set"
        case RateLimitError() | InternalServerError():
            return "It was asked several times: try again later"
        case APIConnectionError():
            return "Check the network, and ANTHROPIC_BASE_URL if that is set"
    return "Check the model's name, and your account at platform.claude.com"
