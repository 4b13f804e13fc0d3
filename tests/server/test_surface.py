"""Resources, prompt and completions, in both eras of the protocol."""

import json
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import pytest
from mcp import Client, MCPError
from mcp.types import PromptReference, ResourceTemplateReference
from qdrant_client import models
from qdrant_server import QdrantServer
from support import ask

from warmer.embedding import Embedder
from warmer.index.edge.catalog import Catalog
from warmer.passage import Passage
from warmer.publishing.embedded.publish import index_passages
from warmer_server.app import build_server
from warmer_server.settings import read_settings

pytestmark = pytest.mark.anyio
Connect = Callable[..., AbstractAsyncContextManager[Client]]
LINES = ["Rye keeps for a week.", "Wheat rises more.", "Oats hold\x1b[31m water\u200b.", "Corn has no gluten.", "Salt."]


@pytest.fixture(scope="module")
def grain(made_once: Path, tmp_path_factory: pytest.TempPathFactory, embedder: Embedder) -> Path:
    """The collections `notes` and `grain`; the latter is one document of five passages."""
    folder = tmp_path_factory.mktemp("grain") / "data"
    subprocess.run(["cp", "-r", made_once, folder], check=True)
    passages = [Passage(text, "grain", "grain.md", 10 * n + 1) for n, text in enumerate(LINES)]
    index_passages(Catalog(folder).generations("grain"), passages, embedder, roots={"grain": Path("/grain")})
    return folder


@pytest.fixture(params=["auto", "legacy"])
def connect(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, grain: Path, tmp_path: Path) -> Connect:
    mode: Literal["auto", "legacy"] = request.param
    (tmp_path / "collections").symlink_to(grain / "collections")

    @asynccontextmanager
    async def connected(**environment: str) -> AsyncIterator[Client]:
        for name, value in {"WARMER_DATA_DIR": str(tmp_path), **environment}.items():
            monkeypatch.setenv(name, value)
        async with Client(build_server(read_settings()), mode=mode, raise_exceptions=False) as client:
            yield client

    return connected


async def read(client: Client, uri: str) -> dict[str, Any]:
    (contents,) = (await client.read_resource(uri)).contents
    told: dict[str, Any] = json.loads(contents.text)  # type: ignore[union-attr]
    return told


async def test_collections_are_resources(connect: Connect) -> None:
    async with connect() as client:
        listed = {resource.uri for resource in (await client.list_resources()).resources}
        assert listed == {"warmer://collections", "warmer://collections/grain", "warmer://collections/notes"}
        assert await read(client, "warmer://collections") == {"collections": ["grain", "notes"]}
        grain = await read(client, "warmer://collections/grain")
        assert (grain["name"], grain["points"], grain["dim"]) == ("grain", 5, 384)
        assert grain["fields"]["source"] == "string"
        assert grain["values"] == {"source": ["grain.md"]}
        assert not {"code", "declared"} & grain.keys()
        notes = await read(client, "warmer://collections/notes")
        assert notes["values"]["source"] == [
            f"notes/{subject}.md" for subject in ("bread", "database", "garden", "python", "sailing", "space")
        ]
        params = await read(client, "warmer://collections/grain/params")
        assert params["trained"] == []
        assert params["default"]["neutral"] == 5


async def test_a_passage_is_read_in_full_with_its_neighbours(connect: Connect) -> None:
    async with connect(WARMER_TEXT_LIMIT="100") as client:
        arguments: dict[str, Any] = {"collection": "grain", "limit": 5, "detail": "full", "include_ids": True}
        found = await ask(client, "search", query="Which grain holds water?", **arguments)
        ids = {hit.get("line", 1): hit["id"] for hit in found["hits"]}
        middle = await read(client, f"warmer://collections/grain/passages/{ids[21]}")
        assert (middle["text"], middle["source"], middle["line"]) == ("Oats hold\ufffd[31m water.", "grain.md", 21)
        assert [one["text"] for one in middle["before"]] == LINES[:2]
        assert [one["text"] for one in middle["after"]] == LINES[3:]
        assert [one["id"] for one in middle["before"]] == [ids[1], ids[11]]
        first = await read(client, f"warmer://collections/grain/passages/{ids[1].upper()}")
        assert first["before"] == []
        assert len(first["after"]) == 2


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("warmer://nothing", "Unknown resource: warmer://nothing"),
        (f"warmer://collections/{'x' * 5000}", "there is no collection 'xxx"),
        (f"warmer://{'x' * 5000}", "Unknown resource: warmer://xxx"),
        ("warmer://collections/none", "there is no collection 'none'; there are: grain, notes"),
        ("warmer://collections/none/params", "there is no collection 'none'"),
        ("warmer://collections/..%2Fnotes", "Unknown resource"),
        ("warmer://collections/notes/passages/c4e32165-83f3-4f9f-8020-de55468d8049", "has no passage"),
        ("warmer://collections/notes/passages/7", "has no passage '7'"),
        ("warmer://collections/notes/passages/x", "'x' is not a point id"),
        ("warmer://collections/notes/passages/-1", "'-1' is not a point id"),
        ("warmer://collections/notes/passages/99999999999999999999", "is not a point id"),
        ("warmer://collections/notes/passages/%D9%A3", "is not a point id"),
        (f"warmer://collections/notes/passages/{'1' * 5000}", "is not a point id"),
    ],
)
async def test_unknown_resources_are_refused(
    connect: Connect, caplog: pytest.LogCaptureFixture, uri: str, said: str
) -> None:
    async with connect() as client:
        with pytest.raises(MCPError) as error:
            await client.read_resource(uri)
    assert said in str(error.value)
    assert len(str(error.value)) < 2100
    assert not caplog.records


