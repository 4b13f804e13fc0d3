import inspect
import json
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support import Api, Reference, claude_reply

from warmer.embedding import DEFAULT_MODEL, Embedder
from warmer.index.edge.catalog import Catalog
from warmer.judges.usage import Usage
from warmer.publishing.embedded.publish import index_passages
from warmer_evals import EvalError
from warmer_evals.agent.arms import ARMS
from warmer_evals.agent.budgets import Budget, Unit
from warmer_evals.agent.claude import ClaudeAgent
from warmer_evals.agent.episode import Episode, Question
from warmer_evals.agent.run import run_agents
from warmer_evals.agent.server import Server, serve
from warmer_evals.agent.transcript import Row, Transcript
from warmer_evals.beir import Dataset, Document

KEY = "sk-ant-dummy-key"
QUESTION = Question("q2", "how far away are the stars")
HEADER = {"agent": "scripted", "budget": 12}

Run = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def dataset(reference: Reference) -> Dataset:
    """Passages on six subjects; all of a subject are relevant to its query, the first one most."""
    documents = {f"d{number}": Document("", passage.text) for number, passage in enumerate(reference.passages)}
    of = {subject: [f"d{reference.passages.index(p)}" for p in found] for subject, found in reference.subjects.items()}
    qrels = {
        "q1": dict.fromkeys(of["bread"], 1) | {of["bread"][0]: 2, of["garden"][0]: 0},
        "q2": dict.fromkeys(of["space"], 1) | {of["space"][0]: 2},
        "q3": {of["garden"][0]: 0},
    }
    queries = {"q0": "not judged", "q1": "bread", "q2": QUESTION.text, "q3": "what has no answer"}
    return Dataset("set", documents, queries, {"test": qrels})


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, dataset: Dataset, reference: Reference, embedder: Embedder) -> Path:
    folder = tmp_path_factory.mktemp("data")
    passages = [replace(p, source=id_, title="") for id_, p in zip(dataset.documents, reference.passages, strict=True)]
    index_passages(Catalog(folder).generations("set"), passages, embedder, roots={})
    index_passages(Catalog(folder).generations("other"), passages[:1], embedder, roots={})
    return folder


@pytest.fixture
def run(dataset: Dataset, data: Path, tmp_path: Path) -> Run:
    def run(spec: str = "scripted", **more: Any) -> dict[str, Any]:
        arguments: dict[str, Any] = {
            "data_dir": data,
            "collection": "set",
            "model": DEFAULT_MODEL,
            "split": "",
            "budget": 12,
            "n": 10,
            "out": tmp_path,
        }
        arguments |= {"ids_only": False, "limit": None, "progress": lambda _done, _total: None}
        arguments |= more
        return run_agents(dataset, spec=spec, **(arguments | {"budget": Budget(arguments["budget"])}))

    return run


@pytest.fixture(scope="module")
async def server(data: Path) -> AsyncIterator[Server]:
    async with serve(data, "set", DEFAULT_MODEL) as started:
        yield started


@pytest.fixture
def open_episode(server: Server, dataset: Dataset) -> Callable[..., Episode]:
    def opened(arm: str = "feedback", budget: int = 12, unit: Unit = "passages") -> Episode:
        return Episode(server, ARMS[arm], dataset.documents, budget=Budget(budget, unit), n=3)

    return opened


def uses(*calls: tuple[str, object], stop_reason: str = "tool_use") -> tuple[int, Any]:
    status, reply = claude_reply("", stop_reason)
    reply["content"] = [reply["content"][0]] + [
        {"type": "tool_use", "id": f"toolu_{number}", "name": name, "input": arguments}
        for number, (name, arguments) in enumerate(calls)
    ]
    return status, reply


def results(request: dict[str, Any]) -> list[dict[str, Any]]:
    return [block for block in request["messages"][-1]["content"] if block["type"] == "tool_result"]


def found(request: dict[str, Any]) -> dict[str, Any]:
    (result,) = results(request)
    assert not result["is_error"], result
    reply: dict[str, Any] = json.loads(result["content"])
    return reply


def feed_back(request: dict[str, Any]) -> tuple[int, Any]:
    reply = found(request)
    scores = {str(hit["hit"]): 10 - 2 * position for position, hit in enumerate(reply["hits"])}
    return uses(("give_feedback", {"search_id": reply["search_id"], "scores": scores}))


