"""The MCP server on a Qdrant server with a foreign collection."""

import json
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from threading import Event
from typing import Any

import anyio
import pytest
from anyio.lowlevel import checkpoint
from mcp import Client, MCPError, StdioServerParameters
from qdrant_client import models
from qdrant_server import QdrantServer
from support import Reference, ask, refusal

from warmer.embedding import Embedder
from warmer_server.app import build_server
from warmer_server.cli import main
from warmer_server.settings import read_settings

pytestmark = pytest.mark.anyio
TO_TRAIN = [f"{how} {word}" for how in ("how", "why") for word in ("bread", "boats", "code", "stars", "data")]
KEY, READ_ONLY = "s3cret-key", "s3cret-reader"
Connect = Callable[..., AbstractAsyncContextManager[Client]]
Status = Callable[..., str]


@pytest.fixture
def qdrant(reference: Reference, embedder: Embedder) -> Iterator[QdrantServer]:
    """A server with a collection as LangChain makes them: a default vector, texts in `page_content`, ids 1, 2, 3 ..."""
    with QdrantServer(api_key=KEY, read_only_key=READ_ONLY) as server:
        fill(server, "docs", embedder, reference)
        yield server


def fill(server: QdrantServer, name: str, embedder: Embedder, reference: Reference) -> None:
    texts = [passage.text for passage in reference.passages]
    vectors = dict(embedder.embed_passages(texts))
    size = models.VectorParams(size=embedder.dim, distance=models.Distance.COSINE)
    server.store.create_collection(name, vectors_config=size)
    points = [
        models.PointStruct(
            id=n + 1,
            vector=vectors[n].tolist(),
            payload={"page_content": text, "metadata": {"source": f"{n}.md"}, "tenant": "a" if n % 2 else "b"},
        )
        for n, text in enumerate(texts)
    ]
    server.store.upsert(name, points)


@pytest.fixture
def environment(qdrant: QdrantServer, tmp_path: Path) -> dict[str, str]:
    return {"QDRANT_URL": qdrant.url, "QDRANT_API_KEY": KEY, "WARMER_DATA_DIR": str(tmp_path)}


