"""Training through the MCP client: with an agent, with judges that do well and badly, over restarts."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client
from support import Api, Reference, ask, claude_reply, refusal

from warmer.embedding import Embedder
from warmer.index.edge.catalog import Catalog
from warmer.passage import Passage
from warmer.publishing.embedded.publish import index_passages
from warmer_server.app import build_server
from warmer_server.settings import Settings

pytestmark = pytest.mark.anyio
Connect = Callable[..., AbstractAsyncContextManager[Client]]
SHARED = Path(__file__).parents[3] / "shared" / "datasets" / "qdrant-docs"
QUERIES = [
    f"{verb} {thing}"
    for verb in ("what is", "how do I use")
    for thing in ("dough", "an anchor", "a generator", "compost", "the Moon", "an index")
]
JUDGE = """
from pathlib import Path
from time import sleep

CALLS = Path({calls!r})

class Subject:
    rubric = "subject v1"
    def score(self, query, passages):
        with CALLS.open("a") as calls:
            calls.write(query + "\\n")
        return [float(len(passage) % 11) for passage in passages]

class Nan(Subject):
    def score(self, query, passages):
        return [float("nan")] * len(passages)

class Short(Subject):
    def score(self, query, passages):
        return [1.0]

class Same(Subject):
    def score(self, query, passages):
        return [4.0] * len(passages)

class Waits(Subject):
    def score(self, query, passages):
        scores = super().score(query, passages)
        while not CALLS.with_name("go").exists():
            sleep(0.01)
        return scores

class Dies(Subject):
    name = "judges_of_a_test:Subject"
    def score(self, query, passages):
        if query == "what is compost":
            raise RuntimeError("out of memory")
        return super().score(query, passages)