def answer(request: dict[str, Any]) -> tuple[int, Any]:
    return uses(("answer", {"hits": [hit["source"] for hit in found(request)["hits"]]}))


def failed(status: int, message: str) -> tuple[int, Any]:
    return status, {"type": "error", "error": {"type": "authentication_error", "message": message}}


SEARCH = uses(("search", {"query": "stars", "limit": 4}))


def test_the_scripted_agent_reads_as_much_in_every_arm(run: Run, dataset: Dataset, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    report = run(progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 6)] * 6
    assert {key: report[key] for key in ("kind", "dataset", "agent", "budget", "n", "without_relevant")} == {
        "kind": "agent", "dataset": "set", "agent": "scripted", "budget": 12, "n": 10, "without_relevant": 1,
    }  # fmt: skip
    for arm, calls in ("search", 1), ("feedback", 3), ("thread", 3):
        told = report["arms"][arm]
        assert (told["queries"], told["failed"], told["hits_read"], told["calls"]) == (2, 0, 12, calls)
        assert (told["input_tokens"], told["output_tokens"], told["cost"]) == (0, 0, 0)
        assert told["ci"]["ndcg"][0] <= told["ndcg"] <= told["ci"]["ndcg"][1]
        assert 0 < told["precision"] < told["recall"] <= 1
    assert report["arms"]["feedback"]["ndcg"] > 0.9
    compared = report["comparison"]
    assert compared["ndcg_wins"] + compared["ndcg_losses"] + compared["ndcg_ties"] == 2
    assert compared["ndcg_lift"] is not None
    for arm in "search", "feedback":
        assert sum(compared[arm][f"ndcg_{side}"] for side in ("wins", "losses", "ties")) == 2
    lengths = [report["arms"][arm]["characters"] for arm in ("search", "feedback", "thread")]
    assert 0 < lengths[2] <= lengths[1]
    assert [one["id"] for one in report["per_query"]] == ["q1", "q2"]
    row = report["per_query"][1]["arms"]["feedback"]
    assert [len(hits) for hits in row["rounds"]] == [5, 5, 2]
    assert row["answer"][0] == next(id_ for id_, grade in dataset.qrels["test"]["q2"].items() if grade == 2)
    scores = {id_: 5.0 * dataset.qrels["test"]["q2"].get(id_, 0) for hits in row["rounds"][:2] for id_, _ in hits}
    assert dict(hit for hits in row["rounds"][:2] for hit in hits) == scores
    assert {score for _, score in row["rounds"][2]} == {None}
    assert set(report["texts"]) == {hit[0] for one in report["per_query"] for arm in one["arms"].values()
                                    for hits in arm["rounds"] for hit in hits}  # fmt: skip

    # A second run reads the transcripts and starts no server; other settings are refused.
    assert run(data_dir=tmp_path / "none") == report
    bare = run(data_dir=tmp_path / "none", ids_only=True, limit=1)
    assert (bare["texts"], len(bare["per_query"]), "text" in bare["per_query"][0]) == ({}, 1, False)
    with pytest.raises(EvalError, match=r"search\.jsonl is of another run: budget is 12 there and 10 now.*delete"):
        run(budget=10)


@pytest.mark.anyio
async def test_no_more_is_shown_than_the_budget(open_episode: Callable[..., Episode]) -> None:
    episode = open_episode(budget=7)
    first = await episode.call("search", {"query": "bread", "collection": "other"})
    assert (len(first.content["hits"]), first.content["passages_left"]) == (5, 2)
    for limit in "50", 5.0, True, None:
        assert "send a whole number from 1 to 2" in (await episode.call("search", {"query": "a", "limit": limit})).text
    feedback = {"search_id": first.content["search_id"], "scores": {"1": 9, "2": 3, "3": 0, "4": 1, "5": 1}}
    second = await episode.call("give_feedback", {**feedback, "limit": 50})
    assert (len(second.content["hits"]), episode.left) == (2, 0)
    assert "call answer now" in second.content["next"]
    for name, arguments in ("search", {"query": "more"}), ("give_feedback", feedback):
        refused = await episode.call(name, arguments)
        assert refused.refused
        assert "you have read 7 passages" in refused.text
    assert len(episode.read) == 7
    assert [score for _, score in episode.rounds[0]] == [9, 3, 0, 1, 1]
    assert not (await episode.call("answer", {"hits": [*reversed(episode.read), episode.read[0]]})).refused
    assert episode.answer == episode.read[:-4:-1]