@pytest.fixture
def connect(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Connect:
    """Build a server with further settings, and a client of it."""

    @asynccontextmanager
    async def connected(**more: str) -> AsyncIterator[Client]:
        for name, value in (environment | more).items():
            monkeypatch.setenv(name, value)
        async with Client(build_server(read_settings())) as client:
            yield client

    return connected


@pytest.fixture
def status(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Status:
    """Run `warmer status` and return its output, or its error message."""

    def say(**more: str) -> str:
        for name, value in (environment | more).items():
            monkeypatch.setenv(name, value)
        try:
            main(["status"])
        except SystemExit as refused:
            return str(refused)
        printed = capsys.readouterr()
        return printed.out + printed.err

    return say


async def test_all_three_tools_work_on_a_foreign_collection(
    environment: dict[str, str], qdrant: QdrantServer, reference: Reference
) -> None:
    command = [sys.executable, "-m", "warmer_server.cli", "serve"]
    parameters = StdioServerParameters(command=command[0], args=command[1:], env=os.environ | environment)
    async with Client(parameters) as client:
        found = await ask(client, "search", query=reference.queries[0], limit=4, include_ids=True)
        assert found["collection"] == "docs"
        assert {hit["text"] for hit in found["hits"]} <= {passage.text for passage in reference.passages}
        assert found["hits"][0]["source"].endswith(".md")
        scores = {"1": 9, "2": 0, "3": 5}
        steered = await ask(client, "give_feedback", search_id=found["search_id"], scores=scores)
        assert steered["outcome"] == "steered"
        assert not {hit["text"] for hit in steered["hits"]} & {hit["text"] for hit in found["hits"]}
        on = await ask(client, "search", search_id=found["search_id"], rewordings=[reference.queries[1]], limit=3)
        assert [hit["hit"] for hit in on["hits"]] == [20, 21, 22]
        whole = await ask(client, "search", search_id=found["search_id"], read=[1], detail="around", include_ids=True)
        assert whole["hits"][0]["id"] == found["hits"][0]["id"]
        assert whole["hits"][0]["text"] in {passage.text for passage in reference.passages}
        trained = await ask(client, "train_params", queries=TO_TRAIN, limit=5, wait_seconds=20)
        assert trained["status"] == "needs_scores"
    writes = [path for method, path, _ in qdrant.requests if method in {"PUT", "PATCH", "DELETE"} or "payload" in path]
    assert writes == []


async def test_feedback_takes_two_round_trips(connect: Connect, qdrant: QdrantServer, reference: Reference) -> None:
    async with connect() as client:
        found = await ask(client, "search", query=reference.queries[0], limit=4)
        qdrant.requests.clear()
        await ask(client, "give_feedback", search_id=found["search_id"], scores={"1": 9, "2": 0})
    kinds = [path.rpartition("/")[2] for _, path, _ in qdrant.requests if path != "/collections/docs"]
    # Whether what was scored is still there is asked while the best are searched, which are then fetched.
    assert (sorted(kinds[:2]), kinds[2:]) == (["batch", "scroll"], ["scroll"])


async def test_a_deleted_point_still_counts_and_the_reply_says_so(
    connect: Connect, qdrant: QdrantServer, reference: Reference
) -> None:
    async with connect() as client:
        found = await ask(client, "search", query=reference.queries[1], limit=4, include_ids=True)
        gone = found["hits"][1]
        qdrant.store.delete("docs", models.PointIdsList(points=[int(gone["id"])]))
        scores = {"1": 0, "2": 10}
        steered = await ask(client, "give_feedback", search_id=found["search_id"], scores=scores)
        assert steered["outcome"] == "steered"
        assert "Deleted from the collection meanwhile: hits 2; their scores still count." in steered["next"]
        assert gone["text"] not in {hit["text"] for hit in steered["hits"]}
        read = await ask(client, "search", search_id=found["search_id"], read=[2, 1])
        assert [hit["hit"] for hit in read["hits"]] == [1]
        assert read["next"].startswith("Deleted from the collection meanwhile: hits 2. ")


async def test_a_tenant_sees_nothing_of_another(connect: Connect, reference: Reference) -> None:
    tenant = '{"must": [{"key": "tenant", "match": {"value": "a"}}]}'
    async with connect(WARMER_FILTER=tenant, WARMER_COLLECTIONS="docs") as client:
        found = await ask(client, "search", query=reference.queries[0], limit=30, include_ids=True)
        assert len(found["hits"]) == 18
        assert all(int(hit["id"]) % 2 == 0 for hit in found["hits"])
        scores = {"1": 9, "2": 0}
        steered = await ask(
            client, "give_feedback", search_id=found["search_id"], scores=scores, limit=30, include_scored=True
        )
        assert {hit["hit"] for hit in steered["hits"]} == {*range(1, 19)}
        on = await ask(client, "search", search_id=found["search_id"], rewordings=["anything"], limit=30)
        assert on["hits"] == []
        said = await refusal(client, "search", query="bread", collection="others")
        assert "there is no collection 'others'" in said and "docs" in said


async def test_a_custom_retriever_and_custom_texts(
    connect: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reference: Reference
) -> None:
    (tmp_path / "our_parts.py").write_text(
        "from warmer.embedding.fastembedder import load\n"
        "class Retriever:\n"
        "    name = 'ours'\n"
        "    def __init__(self): self.model = load()\n"
        "    def embed_query(self, text): return self.model.embed_query(text).tolist()\n"
        "class Short:\n"
        "    def embed_query(self, text): return [1.0, 2.0]\n"
        "class Broken:\n"
        "    def embed_query(self, text): return 'no'\n"
        "class Texts:\n"
        "    def texts(self, points): return ['found elsewhere: ' + point['id'] for point in points]\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    async with connect(WARMER_RETRIEVERS="docs=our_parts:Retriever", WARMER_TEXTS="our_parts:Texts") as client:
        found = await ask(client, "search", query=reference.queries[0], limit=3, include_ids=True)
        assert [hit["text"] for hit in found["hits"]] == [f"found elsewhere: {hit['id']}" for hit in found["hits"]]
    async with connect(WARMER_RETRIEVERS="docs=our_parts:Short") as client:
        said = await refusal(client, "search", query="bread")
        assert "has vectors of 384 dimensions, but 'our_parts:Short' embeds queries in 2" in said
    async with connect(WARMER_RETRIEVERS="docs=our_parts:Broken") as client:
        assert "our_parts:Broken failed" in await refusal(client, "search", query="bread")
    async with connect(WARMER_RETRIEVERS="docs=our_parts:Nobody") as client:
        assert "cannot load the retriever our_parts:Nobody" in await refusal(client, "search", query="bread")


async def test_two_replicas_share_a_journal(connect: Connect, qdrant: QdrantServer, reference: Reference) -> None:
    async with AsyncExitStack() as stack:
        one, other = [
            await stack.enter_async_context(connect(WARMER_JOURNAL="qdrant", WARMER_DATA_DIR=f"/nowhere/{n}"))
            for n in range(2)
        ]
        found = await ask(one, "search", query=reference.queries[2])
        arguments: dict[str, Any] = {"search_id": found["search_id"], "scores": {"1": 8, "2": 1}}
        steered = await ask(other, "give_feedback", **arguments)
        again = await ask(one, "give_feedback", search_id=found["search_id"], scores={"16": 4})
        assert [ranked["hit"] for ranked in again["ranking"]] == [1, 16, 2]
        assert {hit["hit"] for hit in steered["hits"]} >= {16}
    assert {entry.name for entry in qdrant.store.get_collections().collections} == {"docs", "warmer-journal"}


@pytest.mark.parametrize("journal", ["sqlite", "qdrant"])
async def test_a_tenant_cannot_use_what_another_searched(connect: Connect, reference: Reference, journal: str) -> None:
    tenant = '{{"must": [{{"key": "tenant", "match": {{"value": "{}"}}}}]}}'
    queries = reference.queries
    async with connect(WARMER_JOURNAL=journal, WARMER_FILTER=tenant.format("a")) as client:
        found = await ask(client, "search", query=queries[0], limit=5)
        assert found["collection"] == "docs"
        scores = {"1": 9, "2": 0}
        assert (await ask(client, "give_feedback", search_id=found["search_id"], scores=scores))["ranking"]
        job = (await ask(client, "train_params", queries=TO_TRAIN, limit=5))["job_id"]
    async with connect(WARMER_JOURNAL=journal, WARMER_FILTER=tenant.format("b")) as client:
        said = await refusal(client, "give_feedback", search_id=found["search_id"], scores={"1": 9})
        assert "is unknown: call search again" in said
        assert "is unknown" in await refusal(client, "train_params", job_id=job, cancel=True)


class FailingJournal:
    """Makes writes to the journal fail while `on`, except the first `spared` of them."""

    def __init__(self, qdrant: QdrantServer) -> None:
        self.on = False
        self.spared = 0
        qdrant.fail(503, times=1000, when=self._fails)

    def _fails(self, _: str, path: str) -> bool:
        if not (self.on and path.endswith("warmer-journal/points/batch")):
            return False
        self.spared -= 1
        return self.spared < 0


async def test_a_training_that_cannot_be_claimed_leaves_the_server_running(
    connect: Connect, qdrant: QdrantServer, reference: Reference
) -> None:
    failing = FailingJournal(qdrant)
    async with connect(WARMER_JOURNAL="qdrant") as client:
        await ask(client, "search", query=reference.queries[0])
        failing.on, failing.spared = True, 1  # storing the job succeeds
        with anyio.fail_after(30):
            reply = await ask(client, "train_params", queries=TO_TRAIN, limit=5, wait_seconds=500)
        assert reply["status"] == "running"
        failing.on = False
        await ask(client, "search", query=reference.queries[0])
        reply = await ask(client, "train_params", job_id=reply["job_id"])
        assert reply["status"] == "needs_scores"


async def test_a_training_that_cannot_be_settled_leaves_the_server_running(
    connect: Connect, qdrant: QdrantServer, reference: Reference, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("warmer_tools.training.LEASE", 0.0)
    failing = FailingJournal(qdrant)
    async with connect(WARMER_JOURNAL="qdrant", QDRANT_TIMEOUT="1") as client:
        await ask(client, "search", query=reference.queries[0])
        failing.on, failing.spared = True, 4  # storing, claiming and starting the job succeed
        with anyio.fail_after(30):
            reply = await ask(client, "train_params", queries=TO_TRAIN, limit=5, wait_seconds=500)
        assert reply["status"] == "running"
        failing.on = False
        await ask(client, "search", query=reference.queries[0])
        reply = await ask(client, "train_params", job_id=reply["job_id"])
        assert reply["status"] == "needs_scores"


async def test_a_slow_server_does_not_delay_the_handshake(connect: Connect, qdrant: QdrantServer) -> None:
    answers = Event()
    qdrant.fail(stall=answers, times=1000)
    with anyio.fail_after(15):
        async with connect(WARMER_JOURNAL="qdrant") as client:
            assert len((await client.list_tools()).tools) == 3
            answers.set()


async def test_a_server_may_come_up_later(
    connect: Connect, qdrant: QdrantServer, reference: Reference, caplog: pytest.LogCaptureFixture
) -> None:
    down = True
    qdrant.fail(503, times=1000, when=lambda *_: down)
    async with connect(WARMER_JOURNAL="qdrant") as client:
        assert "503" in await refusal(client, "search", query="bread")
        with anyio.fail_after(30):
            while "searches that have expired are not deleted" not in caplog.text:
                await checkpoint()
        down = False
        assert (await ask(client, "search", query=reference.queries[0]))["hits"]


async def test_parameters_are_shown_only_of_searchable_collections(
    connect: Connect, qdrant: QdrantServer, embedder: Embedder, reference: Reference
) -> None:
    fill(qdrant, "others", embedder, reference)
    async with connect(WARMER_COLLECTIONS="docs") as client:
        shown = await client.read_resource("warmer://collections/docs/params")
        assert json.loads(shown.contents[0].text)["trained"] == []  # type: ignore[union-attr]
        with pytest.raises(MCPError, match="there is no collection 'others'"):
            await client.read_resource("warmer://collections/others/params")


async def test_a_read_only_key_keeps_the_journal_local(
    connect: Connect, reference: Reference, caplog: pytest.LogCaptureFixture, qdrant: QdrantServer
) -> None:
    async with connect(WARMER_JOURNAL="qdrant", QDRANT_API_KEY=READ_ONLY) as client:
        found = await ask(client, "search", query=reference.queries[2])
        arguments: dict[str, Any] = {"search_id": found["search_id"], "scores": {"1": 8, "2": 1}}
        assert (await ask(client, "give_feedback", **arguments))["outcome"] == "steered"
    assert "kept on this machine alone" in caplog.text
    assert READ_ONLY not in caplog.text
    assert {entry.name for entry in qdrant.store.get_collections().collections} == {"docs"}


def test_a_shared_journal_is_exported_imported_and_pruned(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for name, value in (environment | {"WARMER_JOURNAL": "qdrant"}).items():
        monkeypatch.setenv(name, value)

    async def searched() -> None:
        async with Client(build_server(read_settings())) as client:
            await ask(client, "search", query="bread", limit=3)

    anyio.run(searched)
    for arguments, said in [
        (["export", str(tmp_path / "f")], "exported 1 searches, 3 hits, 0 scores"),
        (["prune", "--older-than", "0"], "1 searches deleted"),
        (["import", str(tmp_path / "f")], "imported 1 searches, 3 hits, 0 scores"),
    ]:
        main(["journal", *arguments])
        assert said in capsys.readouterr().err
    monkeypatch.setenv("QDRANT_API_KEY", READ_ONLY)
    with pytest.raises(SystemExit, match="may not make or write collection 'warmer-journal'"):
        main(["journal", "import", str(tmp_path / "f")])


@pytest.mark.parametrize("journal", ["sqlite", "qdrant"])
def test_status_describes_the_server_without_its_key(status: Status, journal: str, qdrant: QdrantServer) -> None:
    said = status(WARMER_JOURNAL=journal)
    assert f"server          {qdrant.url}, Qdrant 1.19" in said
    assert "collection      docs: 36 passages, made by an unknown model, 384 dimensions" in said
    assert "0 searches, 0 scores" in said
    assert ("warmer-journal" in said) is (journal == "qdrant")
    assert KEY not in said


def test_status_reports_an_old_server(status: Status, reference: Reference, embedder: Embedder) -> None:
    with QdrantServer(version="1.15.3") as server:
        fill(server, "docs", embedder, reference)
        said = status(QDRANT_URL=server.url, QDRANT_API_KEY="")
    assert "Qdrant 1.15" in said
    assert "1.15" in said.split("collection")[-1]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"QDRANT_API_KEY": "wr0ng-key"}, "check QDRANT_API_KEY"),
        ({"QDRANT_URL": "http://127.0.0.1:9"}, "nothing answers at http://127.0.0.1:9"),
        ({"QDRANT_URL": "qdrant"}, "QDRANT_URL is 'qdrant': write it as http://localhost:6333"),
    ],
)
def test_status_reports_errors(status: Status, more: dict[str, str], said: str) -> None:
    printed = status(**more)
    assert said in printed
    assert "wr0ng-key" not in printed


@pytest.mark.parametrize("setting", [{"QDRANT_URL": "qdrant"}, {"WARMER_FILTER": "{}"}])
def test_serve_refuses_at_start(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, setting: dict[str, str]
) -> None:
    for name, value in (environment | setting).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit, match=next(iter(setting))):
        main(["serve"])