"""
OWN = ",".join(f"judges_of_a_test:{name}" for name in ("Subject", "Nan", "Short", "Same", "Waits", "Dies"))


@pytest.fixture
def connect(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Connect:
    @asynccontextmanager
    async def connected(**environment: str) -> AsyncIterator[Client]:
        for name, value in {"WARMER_DATA_DIR": str(data_dir), "WARMER_JUDGES": OWN, **environment}.items():
            monkeypatch.setenv(name, value)
        async with Client(build_server(Settings())) as client:
            yield client

    return connected


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "calls").touch()
    (tmp_path / "judges_of_a_test.py").write_text(JUDGE.format(calls=str(tmp_path / "calls")))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(__import__("sys").modules, "judges_of_a_test", raising=False)
    return tmp_path / "calls"


def made(calls: Path) -> list[str]:
    """List the queries for which a judge was called."""
    return calls.read_text().splitlines()


async def score_batch(client: Client, reply: dict[str, Any], score: Callable[[str, dict[str, Any]], float]) -> None:
    for item in reply["to_score"]:
        scores = {str(hit["hit"]): score(item["query"], hit) for hit in item["hits"]}
        await ask(client, "give_feedback", search_id=item["search_id"], scores=scores, limit=1)


async def trained(client: Client, collection: str = "notes") -> dict[str, Any]:
    (contents,) = (await client.read_resource(f"warmer://collections/{collection}/params")).contents
    told: dict[str, Any] = json.loads(contents.text)  # type: ignore[union-attr]
    return told


async def test_without_scores_or_queries_it_asks_for_queries(connect: Connect) -> None:
    async with connect() as client:
        reply = await ask(client, "train_params")
        assert (reply["status"], reply["progress"]) == ("needs_queries", {"done": 0, "total": 10})
        assert "50 queries" in reply["next"]


async def test_an_agent_scores_batches_over_a_restart(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("warmer_tools.train_params.BATCH_CHARACTERS", 6000)

    def score(query: str, hit: dict[str, Any]) -> float:
        return 9 * (query.rsplit(maxsplit=1)[-1] in hit["text"]) + len(hit["text"]) % 3 / 3

    async with connect() as client:
        reply = await ask(client, "train_params", queries=[*QUERIES, QUERIES[0]], limit=8)
        job = reply["job_id"]
        assert reply["status"] == "needs_scores"
        assert reply["progress"] == {"done": 0, "total": 12}
        assert 1 < len(reply["to_score"]) < 12
        await score_batch(client, reply, score)
    batches = 1
    async with connect() as client:
        while (reply := await ask(client, "train_params", job_id=job))["status"] == "needs_scores":
            assert reply["progress"]["done"] > 0
            await score_batch(client, reply, score)
            batches += 1
        assert batches > 2
        assert reply["status"] in {"applied", "rejected"}
        assert reply["held_out"]["queries"] >= 10
        assert (reply["status"] == "applied") == (reply["reason"] == "")
        again = await ask(client, "train_params")
        assert again["status"] == reply["status"]
        assert again["held_out"] == reply["held_out"]


async def test_scores_that_an_agent_gave_before_are_not_asked_for_again(connect: Connect) -> None:
    async with connect() as client:
        found = await ask(client, "search", query=QUERIES[0], limit=8)
        scores = {str(hit["hit"]): 1 for hit in found["hits"]}
        await ask(client, "give_feedback", search_id=found["search_id"], scores=scores)
        reply = await ask(client, "train_params", queries=QUERIES, limit=8)
        assert reply["progress"] == {"done": 1, "total": 12}
        assert reply["to_score"][0]["query"] == QUERIES[1]


async def test_a_judge_scores_once_and_for_all(connect: Connect, calls: Path) -> None:
    reported: list[float] = []

    async def progress(progress: float, total: float | None, message: str | None) -> None:  # noqa: ARG001
        reported.append(progress)

    async with connect() as client:
        arguments = {"queries": QUERIES, "judge": "judges_of_a_test:Subject", "limit": 12}
        result = await client.call_tool("train_params", arguments, progress_callback=progress)
        reply = result.structured_content
        assert reply
        assert reply["status"] in {"applied", "rejected"}
        assert len(made(calls)) == len(QUERIES)
        assert reported == sorted(reported)
        assert reported
        again = await ask(client, "train_params", **arguments)
        assert again["held_out"] == reply["held_out"]
        assert len(made(calls)) == len(QUERIES)


@pytest.mark.usefixtures("calls")
@pytest.mark.parametrize(
    ("judge", "status", "said"),
    [("Nan", "failed", "nan"), ("Short", "failed", "1 scores for"), ("Same", "rejected", "spread the scores")],
)
async def test_bad_judges_have_named_outcomes(connect: Connect, judge: str, status: str, said: str) -> None:
    async with connect() as client:
        reply = await ask(client, "train_params", queries=QUERIES, judge=f"judges_of_a_test:{judge}", limit=8)
        assert reply["status"] == status
        assert said in reply["reason"]
        found = await ask(client, "search", query="bread")
        fed = await ask(client, "give_feedback", search_id=found["search_id"], scores={"1": 9})
        assert fed["outcome"] == "steered"
        assert (await trained(client))["trained"] == []


async def test_a_judge_that_dies_half_way_loses_no_score(connect: Connect, calls: Path) -> None:
    async with connect() as client:
        dies = {"queries": QUERIES, "judge": "judges_of_a_test:Dies", "limit": 8}
        reply = await ask(client, "train_params", **dies)
        assert reply["status"] == "failed"
        assert "RuntimeError: out of memory" in reply["reason"]
        before = made(calls)
        assert 0 < len(before) < len(QUERIES)
        repeated = await ask(client, "train_params", job_id=reply["job_id"])
        assert repeated["status"] == "failed"
        mended = await ask(client, "train_params", **{**dies, "judge": "judges_of_a_test:Subject"})
        assert mended["status"] in {"applied", "rejected"}
        assert sorted(made(calls)) == sorted(QUERIES)


async def test_two_trainings_at_once_come_to_the_same_end(connect: Connect, calls: Path) -> None:
    ends = []

    async def train(client: Client, judge: str) -> None:
        ends.append(await ask(client, "train_params", queries=QUERIES, judge=f"judges_of_a_test:{judge}", limit=8))

    async with connect() as client:
        async with anyio.create_task_group() as tasks:
            for judge in ("Subject", "Subject", "Same"):
                tasks.start_soon(train, client, judge)
        one, other = (end for end in ends if "held_out" in end)
        assert one["held_out"] == other["held_out"]
        assert set(made(calls)) == set(QUERIES)


async def test_claude_trains_and_what_it_cost_is_said(connect: Connect, api: Api) -> None:
    scores = [{"passage": n + 1, "score": score} for n, score in enumerate([9, 0, 3, 7, 1, 5, 2, 8])]
    api.answers = [claude_reply(json.dumps({"scores": scores}))]
    async with connect() as client:
        reply = await ask(client, "train_params", queries=QUERIES, judge="claude", limit=8)
        assert reply["status"] in {"applied", "rejected"}
        assert reply["held_out"]["queries"] == len(QUERIES)
        assert len(api.requests) == len(QUERIES)
        assert (reply["usage"]["calls"], reply["usage"]["input_tokens"]) == (len(QUERIES), 1000 * len(QUERIES))
        assert reply["usage"]["cost"] > 0
        found = await ask(client, "search", query=QUERIES[0], limit=8)
        fed = await ask(client, "give_feedback", search_id=found["search_id"], judge="claude")
        assert len(fed["ranking"]) == 8
        assert len(api.requests) == len(QUERIES)


async def test_a_judge_takes_the_newest_searches(
    connect: Connect, calls: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("warmer_tools.train_params.MAX_QUERIES", 10)
    async with connect() as client:
        for query in QUERIES:
            await ask(client, "search", query=query, limit=1)
        reply = await ask(client, "train_params", judge="judges_of_a_test:Subject", limit=8)
        assert reply["progress"]["total"] == 10
    assert set(made(calls)) == set(QUERIES[-10:])


async def test_too_few_queries_are_refused_before_any_is_scored(connect: Connect, calls: Path) -> None:
    judge = "judges_of_a_test:Subject"
    async with connect() as client:
        for who in ("agent", judge):
            reply = await ask(client, "train_params", queries=QUERIES[:3], judge=who)
            assert (reply["status"], reply["progress"]) == ("needs_queries", {"done": 3, "total": 10})
            assert "5 scored hits or more and 3 to score: at least 10 are needed" in reply["reason"]
        assert made(calls) == []
        await ask(client, "train_params", queries=QUERIES[:10], judge=judge, limit=8)
        assert len(made(calls)) == 10
        few = await ask(client, "train_params", queries=QUERIES[9:], judge=judge, limit=8)
        assert few["progress"]["total"] == 3, "what this judge scored before counts too"
        assert (await ask(client, "train_params", queries=QUERIES[9:]))["status"] == "needs_queries"


@pytest.mark.usefixtures("calls")
async def test_a_training_can_be_cancelled(connect: Connect) -> None:
    async with connect() as client:
        job = (await ask(client, "train_params", queries=QUERIES, limit=8))["job_id"]
        assert (await ask(client, "train_params", job_id=job, cancel=True))["status"] == "cancelled"
        assert (await ask(client, "train_params", job_id=job))["status"] == "cancelled"


async def test_a_running_training_can_be_cancelled(connect: Connect, calls: Path) -> None:
    async with connect() as client:
        arguments = {"queries": QUERIES, "judge": "judges_of_a_test:Waits", "limit": 8, "wait_seconds": 0}
        job = (await ask(client, "train_params", **arguments))["job_id"]
        while not made(calls):
            assert (await ask(client, "train_params", job_id=job, wait_seconds=0.1))["status"] == "running"
        assert (await ask(client, "train_params", job_id=job, cancel=True))["status"] == "cancelled"
        calls.with_name("go").touch()
        reply = await ask(client, "train_params", job_id=job)
        assert (reply["status"], reply["reason"]) == ("cancelled", "it was cancelled; its scores are kept")
    assert len(made(calls)) == 1


async def test_bad_calls_are_told_what_to_do(connect: Connect) -> None:
    async with connect() as client:
        bad: list[tuple[dict[str, Any], str]] = [
            ({"job_id": "t_made-up"}, "is unknown"),
            ({"queries": [""]}, "the query is empty"),
            ({"judge": "os:getcwd"}, "WARMER_JUDGES"),
            ({"judge": "gpt"}, "there is no judge"),
            ({"judge": "claude", "queries": QUERIES}, "ANTHROPIC_API_KEY"),
            ({"limit": 2}, "limit is 2: send a whole number from 5 to 50 (Hits to score per query, 5-50"),
            ({"queries": ["x", [3]]}, "queries[1] is a list of 1: send a list of texts, 500 items at most"),
            ({"queries": ["x"] * 501}, "queries is a list of 501: send a list of texts, 500 items at most"),
            ({"wait_seconds": -1}, "wait_seconds is -1: send a number from 0 to 600"),
            ({"collection": "none"}, "there is no collection"),
        ]
        for arguments, said in bad:
            assert said in await refusal(client, "train_params", **arguments), arguments


async def test_a_judge_scores_what_is_shown(connect: Connect, calls: Path) -> None:
    async with connect() as client:
        handle = (await ask(client, "search", query="what is dough", limit=6))["search_id"]
        judge = "judges_of_a_test:Subject"
        assert "send scores, or name a judge" in await refusal(
            client, "give_feedback", search_id=handle, judge=judge, scores={"1": 3}
        )
        reply = await ask(client, "give_feedback", search_id=handle, judge=judge)
        assert reply["outcome"] == "steered"
        assert len(reply["ranking"]) == 6
        assert {ranked["score"] for ranked in reply["ranking"]} <= set(range(11))
        assert len(made(calls)) == 1


@pytest.mark.usefixtures("calls")
async def test_a_collection_that_was_embedded_anew_trains_anew(
    connect: Connect, data_dir: Path, reference: Reference, embedder: Embedder
) -> None:
    async with connect() as client:
        job = (await ask(client, "train_params", queries=QUERIES, limit=8))["job_id"]

    class Other:
        name, dim = "other/model", embedder.dim
        embed_passages, embed_query = embedder.embed_passages, embedder.embed_query

    generations = Catalog(data_dir).generations("notes")
    index_passages(generations, reference.passages, Other(), roots={"notes": Path("/notes")}, replace=True)
    async with connect() as client:
        reply = await ask(client, "train_params", job_id=job)
        assert reply["status"] == "failed"
        assert "other/model" in reply["reason"]


def read_lines(file: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (SHARED / file).read_text(encoding="utf-8").splitlines()]


@pytest.mark.skipif(not SHARED.exists(), reason=f"needs the data set {SHARED.name} beside the project")
async def test_scores_of_a_language_model_are_applied(tmp_path: Path, connect: Connect, embedder: Embedder) -> None:
    """A whole training with an agent that gives the recorded scores of a language model."""
    queries = {query["_id"]: query["text"] for query in read_lines("queries.jsonl")}
    rows = [line.split("\t") for line in (SHARED / "qrels" / "train.tsv").read_text().splitlines()[1:]]
    grades = {(queries[query], document): float(score) for query, document, score in rows}
    judged = {document for _, document, _ in rows}
    passages = [Passage(d["text"], "", d["_id"], 1) for d in read_lines("corpus.jsonl") if d["_id"] in judged]
    generations = Catalog(tmp_path / "judged").generations("qdrant-docs")
    index_passages(generations, passages, embedder, roots={}, replace=True)
    asked = list(dict.fromkeys(query for query, _ in grades))

    async with connect(WARMER_DATA_DIR=str(tmp_path / "judged"), WARMER_SEARCH_MODE="dense") as client:
        reply = await ask(client, "train_params", queries=asked)
        while reply["status"] == "needs_scores":
            await score_batch(client, reply, lambda query, hit: grades.get((query, hit["source"]), 0))
            reply = await ask(client, "train_params", job_id=reply["job_id"])
        assert reply["status"] == "applied", reply["reason"]
        assert reply["held_out"]["ndcg"] > reply["held_out"]["default"] > reply["held_out"]["vanilla"]
        found = await ask(client, "search", query="how do I delete a collection")
        fed = await ask(client, "give_feedback", search_id=found["search_id"], scores={"1": 9, "2": 1})
        assert fed["outcome"] == "steered"
        (applied,) = (await trained(client, "qdrant-docs"))["trained"]
        served = applied["warmer"]["params"]
        assert (served["source"], served["c"]) == ("trained", reply["params"]["c"])