@pytest.mark.anyio
async def test_without_feedback_nothing_speaks_of_it(open_episode: Callable[..., Episode], server: Server) -> None:
    episode = open_episode("search")
    assert [tool.name for tool in episode.tools] == ["search", "answer"]
    told = episode.tools[0]
    assert told.description
    assert told.description.split("\n\n")[0] in inspect.cleandoc(server.tools["search"].description or "")
    assert not told.input_schema["properties"].keys() & {"rewordings", "search_id", "read", "detail"}
    assert "rewordings" not in told.description
    reply = await episode.call("search", {"query": "bread"})
    assert "feedback" not in reply.text
    assert (await episode.call("give_feedback", {})).text == "there is no tool 'give_feedback': call search or answer"


@pytest.mark.anyio
async def test_a_thread_takes_words_and_shows_whole_what_is_read_again(open_episode: Callable[..., Episode]) -> None:
    episode = open_episode("thread", budget=6)
    assert {"rewordings", "hypothetical_passage", "read"} <= episode.tools[0].input_schema["properties"].keys()
    first = await episode.call("search", {"query": "bread", "rewordings": ["a loaf from the oven"], "limit": 4})
    assert (len(first.content["hits"]), first.content["passages_left"]) == (4, 2)
    here = {"search_id": first.content["search_id"]}
    second = await episode.call(
        "give_feedback", {**here, "scores": {"1": 9, "2": 1}, "rewordings": ["yeast and dough"]}
    )
    assert [hit["hit"] for hit in second.content["hits"]] == [5, 6]
    shown = episode.ledger.characters
    again = await episode.call("search", {**here, "read": [2, 1]})
    assert [hit["hit"] for hit in again.content["hits"]] == [2, 1]
    assert episode.ledger.characters == shown + sum(len(hit["text"]) for hit in again.content["hits"])
    assert [len(hits) for hits in episode.rounds] == [4, 2]
    assert (await episode.call("search", {**here, "query": "more"})).refused
    for arm in "search", "feedback":
        told = (await open_episode(arm).call("search", {"query": "bread", "rewordings": ["loaf"]})).text
        assert told == "search has no parameter 'rewordings'"


@pytest.mark.parametrize("arm", ARMS)
@pytest.mark.anyio
async def test_no_more_is_shown_than_the_characters(open_episode: Callable[..., Episode], arm: str) -> None:
    episode = open_episode(arm, 200, "characters")
    reply = await episode.call("search", {"query": "bread", "limit": 50})
    shown = sum(len(hit["text"]) for hit in reply.content["hits"])
    assert 0 < shown == episode.ledger.characters <= 200
    assert (reply.content["characters_left"], episode.left) == (0, 0)
    assert reply.content["next"] == "You have read all characters that you may: call answer now."
    refused = await episode.call("search", {"query": "more"})
    assert refused.text == "you have read 200 characters, which is all that you may: call answer now"
    assert len(episode.rounds[0]) == len(reply.content["hits"])


@pytest.mark.anyio
async def test_claude_searches_scores_and_answers(api: Api, open_episode: Callable[..., Episode]) -> None:
    api.answers = [SEARCH, feed_back, answer]
    episode = open_episode()
    outcome = await ClaudeAgent("claude-haiku-5-5").find(QUESTION, episode)
    assert not outcome.error
    assert episode.answer == [id_ for id_, _ in episode.rounds[1]][:3]
    assert [score for _, score in episode.rounds[0]] == [10, 8, 6, 4]
    assert (outcome.usage.calls, outcome.usage.input_tokens, outcome.usage.output_tokens) == (3, 3000, 150)
    first, _, last = api.requests
    assert [tool["name"] for tool in first["tools"]] == ["search", "give_feedback", "answer"]
    assert (first["output_config"], "temperature" in first) == ({"effort": "low"}, False)
    assert QUESTION.text in first["messages"][0]["content"]
    assert QUESTION.text not in first["system"]
    assert [message["role"] for message in last["messages"]] == ["user", "assistant"] * 2 + ["user"]
    assert last["messages"][1]["content"] == SEARCH[1]["content"]


