"""The judge `client`: a model that the real SDK client asks, in both eras, over memory and pipes."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from http_server import environment_of, serving
from mcp import Client, StdioServerParameters
from mcp.types import (
    CreateMessageRequestParams,
    CreateMessageResult,
    ElicitRequestParams,
    ElicitResult,
    ErrorData,
    TextContent,
)
from support import ask, refusal

from warmer_server.app import build_server
from warmer_server.settings import Settings

pytestmark = pytest.mark.anyio
QUERIES = [
    f"{verb} {thing}" for verb in ("what is", "how do I use") for thing in ("dough", "rope", "compost", "Moon", "x")
]
ERAS = pytest.mark.parametrize("mode", ["auto", "legacy"])
Answer = Callable[[dict[str, Any], int], str]


def scored(asked: dict[str, Any], _: int = 0) -> str:
    scores = [{"passage": one["number"], "score": len(one["text"]) % 11} for one in asked["passages"]]
    return f"Here are the scores:\n```json\n{json.dumps({'scores': scores})}\n```"


class Model:
    """What stands behind a client: answers requests, and says yes or no to a question."""

    def __init__(self, answer: Answer = scored, consent: str = "accept") -> None:
        self.answer, self.consent = answer, consent
        self.asked: list[dict[str, Any]] = []
        self.questions: list[str] = []

    async def sample(self, _: Any, /, params: CreateMessageRequestParams) -> CreateMessageResult | ErrorData:
        content = params.messages[0].content
        assert isinstance(content, TextContent)
        assert params.system_prompt
        asked, _end = json.JSONDecoder().raw_decode(content.text)
        self.asked.append(asked)
        text = self.answer(asked, len(self.asked))
        if text == "refuse":
            return ErrorData(code=-1, message="User rejected sampling request")
        return CreateMessageResult(role="assistant", content=TextContent(type="text", text=text), model="m")

    async def elicit(self, _: Any, /, params: ElicitRequestParams) -> ElicitResult:
        self.questions.append(params.message)
        content = {"go_on": True} if self.consent == "accept" else None
        return ElicitResult(action=self.consent, content=content)

    def client(self, mode: Any, server: Any = None, *, elicits: bool = True) -> Client:
        return Client(
            server or build_server(Settings()),
            mode=mode,
            sampling_callback=cast("Any", self.sample),
            elicitation_callback=cast("Any", self.elicit) if elicits else None,
        )


@pytest.fixture(autouse=True)
def _notes(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WARMER_DATA_DIR", str(data_dir))


@ERAS
async def test_the_clients_model_scores_once_the_user_agrees(mode: Any) -> None:
    model = Model()
    arguments = {"queries": QUERIES, "judge": "client", "limit": 8}
    async with model.client(mode) as client:
        reply = await ask(client, "train_params", **arguments)
        assert reply["status"] in {"applied", "rejected"}, reply
        assert sorted(one["query"] for one in model.asked) == sorted(QUERIES)
        assert all(len(one["passages"]) == 8 for one in model.asked)
        assert len(model.questions) == 1
        assert "10 times, to score 80 passages" in model.questions[0]
        again = await ask(client, "train_params", **arguments)
        assert again["held_out"] == reply["held_out"]
        assert len(model.asked) == len(QUERIES), "no score is asked for twice"


async def test_the_model_scores_over_pipes(data_dir: Path) -> None:
    model = Model()
    environment = os.environ | {"WARMER_DATA_DIR": str(data_dir)}
    server = StdioServerParameters(command=sys.executable, args=["-m", "warmer_server.cli", "serve"], env=environment)
    async with model.client("legacy", server, elicits=False) as client:
        reply = await ask(client, "train_params", queries=QUERIES, judge="client", limit=5)
        assert reply["status"] in {"applied", "rejected"}, reply
        assert len(model.asked) == len(QUERIES)


async def test_any_worker_goes_on_with_the_answers(data_dir: Path) -> None:
    model = Model()
    with serving(environment_of(data_dir), "--workers", "2") as server:
        async with model.client("auto", server.url) as client:
            reply = await ask(client, "train_params", queries=QUERIES, judge="client", limit=5)
    assert reply["status"] in {"applied", "rejected"}, reply
    assert len(model.asked) == len(QUERIES)


async def test_a_client_of_before_cannot_be_asked_over_http(data_dir: Path) -> None:
    with serving(environment_of(data_dir)) as server:
        async with Model().client("legacy", server.url) as client:
            told = await refusal(client, "train_params", queries=QUERIES, judge="client", limit=5)
    assert "does not offer sampling on this connection" in told


@ERAS
async def test_a_user_may_decline(mode: Any) -> None:
    model = Model(consent="decline")
    async with model.client(mode) as client:
        reply = await ask(client, "train_params", queries=QUERIES, judge="client", limit=5)
        assert (reply["status"], reply["reason"]) == ("cancelled", "the user declined to let the client's model score")
        assert model.asked == []


async def test_an_answer_that_cannot_be_used_is_asked_for_once_more() -> None:
    model = Model(lambda asked, number: "I cannot say." if number == 1 else scored(asked))
    async with model.client("auto", elicits=False) as client:
        reply = await ask(client, "train_params", queries=QUERIES, judge="client", limit=5)
        assert reply["status"] in {"applied", "rejected"}
        assert len(model.asked) == len(QUERIES) + 1
    never = Model(lambda *_: '{"scores": [{"passage": 1, "score": 11}]}')
    async with never.client("auto", elicits=False) as client:
        reply = await ask(client, "train_params", queries=[f"{one}?" for one in QUERIES], judge="client", limit=5)
        assert reply["status"] == "failed"
        assert "asked 2 times: the score of passage 1 is '11', not a number from 0 to 10" in reply["reason"]


async def test_a_call_asks_a_bounded_number_and_the_next_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("warmer_tools.sampling.AT_ONCE", 2)
    monkeypatch.setattr("warmer_tools.sampling.ROUNDS", 2)
    model = Model()
    async with model.client("auto", elicits=False) as client:
        reply = await ask(client, "train_params", queries=QUERIES, judge="client", limit=5)
        assert (reply["status"], reply["to_score"]) == ("needs_scores", [])
        assert "the client's model scores the rest" in reply["next"]
        calls = 1
        while reply["status"] == "needs_scores":
            before = reply["progress"]["done"]
            reply = await ask(client, "train_params", job_id=reply["job_id"])
            assert reply["status"] != "needs_scores" or reply["progress"]["done"] > before
            calls += 1
        assert calls > 1
        assert len(model.asked) == len(QUERIES)


async def test_a_client_that_refuses_is_named() -> None:
    model = Model(lambda *_: "refuse")
    async with model.client("legacy", elicits=False) as client:
        reply = await ask(client, "train_params", queries=QUERIES, judge="client", limit=5)
        assert reply["status"] == "failed"
        assert reply["reason"].startswith("the client refused to ask its model (User rejected sampling request): allow")
        assert "job_id: scores are kept" in reply["next"]


@ERAS
async def test_without_sampling_the_judge_is_refused_and_none_is_asked(mode: Any) -> None:
    async with Client(build_server(Settings()), mode=mode) as client:
        assert "does not offer sampling" in await refusal(client, "train_params", queries=QUERIES, judge="client")
        found = await ask(client, "search", query="dough", limit=3)
        handle = found["search_id"]
        assert "scores in the tool train_params alone" in await refusal(
            client, "give_feedback", search_id=handle, judge="client"
        )
        assert (await ask(client, "train_params", queries=QUERIES))["status"] == "needs_scores"