async def test_the_prompt_teaches_the_loop(connect: Connect, caplog: pytest.LogCaptureFixture) -> None:
    async with connect() as client:
        (prompt,) = (await client.list_prompts()).prompts
        assert [(argument.name, argument.required) for argument in prompt.arguments or []] == [
            ("question", True),
            ("collection", False),
        ]
        asked = {"question": "Why does {rye} keep?", "collection": "grain"}
        (message,) = (await client.get_prompt(prompt.name, asked)).messages
        text: str = message.content.text  # type: ignore[union-attr]
        assert "Why does {rye} keep?" in text
        assert 'call search (collection="grain")' in text.lower()
        assert "10 answers the query directly and fully" in text
        for name, given, said in (
            ("nothing", asked, "there is no prompt 'nothing'; there is: research"),
            (prompt.name, {}, "needs a question"),
            (prompt.name, {"question": " "}, "needs a question"),
            (prompt.name, asked | {"limit": "3"}, "has no argument 'limit'"),
        ):
            with pytest.raises(MCPError, match=said):
                await client.get_prompt(name, given)
    assert not caplog.records


async def test_collection_names_are_completed(connect: Connect) -> None:
    async with connect() as client:
        of_prompt = PromptReference(name="research")
        of_template = ResourceTemplateReference(uri="warmer://collections/{collection}/passages/{id}")
        for ref in (of_prompt, of_template):
            for begun, expected in (("", ["grain", "notes"]), ("N", ["notes", "grain"]), ("no", ["notes"]), ("x", [])):
                completed = await client.complete(ref, {"name": "collection", "value": begun})
                assert completed.completion.values == expected
        assert (await client.complete(of_template, {"name": "id", "value": "0"})).completion.values == []
        with pytest.raises(MCPError, match="nothing can be completed in 'nothing'"):
            await client.complete(PromptReference(name="nothing"), {"name": "collection", "value": ""})


async def test_a_refusing_server_is_reported_to_the_client(connect: Connect, caplog: pytest.LogCaptureFixture) -> None:
    with QdrantServer(api_key="secret-key-of-all") as qdrant:
        async with connect(QDRANT_URL=qdrant.url, QDRANT_API_KEY="wrong") as client:
            listed = (await client.list_resources()).resources
            assert [resource.uri for resource in listed] == ["warmer://collections"]
            with pytest.raises(MCPError, match="check QDRANT_API_KEY"):
                await client.read_resource("warmer://collections")
    assert "collections are not listed as resources" in caplog.text


async def test_foreign_collections_keep_their_names_and_ids(connect: Connect) -> None:
    name = "ä b%c"
    with QdrantServer() as qdrant:
        vectors = models.VectorParams(size=2, distance=models.Distance.COSINE)
        qdrant.store.create_collection(name, vectors_config=vectors)
        chunks = [{"page_content": f"part {n}", "metadata": {"source": "a.txt", "start_index": n}} for n in range(9)]
        points = [models.PointStruct(id=90 - n, vector=[1, n], payload=chunk) for n, chunk in enumerate(chunks)]
        qdrant.store.upsert(name, points)
        async with connect(QDRANT_URL=qdrant.url) as client:
            (uri,) = [found.uri for found in (await client.list_resources()).resources if found.name == name]
            assert uri.isascii()
            assert (await read(client, uri))["points"] == 9
            told = await read(client, f"{uri}/passages/87")
            assert (told["id"], told["text"], told["source"]) == ("87", "part 3", "a.txt")
            assert [one["text"] for one in told["before"] + told["after"]] == ["part 1", "part 2", "part 4", "part 5"]


async def test_the_handshake_has_a_small_icon(connect: Connect) -> None:
    async with connect() as client:
        (icon,) = (client.server_info and client.server_info.icons) or []
    assert icon.src.startswith("data:image/svg+xml,")
    assert len(icon.src) < 400
