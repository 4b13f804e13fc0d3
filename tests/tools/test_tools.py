"""The two tools through the SDK's own client, in memory, in both eras of the protocol."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from pathlib import Path
from threading import Event
from typing import Any

import jsonschema
import pytest
from mcp import Client
from support import Reference, ask, refusal

from warmer.embedding import DEFAULT_MODEL, Embedder
from warmer.index import Coefficients
from warmer.index.edge.catalog import Catalog
from warmer.journal import AGENT
from warmer.journal.parameters import Key, Trained
from warmer.journal.sqlite.database import Database
from warmer.journal.sqlite.parameters import SqliteParameters
from warmer.journal.sqlite.searches import SqliteJournal
from warmer.publishing.embedded.publish import index_passages
from warmer.steering.params import OFF
from warmer_server import models
from warmer_server.app import build_server
from warmer_server.settings import Settings
from warmer_tools.workspace import RUBRIC

pytestmark = pytest.mark.anyio
Connect = Callable[..., AbstractAsyncContextManager[Client]]


@pytest.fixture(params=["auto", "legacy"])
def connect(request: pytest.FixtureRequest, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Connect:
    @asynccontextmanager
    async def connected(**environment: str) -> AsyncIterator[Client]:
        for name, value in {"WARMER_DATA_DIR": str(data_dir), **environment}.items():
            monkeypatch.setenv(name, value)
        async with Client(build_server(Settings()), mode=request.param) as client:
            yield client

    return connected


def titles(reply: dict[str, Any]) -> list[str]:
    """List the titles of hits; a hit of a section that was named before in the list says only of which hit."""
    told = {hit["hit"]: hit["title"] for hit in reply["hits"]}
    return [told[int(title.removeprefix("= hit "))] if title.startswith("= ") else title for title in told.values()]


async def test_scores_move_the_second_retrieval(connect: Connect) -> None:
    async with connect() as client:
        first = await ask(client, "search", query="something that slows down", limit=6)
        assert len(set(titles(first))) > 2
        wanted = {str(hit["hit"]): 10 if hit["title"] == "space" else 0 for hit in first["hits"]}
        assert 10 in wanted.values()
        second = await ask(client, "give_feedback", search_id=first["search_id"], scores=wanted)
        assert second["outcome"] == "steered"
        assert [hit["hit"] for hit in second["hits"]] == [*range(7, 22)]
        assert titles(second)[:5].count("space") >= 3
        assert second["ranking"][0]["title"] == "space"


async def test_rounds_add_up(connect: Connect) -> None:
    async with connect() as client:
        first = await ask(client, "search", query="water", limit=3)
        handle = first["search_id"]
        second = await ask(client, "give_feedback", search_id=handle, scores={"1": 9, "2": 4, "3": 0}, limit=2)
        third = await ask(client, "give_feedback", search_id=handle, scores={"4": 10, "5": 1}, limit=50)
        assert [ranked["hit"] for ranked in third["ranking"]] == [4, 1, 2, 5, 3]
        assert [ranked["score"] for ranked in third["ranking"]] == [10, 9, 4, 1, 0]
        assert [hit["hit"] for reply in (first, second, third) for hit in reply["hits"]] == [*range(1, 37)]
        texts = {hit["text"]: hit["hit"] for reply in (first, second, third) for hit in reply["hits"]}
        assert len(texts) == 36
        again = await ask(client, "give_feedback", search_id=handle, scores={"1": 2}, limit=50)
        assert again["hits"] == []
        assert again["next"].startswith("Nothing new is left")
        back = await ask(client, "give_feedback", search_id=handle, scores={"1": 2}, limit=50, include_scored=True)
        assert {hit["text"]: hit["hit"] for hit in back["hits"]} == texts
        sixth = await ask(client, "give_feedback", search_id=handle, scores={"6": 3}, limit=1)
        assert [ranked["hit"] for ranked in sixth["ranking"]] == [4, 2, 6, 1, 5, 3]


async def test_the_best_ten_of_a_ranking_are_described(connect: Connect) -> None:
    async with connect() as client:
        known = {
            hit["hit"]: hit for hit in (await ask(client, "search", query="water", limit=12, detail="full"))["hits"]
        }
        first = await ask(client, "search", query="water", limit=12)
        scores = {str(n): n % 10 for n in range(1, 13)}
        fed = await ask(client, "give_feedback", search_id=first["search_id"], scores=scores)
        assert [ranked["hit"] for ranked in fed["ranking"]] == [9, 8, 7, 6, 5, 4, 3, 2, 12, 1, 11, 10]
        for ranked in fed["ranking"][:10]:
            hit = known[ranked["hit"]]
            assert (ranked["title"], ranked["source"]) == (hit["title"], hit["source"])
        assert [ranked.keys() for ranked in fed["ranking"][10:]] == [{"hit", "score"}] * 2
        assert "params" not in fed


async def test_what_was_shown_comes_back_only_when_asked(connect: Connect) -> None:
    async with connect() as client:
        first = await ask(client, "search", query="bread", limit=3)
        scores = {"1": 10, "2": 8}
        texts = [hit["text"] for hit in first["hits"]]
        without = await ask(client, "give_feedback", search_id=first["search_id"], scores=scores, limit=10)
        assert not set(texts) & {hit["text"] for hit in without["hits"]}, "the unscored one does not come again either"
        handle = first["search_id"]
        back = await ask(client, "give_feedback", search_id=handle, scores=scores, limit=36, include_scored=True)
        assert {hit["hit"]: hit["text"] for hit in back["hits"]}.items() >= dict(enumerate(texts, start=1)).items()
        best = await ask(client, "give_feedback", search_id=handle, scores=scores, limit=10, include_scored=True)
        assert {hit["hit"] for hit in best["hits"]} >= {1, 2}


async def test_neutral_scores_are_called_no_signal(connect: Connect) -> None:
    async with connect(WARMER_SEARCH_MODE="dense") as client:
        first = await ask(client, "search", query="bread", limit=2)
        reply = await ask(client, "give_feedback", search_id=first["search_id"], scores={"1": 5, "2": "5.0"})
        assert reply["outcome"] == "no_signal"
        assert "tells nothing" in reply["next"]
        assert [hit["hit"] for hit in reply["hits"]] == [*range(3, 18)]
        further = await ask(client, "search", query="bread", limit=2)
        read_on = await ask(client, "search", search_id=further["search_id"])
        assert read_on["hits"] == reply["hits"]


async def test_equally_bad_scores_still_steer(connect: Connect) -> None:
    async with connect() as client:
        first = await ask(client, "search", query="bread", limit=5)
        reply = await ask(client, "give_feedback", search_id=first["search_id"], scores=dict.fromkeys("12345", 0))
        assert reply["outcome"] == "steered"


async def test_a_filter_holds_through_the_rounds(connect: Connect) -> None:
    where = {"must": [{"key": "source", "match": {"value": "notes/space.md"}}]}
    async with connect() as client:
        first = await ask(client, "search", query="bread", filter=where, limit=2)
        reply = await ask(client, "give_feedback", search_id=first["search_id"], scores={"1": 0}, limit=50)
        assert set(titles(first) + titles(reply)) == {"space"}
        as_text = await ask(client, "search", query="bread", filter=json.dumps(where))
        assert set(titles(as_text)) == {"space"}


async def test_null_is_taken_for_what_is_left_out(connect: Connect) -> None:
    async with connect() as client:
        nothing = dict.fromkeys(["rewordings", "hypothetical_passage", "avoid", "search_id", "collection", "filter"])
        found = await ask(client, "search", query="bread", **nothing, read=None, detail=None)
        assert len(found["hits"]) == 15
        nothing = dict.fromkeys(["scores", "rewordings", "avoid", "judge", "detail"])
        assert "scores is empty" in await refusal(client, "give_feedback", search_id=found["search_id"], **nothing)


async def test_scores_of_similarity_only_when_asked(connect: Connect) -> None:
    async with connect() as client:
        assert "score" not in (await ask(client, "search", query="bread"))["hits"][0]
        assert (await ask(client, "search", query="bread", include_scores=True))["hits"][0]["score"] > 0


@pytest.mark.parametrize("query", ["😀🎉", "тесто не поднимается", "パン", '"quoted" (and) [odd] \x00'])
async def test_any_query_gets_hits(connect: Connect, query: str) -> None:
    async with connect() as client:
        assert len((await ask(client, "search", query=query))["hits"]) == 15


BAD_SEARCHES: list[tuple[dict[str, Any], str]] = [
    ({"query": ""}, "the query is empty"),
    ({"query": " \n\t"}, "the query is empty"),
    ({"query": "x" * 100_000}, "100000 characters, at most 4000"),
    ({"query": "x", "limit": -1}, "limit is -1: send a whole number from 1 to 50 (Most hits"),
    ({"query": "x", "limit": 1_000_000}, "limit is 1000000: send a whole number from 1 to 50"),
    ({"query": "x", "limit": 1.5}, "limit is 1.5: send a whole number"),
    (
        {"query": "x", "limitt": 3},
        "limitt is not an argument: there are query, rewordings, hypothetical_passage, avoid, se",
    ),
    ({}, "the query is empty: say in a sentence what you are looking for"),
    ({"query": [3], "limit": "many"}, "query is a list of 1: send a text (What you look for, in natural language); l"),
    ({"query": "x", "include_scores": "y" * 5000}, "yyy…: send true or false"),
    ({"query": "x", "filter": [1, 2]}, "filter is a list of 2: send an object (Qdrant filter as JSON, e.g."),
    ({"q": 1, "top_k": 1, "min_score": 1, "Detail": 1, "offset": 1}, "and 2 more"),
    ({"query": "x", "collection": "recipes"}, "no collection 'recipes'; there are: notes"),
    ({"query": "x", "filter": {"key": "source"}}, "filter"),
    ({"query": "x", "filter": {"must": [{"key": "author", "match": {"value": "me"}}]}}, "author"),
    ({"query": "x", "filter": "not json"}, "filter"),
]


@pytest.mark.parametrize(("arguments", "said"), BAD_SEARCHES)
async def test_bad_searches_are_told_what_to_do(connect: Connect, arguments: dict[str, Any], said: str) -> None:
    async with connect() as client:
        message = await refusal(client, "search", **arguments)
        assert said in message
        assert "Traceback" not in message
        assert "validation error" not in message
        assert "errors.pydantic.dev" not in message
        assert len(message) < 1000


BAD_SCORES: list[tuple[dict[str, Any], str]] = [
    ({}, "scores is empty"),
    ({"99": 5}, "'99' is not a hit of this search: its hits are 1, 2, 3"),
    ({"1": 10.5}, "hit 1 is '10.5'"),
    ({"1": -1}, "hit 1 is '-1'"),
    ({"1": True}, "hit 1 is 'True'"),
    ({"1": "good"}, "hit 1 is 'good'"),
    ({"1": "NaN"}, "hit 1 is 'NaN'"),
]


@pytest.mark.parametrize(("scores", "said"), BAD_SCORES)
async def test_bad_scores_change_nothing(connect: Connect, scores: dict[str, Any], said: str) -> None:
    async with connect() as client:
        first = await ask(client, "search", query="bread", limit=3)
        handle = first["search_id"]
        await ask(client, "give_feedback", search_id=handle, scores={"2": 7})
        known = {"1": 5, "2": 1} | scores
        assert said in await refusal(client, "give_feedback", search_id=handle, scores=known if scores else scores)
        kept = await ask(client, "give_feedback", search_id=handle, scores={"3": 1})
        assert [(ranked["hit"], ranked["score"]) for ranked in kept["ranking"]] == [(2, 7), (3, 1)]


async def test_handles_outlive_a_restart_and_expire(connect: Connect) -> None:
    async with connect() as client:
        handle = (await ask(client, "search", query="bread"))["search_id"]
        assert "unknown" in await refusal(client, "give_feedback", search_id="s_made-up", scores={"1": 5})
    async with connect(WARMER_SEARCH_HOURS="1e-9") as client:
        assert (await ask(client, "give_feedback", search_id=handle, scores={"1": 9}))["outcome"] == "steered"
        short = (await ask(client, "search", query="bread"))["search_id"]
        assert "expired" in await refusal(client, "give_feedback", search_id=short, scores={"1": 5})


async def test_another_model_is_refused_by_name(
    connect: Connect, data_dir: Path, reference: Reference, embedder: Embedder
) -> None:
    class Other:
        name, dim = "other/model", embedder.dim
        embed_passages = embedder.embed_passages
        embed_query = embedder.embed_query

    async with connect() as client:
        handle = (await ask(client, "search", query="bread"))["search_id"]
        generations = Catalog(data_dir).generations("notes")
        index_passages(generations, reference.passages, Other(), roots={"notes": Path("/notes")}, replace=True)
        for message in (
            await refusal(client, "search", query="bread"),
            await refusal(client, "give_feedback", search_id=handle, scores={"1": 5}),
        ):
            assert "other/model" in message
            assert "all-MiniLM-L6-v2" in message


async def test_a_model_that_cannot_be_loaded_is_an_error_of_the_call(connect: Connect) -> None:
    async with connect(EMBEDDING_MODEL="no/such-model") as client:
        assert "EMBEDDING_MODEL" in await refusal(client, "search", query="bread")


async def test_an_early_call_waits_with_progress(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    """The model is not loaded before the client has had the list of tools and a report of progress."""
    reported, loaded = Event(), models.load_embedder
    messages: list[str | None] = []

    def load(model: str) -> Embedder:
        assert reported.wait(60)
        return loaded(model)

    async def progress(progress: float, total: float | None, message: str | None) -> None:  # noqa: ARG001
        messages.append(message)
        reported.set()

    monkeypatch.setattr(models, "load_embedder", load)
    async with connect() as client:
        assert len((await client.list_tools()).tools) == 3
        result = await client.call_tool("search", {"query": "bread"}, progress_callback=progress)
        assert not result.is_error
    assert set(messages) == {"loading the embedding model"}


async def test_a_mode_without_words(connect: Connect, data_dir: Path) -> None:
    lists, threads = [], []
    for mode in ("dense", "auto"):
        async with connect(WARMER_SEARCH_MODE=mode) as client:
            found = await ask(client, "search", query="xylophone gluten", include_scores=True)
            lists.append([(hit["score"], hit["text"]) for hit in found["hits"]])
        with closing(Database(data_dir / "journal.sqlite3")) as database:
            threads.append(await SqliteJournal(database, 3600).find(found["search_id"]))
    assert [thread.lexical for thread in threads] == [False, True]
    assert lists[0] != lists[1]
    assert "gluten" in lists[1][0][1]


async def test_the_surface_that_clients_need(connect: Connect) -> None:
    async with connect() as client:
        tools = (await client.list_tools()).tools
        assert [tool.name for tool in tools] == ["search", "give_feedback", "train_params"]
        for tool in tools:
            told = json.dumps(tool.input_schema)
            assert [word for word in ("$ref", "$defs", "anyOf", "oneOf", "allOf") if f'"{word}"' in told] == []
            for schema in tool.input_schema["properties"].values():
                bounds = {"minimum", "maximum"} if schema["type"] in {"integer", "number"} else set()
                assert {"description", *bounds} <= schema.keys(), "a refusal says them"
            assert tool.title and "Qdrant" in tool.title
            assert tool.description and len(tool.description) < 2048
            assert "\n " not in tool.description
            assert tool.annotations
            assert None not in (
                tool.annotations.read_only_hint,
                tool.annotations.destructive_hint,
                tool.annotations.idempotent_hint,
                tool.annotations.open_world_hint,
            )
        assert client.instructions and len(client.instructions) < 2048


async def test_both_forms_of_a_reply_say_the_same_and_fit_the_schema(connect: Connect) -> None:
    async with connect() as client:
        schemas = {tool.name: tool.output_schema for tool in (await client.list_tools()).tools}
        found = await client.call_tool("search", {"query": "bread"})
        assert found.structured_content
        arguments = {"search_id": found.structured_content["search_id"], "scores": {"1": 3, "2": 8}}
        fed = await client.call_tool("give_feedback", arguments)
        for name, result in {"search": found, "give_feedback": fed}.items():
            (block,) = result.content
            assert block.type == "text"
            assert untabled(json.loads(block.text)) == result.structured_content
            assert "\n" not in block.text
            schema = schemas[name]
            assert schema
            jsonschema.validate(result.structured_content, schema)


def untabled(told: dict[str, Any]) -> dict[str, Any]:
    """Read a text form as a model does: rows under their names, where null is nothing."""
    return {name: records(value) if isinstance(value, list) else value for name, value in told.items()}


def records(table: list[Any]) -> list[dict[str, Any]]:
    return [
        untabled({name: value for name, value in zip(table[0], row, strict=True) if value is not None})
        for row in table[1:]
    ]


async def test_a_passage_cannot_pass_for_a_hit_and_little_is_said_beside_the_texts(connect: Connect) -> None:
    async with connect() as client:
        found = await client.call_tool("search", {"query": "bread", "limit": 10})
    (block,) = found.content
    assert block.type == "text"
    table = json.loads(block.text)["hits"]
    assert table[0] == ["hit", "title", "source", "text"]
    assert len(block.text) - sum(len(row[-1]) for row in table[1:]) <= 600


async def test_feedback_that_was_found_to_harm_is_off_and_says_so(connect: Connect, data_dir: Path) -> None:
    key = Key("notes", DEFAULT_MODEL, AGENT, RUBRIC)
    with closing(Database(data_dir / "journal.sqlite3")) as database:
        await SqliteParameters(database).add(Trained(key, OFF, Coefficients(1, 1, 1), 30, {}))
    async with connect() as client:
        found = await ask(client, "search", query="bread", limit=3)
        fed = await ask(client, "give_feedback", search_id=found["search_id"], scores={"1": 9, "2": 0}, limit=4)
        assert fed["outcome"] == "off"
        assert "they do not steer" in fed["next"]
        assert [ranked["hit"] for ranked in fed["ranking"]] == [1, 2]
        unsteered = await ask(client, "search", query="bread", limit=3)
        read_on = await ask(client, "search", search_id=unsteered["search_id"], limit=4)
        assert fed["hits"] == read_on["hits"]


async def test_what_pays_next_follows_from_the_scores(connect: Connect) -> None:
    async with connect() as client:
        found = await ask(client, "search", query="bread", limit=10)
        arguments = {"search_id": found["search_id"], "limit": 5}
        fed = await ask(client, "give_feedback", **arguments, scores={str(n): n % 2 for n in range(1, 11)})
        assert fed["next"].startswith("Nothing useful in 10 hits: reword")
        fed = await ask(client, "give_feedback", **arguments, scores={"1": 4})
        assert fed["next"].startswith("Nothing good yet: add rewordings")
        fed = await ask(client, "give_feedback", **arguments, scores={"1": 9})
        assert fed["next"].startswith("Score the new hits, with rewordings")
        low = {str(n): 1 for n in range(2, 26)}
        fed = await ask(client, "give_feedback", **arguments, scores=low)
        assert fed["next"].startswith("The last scores are low, so more is unlikely")
        fed = await ask(client, "give_feedback", search_id=found["search_id"], limit=50, scores={"26": 1})
        fed = await ask(client, "give_feedback", search_id=found["search_id"], limit=50, scores={"26": 1})
        assert fed["next"].startswith("Nothing new is left: answer from `ranking`")


async def test_a_refusal_is_plain_and_short_whatever_it_quotes(connect: Connect) -> None:
    async with connect() as client:
        for arguments in (
            {"\x1b[2J\u202e" * 2000: 1},
            {"query": "x", "limit\x1b\u202e" + " " * 2000: 1},
            {"query": "x", "collection": "\x1b[2J\u202e" * 2000},
            {"query": "x", "filter": {"\x1b[2J\u202e" * 2000: 1}},
        ):
            said = await refusal(client, "search", **arguments)
            assert len(said) < 2100
            assert not {"\x1b", "\u202e"} & set(said)
