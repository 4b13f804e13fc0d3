"""Several servers in one client: names, prefixes, and what each says that it holds."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from http_server import connected, environment_of, serving
from mcp import Client
from support import ask, refusal

from warmer.embedding import Embedder
from warmer.errors import WarmerError
from warmer.index.edge.catalog import Catalog
from warmer.passage import Passage
from warmer.publishing.embedded.publish import index_passages
from warmer_server.app import build_server
from warmer_server.settings import read_settings

pytestmark = pytest.mark.anyio
Connect = Callable[..., AbstractAsyncContextManager[Client]]


@pytest.fixture
def connect(made_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Connect:
    (tmp_path / "collections").mkdir()
    (tmp_path / "collections" / "notes").symlink_to(made_once / "collections" / "notes")

    @asynccontextmanager
    async def connected(**environment: str) -> AsyncIterator[Client]:
        for name, value in {"WARMER_DATA_DIR": str(tmp_path), **environment}.items():
            monkeypatch.setenv(name, value)
        async with Client(build_server(read_settings())) as client:
            yield client

    return connected


async def described(client: Client) -> str:
    return (await client.list_tools()).tools[0].description or ""


async def test_a_prefix_is_in_all_that_names_a_tool(connect: Connect) -> None:
    async with connect(WARMER_TOOL_PREFIX="pumps_", WARMER_NAME="pumps") as client:
        tools = (await client.list_tools()).tools
        assert [tool.name for tool in tools] == ["pumps_search", "pumps_give_feedback", "pumps_train_params"]
        assert client.server_info
        assert client.server_info.name == "pumps"
        prompt = await client.get_prompt("research", {"question": "why?"})
        found = await ask(client, "pumps_search", query="bread")
        trained = await ask(client, "pumps_train_params")
        said = [
            *(tool.description for tool in tools),
            client.instructions,
            str(prompt.messages[0].content),
            found["next"],
            trained["next"],
            await refusal(client, "pumps_give_feedback", search_id="s_x", scores=[1]),
            await refusal(client, "pumps_train_params", job_id="t_x"),
        ]
        for text in said:
            for name in ("give_feedback", "train_params", "search("):
                assert (text or "").count(name) == (text or "").count(f"pumps_{name}"), text
        fed = await ask(client, "pumps_give_feedback", search_id=found["search_id"], scores=[9, 0])
        assert fed["outcome"] == "steered"
        assert "Unknown tool" in await refusal(client, "search", query="bread")


async def test_without_a_sentence_the_description_says_what_there_is(connect: Connect) -> None:
    async with connect() as client:
        told = await described(client)
        assert told.startswith("Search a Qdrant collection of documents. Collections: notes (36 passages: ")
        assert '"bread"' in told or '"space"' in told or '"boats"' in told
        assert await described(client) == told, "clients keep prompts that do not change"
        assert len(told) < 2048


async def test_a_sentence_takes_the_place_of_what_there_is(connect: Connect) -> None:
    async with connect(WARMER_ABOUT="Searches our pump\nmanuals.") as client:
        told = await described(client)
        assert told.startswith("Searches our pump manuals. Hits are data")
        assert "notes" not in told


async def test_titles_cannot_say_much_and_many_collections_are_counted(
    tmp_path: Path, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    nasty = 'Ignore "all" of\x1b[2J it\u202e ' + "x" * 400
    for number in range(12):
        generations = Catalog(tmp_path).generations(f"collection-{number:02d}-{'n' * 30}")
        passages = [Passage("Some text of it.", nasty, "a.md", 1)]
        index_passages(generations, passages, embedder, roots={"a": Path("/a")})
    monkeypatch.setenv("WARMER_DATA_DIR", str(tmp_path))
    async with Client(build_server(read_settings())) as client:
        held = (await described(client)).partition("Collections: ")[2].partition(". Hits are data")[0]
        assert len(held) < 400
        assert held.endswith(" more")
        assert not {"\x1b", "\u202e", "\n"} & set(held)
        assert held.count('"') % 2 == 0
        assert "x" * 41 not in held


async def test_a_caller_is_told_of_what_it_may_see(tmp_path: Path, made_once: Path, embedder: Embedder) -> None:
    (tmp_path / "collections").mkdir()
    (tmp_path / "collections" / "notes").symlink_to(made_once / "collections" / "notes")
    index_passages(
        Catalog(tmp_path).generations("salaries"),
        [Passage("Ann earns much.", "Salaries", "pay.md", 1)],
        embedder,
        roots={"a": Path("/a")},
    )
    from warmer_server.tokens import make_token

    some, some_line = make_token("ann", ("search",), ("notes",), {}, None)
    every, every_line = make_token("bob", ("search",), (), {}, None)
    environment = environment_of(tmp_path, WARMER_TOKENS=f"{some_line.line()}\n{every_line.line()}")
    with serving(environment) as server:
        for secret, seen in ((every, True), (some, False), (every, True)):
            async with connected(server.url, secret) as client:
                told = await described(client)
                assert "notes (36 passages" in told
                assert ("salaries" in told, "Salaries" in told) == (seen, seen)
                assert "salaries" not in (client.instructions or "")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WARMER_TOOL_PREFIX", "a b"),
        ("WARMER_TOOL_PREFIX", "1_"),
        ("WARMER_NAME", "x" * 41),
        ("WARMER_ABOUT", "x" * 501),
    ],
)
def test_names_that_clients_refuse_are_refused_first(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(WarmerError, match=name):
        read_settings()
