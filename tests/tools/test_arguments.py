"""Arguments as clients and models send them, through the SDK's own client."""

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp import Client
from support import ask, refusal

from warmer.errors import ScoreError
from warmer.index.filter_size import MOST
from warmer.journal import Search, Shown
from warmer_server.app import build_server
from warmer_server.settings import Settings
from warmer_tools import give_feedback, search, train_params
from warmer_tools.scores import read_scores
from warmer_tools.slips import argument_meant, is_addition

pytestmark = pytest.mark.anyio
TOOLS = {tool.name: tool for tool in (search.TOOL, give_feedback.TOOL, train_params.TOOL)}
NULLS: list[Any] = [None, "", "null", [], {}]
DEFAULTS: dict[str, dict[str, Any]] = {
    "search": {"limit": 15, "detail": "", "rewordings": [], "include_scores": False, "include_ids": False},
    "give_feedback": {"limit": 15, "judge": "agent", "include_scored": False},
    "train_params": {"limit": 25, "judge": "agent", "wait_seconds": 45, "cancel": False, "queries": []},
}


@pytest.fixture
async def client(made_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Client]:
    (tmp_path / "collections").symlink_to(made_once / "collections")
    monkeypatch.setenv("WARMER_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("WARMER_REMEMBER", "off")
    async with Client(build_server(Settings())) as connected:
        yield connected


BANNED = {"$ref", "$defs", "anyOf", "oneOf", "allOf", "const", "format", "default", "title", "not"}


def schemas_in(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """List a schema and all that are in it."""
    yield schema
    for inner in [*schema.get("properties", {}).values(), *([schema["items"]] if "items" in schema else [])]:
        yield from schemas_in(inner)


@pytest.mark.parametrize("tool", TOOLS)
def test_every_schema_is_one_that_all_converters_take(tool: str) -> None:
    arguments, reply = TOOLS[tool].parameters, TOOLS[tool].output_schema
    assert reply
    for schema in [*schemas_in(arguments), *schemas_in(reply)]:
        assert not BANNED & schema.keys()
        assert isinstance(schema["type"], str)
        assert not isinstance(schema.get("additionalProperties"), bool)
        assert "items" in schema or schema["type"] != "array"
    for schema in schemas_in(arguments):
        assert schema.get("properties") or schema["type"] != "object", "Gemini loses an object without properties"
        for bound in {"minimum", "maximum", "maxItems"} & schema.keys():
            assert str(schema[bound]) in schema["description"], "SDKs drop limits"


async def test_all_arguments_at_once_as_nothing_are_as_none(client: Client) -> None:
    plain = (await ask(client, "search", query="bread"))["hits"]
    others = search.TOOL.parameters["properties"].keys() - {"query"}
    for nothing in [*NULLS, 0]:
        numbers_only = {"limit"} if nothing == 0 and nothing is not None else others
        found = await ask(client, "search", query="bread", **dict.fromkeys(numbers_only, nothing))
        assert found["hits"] == plain, nothing
        assert "ignored" not in found["next"]
    found = await ask(client, "search", query="bread", **dict.fromkeys([*others, "x"]))
    assert found["hits"] == plain


@pytest.mark.parametrize("tool", TOOLS)
async def test_each_argument_as_nothing_or_as_its_default_is_as_none(client: Client, tool: str) -> None:
    calls: dict[str, dict[str, Any]] = {
        "search": {"query": "bread"},
        "give_feedback": {"scores": [{"hit": 1, "score": 9}]},
        "train_params": {},
    }
    needed = calls[tool]

    async def told(**arguments: Any) -> dict[str, Any]:
        if tool == "give_feedback":
            arguments["search_id"] = (await ask(client, "search", query="bread", limit=3))["search_id"]
        reply = await ask(client, tool, **arguments)
        return {name: value for name, value in reply.items() if name != "search_id"}

    plain = await told(**needed)
    for argument in TOOLS[tool].parameters["properties"].keys() - needed.keys() - {"search_id"}:
        for nothing in [*NULLS, *([DEFAULTS[tool][argument]] if argument in DEFAULTS[tool] else [])]:
            assert await told(**needed, **{argument: nothing}) == plain, (argument, nothing)


SAME_SCORES: list[Any] = [
    {"1": 9, "2": 0, "3": 3.5},
    {"1": "9", "2": "0.0", "3": "3.5"},
    {"hit_1": 9, "hit_2": 0, "hit_3": 3.5},
    {"hit 1": 9, "Hit2": 0, "#3": 3.5},
    {"1": {"score": 9}, "2": {"score": 0}, "3": {"score": 3.5}},
    {"1": 9, "2": 0, "3": 3.5, "4": None, "5": "null"},
    {"scores": {"1": 9, "2": 0, "3": 3.5}},
    [{"hit": 1, "score": 9}, {"hit": 2, "score": 0}, {"hit": 3, "score": 3.5}, {"hit": 4, "score": None}],
    [{"hit": "1", "score": "9"}, {"hit": 2.0, "score": 0}, {"hit": "hit_3", "score": 3.5}],
    [{"1": 9}, {"2": 0}, {"3": 3.5}],
    [[1, 9], [2, 0], [3, 3.5]],
    [9, 0, 3.5],
    ["9", 0, "3.5", None, None],
    [9, 0, 3.5, None],
]


async def test_scores_in_every_form_are_the_same_scores(client: Client) -> None:
    told = []
    for scores in [*SAME_SCORES, *(json.dumps(one) for one in SAME_SCORES)]:
        found = await ask(client, "search", query="bread", limit=5)
        fed = await ask(client, "give_feedback", search_id=found["search_id"], scores=scores, judge="agent", limit=3)
        told.append((fed["ranking"], fed["hits"]))
        assert [(one["hit"], one["score"]) for one in fed["ranking"]] == [(1, 9), (3, 3.5), (2, 0)], scores
    assert all(one == told[0] for one in told)


def thread_of(count: int, *scored: int) -> Search:
    vector = np.ones(2, np.float32)
    shown = {n: Shown(n, str(n), vector, "", "", 5.0 if n in scored else None) for n in range(1, count + 1)}
    return Search("s_1", "notes", "m", "q", vector, {}, False, shown)


SCORES = st.one_of(st.integers(0, 10), st.floats(0, 10).map(lambda score: round(score, 2)))


@given(st.dictionaries(st.integers(1, 30), SCORES, min_size=1))
def test_every_form_of_scores_gives_the_same(scores: dict[int, float]) -> None:
    thread = thread_of(30)
    by_number = {str(hit): score for hit, score in scores.items()}
    forms: list[Any] = [
        by_number,
        {f"hit_{hit}": score for hit, score in scores.items()},
        [{"hit": hit, "score": score} for hit, score in scores.items()],
        [[hit, score] for hit, score in scores.items()],
        [scores.get(hit) for hit in range(1, 31)],
    ]
    for form in [*forms, *map(json.dumps, forms)]:
        assert read_scores(form, thread) == scores


def test_a_list_of_scores_is_for_certain_hits_or_refused() -> None:
    assert read_scores([1, 2], thread_of(5)) == {1: 1, 2: 2}
    assert read_scores([1, 2], thread_of(5, 1, 2, 3)) == {4: 1, 5: 2}
    assert read_scores([1, 2], thread_of(5, 2, 4, 5)) == {1: 1, 3: 2}
    assert read_scores([1, 2, 3], thread_of(3, 1)) == {1: 1, 2: 2, 3: 3}
    with pytest.raises(ScoreError, match="2 scores and 5 hits, 4 of them not scored: say which hit each is for"):
        read_scores([1, 2], thread_of(5, 1))
    with pytest.raises(ScoreError, match="6 scores and 5 hits"):
        read_scores([1] * 6, thread_of(5))


BAD_SCORES: list[tuple[Any, str]] = [
    ([{"hit": 1, "score": 11}], "the score of hit 1 is '11': send a number from 0 to 10"),
    ([{"hit": 99, "score": 1}], "'99' is not a hit of this search: its hits are 1, 2, 3"),
    ([{"hit": 1, "score": 1}, {"hit": "hit_1", "score": 2}], "hit 1 is scored twice"),
    ({"1": 5, "hit_1": 5}, "hit 1 is scored twice"),
    ([{"hit": 1, "score": True}], "the score of hit 1 is 'True'"),
    ([1, [2, 3, 4]], "scores has 1, which cannot be read: send [{"),
    ([[1, 2, 3]], "scores has [1, 2, 3], which cannot be read"),
    ("good", 'scores has "good", which cannot be read: send [{"hit": 1, "score": 9}'),
    (7, "scores has 7, which cannot be read"),
    (True, "scores has true, which cannot be read"),
    ({"1": None, "2": "null"}, "scores is empty"),
    ([None, None], "scores is empty"),
    ("[" * 5000, "which cannot be read"),
]


async def test_bad_scores_lose_nothing(client: Client) -> None:
    found = await ask(client, "search", query="bread", limit=3)
    await ask(client, "give_feedback", search_id=found["search_id"], scores=[9])
    for scores, said in BAD_SCORES:
        message = await refusal(client, "give_feedback", search_id=found["search_id"], scores=scores)
        assert said in message, scores
        assert message.startswith("Error: ")
        assert len(message) < 500
    kept = await ask(client, "give_feedback", search_id=found["search_id"], scores={"2": 1}, limit=0)
    assert [(one["hit"], one["score"]) for one in kept["ranking"]] == [(1, 9), (2, 1)]


async def test_what_a_client_adds_is_ignored_and_named_once(client: Client) -> None:
    added = {"wait_for_previous": True, "explanation": "I look for bread.", "\x1b[2J\u202e" + "x" * 3000: 1}
    plain = await ask(client, "search", query="bread")
    result = await client.call_tool("search", {"query": "bread", **added})
    assert result.structured_content
    assert result.structured_content["hits"] == plain["hits"]
    text = getattr(result.content[0], "text", "")
    for told in (result.structured_content["next"], json.loads(text)["next"]):
        assert told.startswith(plain["next"] + " (ignored: ")
        assert told.count("explanation") == told.count("wait_for_previous") == 1
        assert len(told) < 400
        assert not {"\x1b", "\u202e"} & set(told)
    assert text.count("explanation") == 1
    handle = result.structured_content["search_id"]
    fed = await ask(client, "give_feedback", search_id=handle, scores=[9, 0], reasoning="they fit")
    assert fed["next"].endswith("(ignored: reasoning)")
    trained = await ask(client, "train_params", task_progress="- [ ] train")
    assert trained["next"].endswith("(ignored: task_progress)")
    assert (await refusal(client, "search", explanation="none")).endswith("(ignored: explanation)")


SLIPS = [
    *(("search", wrong, "limit") for wrong in ("top_k", "topK", "k", "limitt", "max_results", "num_results", "Limit")),
    *(("search", wrong, "query") for wrong in ("Query", "q", "querry", "search_query", "question", "text", "input")),
    *(("search", wrong, "include_scores") for wrong in ("min_score", "score_threshold", "includeScores", "threshold")),
    *(("search", wrong, "collection") for wrong in ("collection_name", "collections", "colection", "index")),
    *(("search", wrong, "filter") for wrong in ("filters", "where", "query_filter")),
    *(("search", wrong, "search_id") for wrong in ("searchId", "offset", "page", "searchid")),
    *(("search", wrong, "rewordings") for wrong in ("rewording", "synonyms", "reword")),
    ("search", "hypothetical_pasage", "hypothetical_passage"),
    ("search", "scores", "include_scores"),
    ("give_feedback", "score", "scores"),
    ("give_feedback", "ratings", "scores"),
    ("give_feedback", "top_k", "limit"),
    ("train_params", "jobId", "job_id"),
    ("train_params", "query", "queries"),
]


@pytest.mark.parametrize(("tool", "wrong", "right"), SLIPS)
async def test_a_slip_is_refused_with_the_right_name(client: Client, tool: str, wrong: str, right: str) -> None:
    needed: dict[str, dict[str, Any]] = {"search": {"query": "bread"}, "give_feedback": {"search_id": "s_x"}}
    sent = needed.get(tool, {}) if right not in needed.get(tool, {}) else {}
    message = await refusal(client, tool, **sent, **{wrong: 3})
    assert message.startswith(f"Error: {wrong} is not an argument: there are ")
    assert f"; send {right}" in message


async def test_another_word_beside_what_it_is_for_is_an_addition(client: Client) -> None:
    found = await ask(client, "search", query="bread", user_query="find me bread", top_k=3, limit=3)
    assert found["next"].endswith("(ignored: top_k, user_query)")


@pytest.mark.parametrize("wrong", ["Query", "querry", "limt", "rewordngs"])
async def test_a_misspelling_is_refused_whatever_else_is_sent(client: Client, wrong: str) -> None:
    message = await refusal(client, "search", query="bread", limit=3, rewordings=["loaf"], **{wrong: 3})
    assert message.startswith(f"Error: {wrong} is not an argument: there are ")


@given(st.text(max_size=200))
def test_any_name_is_an_addition_or_a_slip(name: str) -> None:
    known = search.TOOL.parameters["properties"]
    right = argument_meant(name, known)
    assert right in {"", *known}
    assert right or is_addition(name, known, {}) or name in {"judge", "queries", "job_id", "wait_seconds", "cancel"}


async def test_numbers_are_texts_where_texts_are_wanted(client: Client) -> None:
    for number, text in ((404, "404"), (4.5, "4.5"), (-1, "-1")):
        by_number = await ask(client, "search", query=number, rewordings=[number + 1, "bread"])
        by_text = await ask(client, "search", query=text, rewordings=[str(number + 1), "bread"])
        assert by_number["hits"] == by_text["hits"]
    assert await refusal(client, "search", query=True) == (
        "Error: query is true: send a text (What you look for, in natural language)"
    )
    assert "'404' is unknown" in await refusal(client, "give_feedback", search_id=404, scores=[1])


async def test_a_filter_is_an_object_or_its_text(client: Client) -> None:
    where = {"must": [{"key": "source", "match": {"value": "notes/space.md"}}]}
    by_object, by_text = [await ask(client, "search", query="bread", filter=one) for one in (where, json.dumps(where))]
    assert by_object["hits"] == by_text["hits"]


async def test_hits_to_read_may_be_one_or_texts(client: Client) -> None:
    handle = (await ask(client, "search", query="bread"))["search_id"]
    wanted = await ask(client, "search", search_id=handle, read=[2])
    for read in (2, "[2]", ["2"], [2.0], [2, None]):
        assert await ask(client, "search", search_id=handle, read=read) == wanted


async def test_a_query_may_be_null_and_a_collection_too(client: Client) -> None:
    assert (await ask(client, "search", query="null"))["hits"]
    assert (await ask(client, "search", query="bread", collection="null"))["collection"] == "notes"


async def test_an_unknown_tool_is_an_error_that_says_so(client: Client) -> None:
    assert await refusal(client, "serch") == "Error: Unknown tool: serch"


async def test_a_filter_of_very_many_conditions_is_refused(client: Client) -> None:
    conditions = [{"key": "source", "match": {"value": f"{n}.md"}} for n in range(MOST + 1)]
    said = await refusal(client, "search", query="bread", filter={"must_not": conditions})
    assert f"the filter has {MOST + 1} conditions, at most {MOST} are taken (WARMER_FILTER_CONDITIONS)" in said
    assert (await ask(client, "search", query="bread", filter={"must_not": conditions[1:]}))["hits"]
