"""What users are told of collections that somebody else made: by tools, resources, `status`, `doctor` and settings."""

import json
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mcp import Client
from qdrant_client import models
from qdrant_server import QdrantServer
from support import Reference, ask, refusal

from warmer.embedding import Embedder
from warmer.errors import WarmerError
from warmer_server.app import build_server
from warmer_server.cli import main
from warmer_server.connection import make_options
from warmer_server.doctor.remote import server as check_server
from warmer_server.settings import read_settings, read_values

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def qdrant(reference: Reference, embedder: Embedder) -> Iterator[QdrantServer]:
    """A server with two collections of the same payloads: one of the model's vectors, one of anything."""
    texts = [passage.text for passage in reference.passages]
    ours = dict(embedder.embed_passages(texts))
    random = np.random.default_rng(1).normal(size=(len(texts), 384))
    with QdrantServer() as server:
        for name, vectors in (("right", ours), ("wrong", dict(enumerate(random)))):
            size = models.VectorParams(size=384, distance=models.Distance.COSINE)
            server.store.create_collection(name, size)
            for n, text in enumerate(texts):
                payload = {
                    "page_content": text,
                    "metadata": {"source": f"docs/{n % 3}.md", "year": 2020 + n % 2, "id": "x"},
                    "id": "theirs",
                    "collection": "theirs",
                }
                server.store.upsert(name, [models.PointStruct(id=n + 1, vector=vectors[n].tolist(), payload=payload)])
        yield server


@pytest.fixture
def environment(qdrant: QdrantServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QDRANT_URL", qdrant.url)
    monkeypatch.setenv("WARMER_DATA_DIR", str(tmp_path))


@pytest.fixture
async def client(environment: None) -> Any:  # noqa: ARG001
    async with AsyncExitStack() as stack:
        yield await stack.enter_async_context(Client(build_server(read_settings())))


async def test_the_first_reply_says_that_vectors_do_not_fit(client: Client) -> None:
    first = await ask(client, "search", query="bread", collection="wrong", limit=9)
    assert "Tell the user: the vectors of collection 'wrong' are not" in first["next"]
    again = await ask(client, "search", query="bread", collection="wrong", limit=9)
    right = await ask(client, "search", query="bread", collection="right", limit=9)
    assert "Tell the user" not in again["next"] + right["next"]


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ({"key": "lang", "match": {"value": "en"}}, ["looked at has 'lang'; fields seen:", "metadata.year (integer)"]),
        ({"key": "metadata.year", "match": {"value": "MMXX"}}, ["has an integer", '"MMXX" is a string']),
        ({"key": "source", "match": {"value": "0.md"}}, ['for a part of it send {"match": {"text": "0.md"}}']),
        ({"key": "metadata.year", "match": {"value": 1999}}, ["no passage passes the filter"]),
    ],
)
async def test_a_filter_that_hides_everything_is_explained(client: Client, where: Any, said: list[str]) -> None:
    told = await refusal(client, "search", query="bread", collection="right", filter={"must": [where]})
    for part in said:
        assert part in told


async def test_what_is_shown_can_be_filtered_by(client: Client) -> None:
    where = {
        "must": [
            {"key": "source", "match": {"value": "docs/1.md"}},
            {"key": "metadata.year", "match": {"value": "2020"}},
        ]
    }
    found = await ask(client, "search", query="bread", collection="right", filter=where, detail="full")
    assert {hit["source"] for hit in found["hits"]} == {"docs/1.md"}
    assert {hit["metadata"]["metadata"]["year"] for hit in found["hits"]} == {2020}


async def test_the_resource_tells_what_a_filter_can_name(client: Client) -> None:
    read = await client.read_resource("warmer://collections/right")
    collection = json.loads(getattr(read.contents[0], "text", ""))
    assert collection["fields"]["source"] == "string"
    assert collection["values"]["source"] == ["docs/0.md", "docs/1.md", "docs/2.md"]
    assert collection["values"]["metadata.year"] == [2020, 2021]


async def test_a_payload_does_not_rename_a_passage(client: Client) -> None:
    read = await client.read_resource("warmer://collections/right/passages/7")
    passage = json.loads(getattr(read.contents[0], "text", ""))
    assert (passage["id"], passage["collection"]) == ("7", "right")


@pytest.mark.usefixtures("environment")
async def test_doctor_fails_where_vectors_cannot_be_of_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WARMER_COLLECTIONS", "right,wrong")
    found = [finding async for finding in check_server(read_settings()) if finding.part == "vectors"]
    assert [(finding.state, finding.said.partition(":")[0]) for finding in found] == [
        ("ok", "right"),
        ("fails", "wrong"),
    ]
    assert "cosine 1.00" in found[0].said
    assert "WARMER_RETRIEVERS=wrong=model" in found[1].said


@pytest.mark.usefixtures("environment")
def test_status_tells_how_a_collection_is_read(capsys: pytest.CaptureFixture[str]) -> None:
    main(["status"])
    told = capsys.readouterr().out
    assert "its payloads: text from 'page_content', source from 'metadata.source'" in told
    assert "8 stored vectors against sentence-transformers/all-MiniLM-L6-v2: cosine 1.00" in told


@pytest.mark.usefixtures("environment")
def test_settings_for_single_collections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WARMER_TEXT_FIELD", "text, docs = a.b ,faq=c")
    monkeypatch.setenv("WARMER_VECTOR", "docs=dense")
    where = {"must": [{"key": "t", "match": {"value": "a,b=c"}}]}
    monkeypatch.setenv("WARMER_FILTER", f"docs={json.dumps(where)}, faq = {json.dumps(where)}")
    options = make_options(read_settings(), "journal")
    docs, faq, other = options.of("docs"), options.of("faq"), options.of("other")
    assert (docs.text_field, docs.vector, docs.where) == ("a.b", "dense", where)
    assert (faq.text_field, faq.vector, faq.where) == ("c", "", where)
    assert (other.text_field, other.vector, other.where) == ("text", "", None)
    assert docs.named == {"text_field", "vector", "where"}
    monkeypatch.setenv("WARMER_FILTER", json.dumps(where))
    assert make_options(read_settings(), "journal").where == where


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WARMER_TEXT_FIELD", "a,b"),
        ("WARMER_TEXT_FIELD", "docs="),
        ("WARMER_VECTOR", "=a"),
        ("WARMER_FILTER", "docs="),
        ("WARMER_FILTER", 'docs={"must": []}'),
        ("WARMER_FILTER", '{"must": [{"has_id": [1]}]}, {"must": [{"has_id": [2]}]}'),
    ],
)
def test_settings_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(WarmerError, match=name):
        read_settings()


async def test_a_key_without_a_server_is_answered_by_the_tools(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("QDRANT_API_KEY", "s3cret")
    monkeypatch.setenv("WARMER_DATA_DIR", str(tmp_path))
    with pytest.raises(WarmerError, match="QDRANT_URL is not set"):
        read_settings()
    async with Client(build_server(read_values())) as client:
        assert "QDRANT_API_KEY is for a Qdrant server" in await refusal(client, "search", query="bread")