@pytest.mark.anyio
async def test_the_prompt_is_the_same_in_every_arm(api: Api, open_episode: Callable[..., Episode]) -> None:
    api.answers = [uses(("answer", {"hits": []}))]
    for arm in ARMS:
        await ClaudeAgent("claude-haiku-4-5").find(QUESTION, open_episode(arm))
    one, *others = ({**request, "tools": None} for request in api.requests)
    assert others == [one, one]
    assert one["temperature"] == 0
    assert "output_config" not in one


@pytest.mark.anyio
async def test_wrong_calls_are_answered_with_what_is_wrong(api: Api, open_episode: Callable[..., Episode]) -> None:
    wrong = [
        ("search", {"query": "stars", "limt": 3}),
        ("search", {"query": "stars", "limit": 0}),
        ("search", ["stars"]),
        ("give_feedback", {"search_id": "s_none", "scores": {"1": 9}}),
        ("give_feedback", {"search_id": "s_none", "judge": "claude"}),
        ("train_params", {}),
        ("answer", {"hits": "d1"}),
        ("answer", {"hits": ["d1"]}),
    ]
    api.answers = [
        uses(*wrong),
        claude_reply("I know the answer."),
        uses(("search", {"query": "stars \ud83d"})),
        answer,
    ]
    episode = open_episode()
    assert not (await ClaudeAgent("claude-haiku-5-5").find(QUESTION, episode)).error
    refused = results(api.requests[1])
    assert [result["is_error"] for result in refused] == [True] * len(wrong)
    said = ["limt", "limit is 0: send a whole number", "not a JSON object", "s_none", "scores of your own", "no tool"]
    said += ['{"hits"', "'d1' is not the source of a passage that you were shown: none so far"]
    for part, result in zip(said, refused, strict=True):
        assert part in result["content"]
    assert api.requests[2]["messages"][-1]["content"][0]["text"].startswith("Call answer")
    assert episode.answer


@pytest.mark.anyio
async def test_a_model_that_never_answers_fails(api: Api, open_episode: Callable[..., Episode]) -> None:
    api.answers = [SEARCH]
    episode = open_episode(budget=5)
    outcome = await ClaudeAgent("claude-haiku-5-5").find(QUESTION, episode)
    assert (outcome.error, len(api.requests), outcome.usage.calls) == ("the model did not answer in 12 turns", 12, 12)
    assert len(episode.read) <= 5
    assert "last turn" in api.requests[-1]["messages"][-1]["content"][-1]["text"]


@pytest.mark.parametrize("reason", ["refusal", "max_tokens"])
@pytest.mark.anyio
async def test_a_reply_that_breaks_off_fails(api: Api, open_episode: Callable[..., Episode], reason: str) -> None:
    api.answers = [SEARCH, uses(("answer", {"hits": []}), stop_reason=reason)]
    episode = open_episode()
    outcome = await ClaudeAgent("claude-haiku-5-5").find(QUESTION, episode)
    assert outcome.error == f"the model ended with {reason}"
    assert episode.answer is None


def test_a_run_goes_on_after_the_api_died(run: Run, api: Api, tmp_path: Path) -> None:
    lost = failed(401, f"invalid x-api-key {KEY}")
    refusal = claude_reply("", "refusal")
    api.answers = [SEARCH, answer, SEARCH, feed_back, answer, SEARCH, lost]
    with pytest.raises(EvalError, match=r"\(401\): invalid x-api-key \*\*\*\. Check ANTHROPIC_API_KEY.*goes on"):
        run("claude")
    assert len(api.requests) == 7
    api.answers = [SEARCH, feed_back, answer, SEARCH, answer, refusal, SEARCH, answer]
    seen: list[int] = []
    report = run("claude", progress=lambda done, _: seen.append(done))
    assert seen == [2, 1, 1, 1, 1]
    assert len(api.requests) == 15
    assert (report["arms"]["search"]["failed"], report["arms"]["feedback"]["failed"]) == (0, 1)
    assert report["arms"]["search"]["input_tokens"] == 4000
    assert report["arms"]["feedback"]["cost"] == round((4000 * 0.1 + 200 * 0.5) / 1e6, 4)
    row = report["per_query"][1]["arms"]["feedback"]
    assert (row["ndcg"], row["answer"], row["error"]) == (0, [], "the model ended with refusal")
    kept = [path.read_text() for path in tmp_path.rglob("*") if path.is_file()]
    assert len(kept) == 3
    assert KEY not in "".join(kept)
    with pytest.raises(EvalError, match="agent is 'claude:claude-haiku-5-5' there and 'scripted' now"):
        run("scripted")


