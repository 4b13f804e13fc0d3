"""What an earlier thread says about a search, through the SDK's client."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from support import ask

from warmer_server.app import build_server
from warmer_server.settings import Settings

pytestmark = pytest.mark.anyio
Connect = Callable[..., AbstractAsyncContextManager[Client]]
FIRST, SECOND = "why does the Moon move away from the Earth", "what makes the Moon move farther away from Earth slowly"
SPACE = {"must": [{"key": "source", "match": {"value": "notes/space.md"}}]}


@pytest.fixture
def connect(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Connect:
    @asynccontextmanager
    async def connected(**environment: str) -> AsyncIterator[Client]:
        for name, value in {"WARMER_DATA_DIR": str(data_dir), **environment}.items():
            monkeypatch.setenv(name, value)
        async with Client(build_server(Settings())) as client:
            yield client

    return connected


async def search(client: Client, query: str, **more: Any) -> list[dict[str, Any]]:
    found = await ask(client, "search", query=query, detail="full", limit=6, include_ids=True, **more)
    hits: list[dict[str, Any]] = found["hits"]
    return hits


async def score_last(client: Client) -> str:
    """Score a search's last hit alone as good; gives its id."""
    found = await ask(client, "search", query=FIRST, limit=6, include_ids=True)
    scores = {str(hit["hit"]): 9 if hit["hit"] == 6 else 0 for hit in found["hits"]}
    await ask(client, "give_feedback", search_id=found["search_id"], scores=scores, limit=0)
    return str(found["hits"][-1]["id"])


def place(hits: list[dict[str, Any]], id_: str) -> int:
    return next((n for n, hit in enumerate(hits) if hit["id"] == id_), len(hits))


async def test_scores_serve_the_next_search_for_the_same(connect: Connect) -> None:
    async with connect() as client:
        plain = await search(client, SECOND)
        good = await score_last(client)
        warm = await search(client, SECOND)
        assert place(warm, good) < place(plain, good)
        assert not any("earlier" in hit for hit in warm)
        same = await search(client, "Why does the Moon move away from Earth?")
        assert {hit["id"]: hit.get("earlier") for hit in same}[good] == 9
        assert [hit["id"] for hit in same if "earlier" in hit] == [good]


@pytest.mark.parametrize("setting", ["off", "notes=off", "on,notes=off"])
async def test_nothing_is_remembered_where_that_is_off(connect: Connect, setting: str) -> None:
    async with connect(WARMER_REMEMBER=setting) as client:
        plain = [await search(client, query) for query in (FIRST, SECOND)]
        await score_last(client)
        assert [await search(client, query) for query in (FIRST, SECOND)] == plain


async def test_a_question_about_something_else_is_left_alone(connect: Connect) -> None:
    async with connect() as client:
        asked = "how is sourdough bread baked"
        plain = await search(client, asked)
        await score_last(client)
        assert await search(client, asked) == plain


async def test_no_score_passes_a_filter(connect: Connect) -> None:
    async with connect() as client:
        outside = {"must_not": [{"key": "source", "match": {"value": "notes/space.md"}}]}
        plain = await search(client, SECOND, filter=outside)
        found = await ask(client, "search", query=FIRST, limit=6, filter=SPACE)
        await ask(client, "give_feedback", search_id=found["search_id"], scores={"1": 0, "2": 0, "6": 9}, limit=0)
        assert await search(client, SECOND, filter=outside) == plain


async def test_what_was_scored_before_a_restart_is_read_again(connect: Connect) -> None:
    async with connect() as client:
        plain = await search(client, SECOND)
        good = await score_last(client)
    async with connect() as client:
        assert place(await search(client, SECOND), good) < place(plain, good)