async def test_a_long_text_is_sent_once_and_cut(connect: Connect, qdrant: QdrantServer, reference: Reference) -> None:
    long = {
        "page_content": "bread " * 5000,
        "metadata": {"source": "s" * 999, "page": 3, "notes": "n" * 999},
        "title": 7,
    }
    many = {f"note {n:02}": "m" * 90 for n in range(30)}
    qdrant.store.overwrite_payload("docs", {**long, **many}, models.Filter())
    async with connect(WARMER_TEXT_LIMIT="200") as client:
        found = await ask(client, "search", query=reference.queries[0], limit=3, detail="full")
    for hit in found["hits"]:
        assert len(hit["text"]) <= 202
        assert (hit["title"], len(hit["source"])) == ("7", 302)
        assert hit["metadata"]["metadata"] == {"page": 3}
        assert hit["metadata"]["note 00"] == "m" * 90
        assert len(str(hit["metadata"])) < 1100
    assert len(str(found)) < 3 * 1900


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("BAAI/bge-base-en-v1.5", "has vectors of 384 dimensions, but 'BAAI/bge-base-en-v1.5' embeds queries in 768"),
        ("BAAI/bge-small-en-v1.5", ""),
        ("no/such-model", "cannot load the embedding model 'no/such-model'"),
    ],
)
def test_status_reports_mismatches(status: Status, qdrant: QdrantServer, model: str, said: str) -> None:
    qdrant.store.create_collection("bare", models.VectorParams(size=384, distance=models.Distance.COSINE))
    qdrant.store.upsert("bare", [models.PointStruct(id=1, vector=[1.0] * 384, payload={"n": 1})])
    printed = status(WARMER_RETRIEVERS=f"docs={model}")
    assert "bare: 1 passages" in printed
    assert "its payloads hold no text: set WARMER_TEXT_FIELD" in printed
    assert printed.count("dimensions, but") + printed.count("cannot load") == bool(said)
    assert said in printed


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"WARMER_FILTER": "{tenant: a}"}, "WARMER_FILTER is not JSON"),
        ({"WARMER_RETRIEVERS": "docs"}, "'docs' is not collection=model"),
        ({"WARMER_JOURNAL": "paper"}, "WARMER_JOURNAL is 'paper'"),
        ({"WARMER_COLLECTIONS": " , "}, "WARMER_COLLECTIONS is ' , '"),
        ({"WARMER_FILTER": "{}"}, "WARMER_FILTER: the filter has no condition"),
        ({"WARMER_FILTER": '{"must": []}'}, "WARMER_FILTER: the filter has no condition"),
        ({"WARMER_FILTER": '{"must": null}'}, "WARMER_FILTER: the filter has no condition"),
        ({"WARMER_FILTER": "null"}, "WARMER_FILTER: filter: null is not an object"),
        ({"WARMER_FILTER": '{"tenant": "a"}'}, "WARMER_FILTER: filter: unknown key"),
        ({"QDRANT_TIMEOUT": "inf"}, "QDRANT_TIMEOUT is 'inf'"),
        ({"QDRANT_TIMEOUT": "1e6"}, "QDRANT_TIMEOUT is '1e6'"),
        ({"QDRANT_URL": "", "WARMER_COLLECTIONS": "docs"}, "QDRANT_URL is not set: set that too"),
        ({"WARMER_TEXTS": "nowhere:Texts"}, "cannot load WARMER_TEXTS=nowhere:Texts"),
    ],
)
def test_an_invalid_setting_is_refused(status: Status, more: dict[str, str], said: str) -> None:
    assert said in status(**{"QDRANT_API_KEY": "", **more})