def test_a_transcript_loses_nothing_but_half_a_line(tmp_path: Path) -> None:
    path = tmp_path / "transcripts" / "search.jsonl"
    hit = ("d\u2028", 7.5)
    row = Row(
        id="q1",
        answer=["d\u2028"],
        read=1,
        characters=80,
        calls=1,
        rounds=[[hit]],
        messages=["\ud83d"],
        usage=Usage(1, 2, 3, None),
    )
    Transcript(path, HEADER).add(row)
    whole = path.read_bytes()
    path.write_bytes(whole + whole[-40:-1])
    again = Transcript(path, HEADER)
    assert again.rows == {"q1": row}
    again.add(row.model_copy(update={"id": "q2"}))
    assert list(Transcript(path, HEADER).rows) == ["q1", "q2"]
    path.write_bytes(whole + b"nonsense\n")
    with pytest.raises(EvalError, match=r"line 3 of .*: 'nonsense'. Delete that line"):
        Transcript(path, HEADER)
    path.write_bytes(b"nonsense\n" + whole)
    with pytest.raises(EvalError, match="agent is None there and 'scripted' now"):
        Transcript(path, HEADER)
    path.write_bytes(whole[:10])
    cut = Transcript(path, HEADER)
    assert cut.rows == {}
    cut.add(row)
    assert path.read_bytes() == whole
    with pytest.raises(EvalError, match="Choose another output folder"):
        Transcript(path / "search.jsonl", HEADER)


def test_a_server_that_cannot_be_used_is_told(run: Run, tmp_path: Path) -> None:
    with pytest.raises(EvalError, match=r"'none' in .* cannot be searched: .*there is no collection 'none'"):
        run(collection="none")
    (tmp_path / "file").touch()
    with pytest.raises(EvalError, match=r"`warmer serve` did not start on .*file"):
        run(data_dir=tmp_path / "file")


@pytest.mark.anyio
async def test_a_collection_of_other_documents_is_refused(server: Server) -> None:
    episode = Episode(server, ARMS["search"], {"d99"}, budget=Budget(5), n=5)
    with pytest.raises(EvalError, match="which is the id of no document of the dataset"):
        await episode.call("search", {"query": "bread"})


@pytest.mark.parametrize(
    ("spec", "more", "said"),
    [
        ("gpt", {}, "there is no agent 'gpt'. An agent is scripted, claude or claude:<model>, or recorded:FILE"),
        ("claude:", {}, "there is no agent 'claude:'"),
        ("scripted", {"budget": 51}, "the budget is 51: let the agent read 1 to 50 passages"),
        ("scripted", {"n": 0}, "n is 0"),
        ("scripted", {"limit": 0}, "the limit is 0"),
        ("scripted", {"split": "dev"}, "choose with --split"),
        ("claude:claude-x", {}, "the agent claude:claude-x needs a key: set ANTHROPIC_API_KEY"),
    ],
)
def test_what_cannot_be_run_is_told_first(
    run: Run, monkeypatch: pytest.MonkeyPatch, spec: str, more: dict[str, Any], said: str
) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    with pytest.raises(EvalError) as error:
        run(spec, **more)
    assert said in str(error.value)


def test_claude_is_an_extra(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "anthropic", None)
    monkeypatch.delitem(sys.modules, "warmer_evals.agent.claude")
    monkeypatch.delitem(sys.modules, "warmer.judges.claude")
    with pytest.raises(EvalError, match=r"pip install -c constraints.txt '\.\[claude\]'"):
        run("claude")
