"""A thread through the SDK's client: wordings, a passage, scores, reading; and what is refused in its midst."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from mcp import Client
from support import Reference, ask, refusal

from warmer.embedding import Embedder
from warmer.index.edge.catalog import Catalog
from warmer.passage import Passage
from warmer.publishing.embedded.publish import index_passages
from warmer_server.app import build_server
from warmer_server.settings import Settings
from warmer_tools import advice
from warmer_tools.reply import REPLY_CHARACTERS
from warmer_tools.search import MAX_LIMIT
from warmer_tools.wordings import MAX_PASSAGE

pytestmark = pytest.mark.anyio
Connect = Callable[..., AbstractAsyncContextManager[Client]]
SPACE = {"must": [{"key": "source", "match": {"value": "notes/space.md"}}]}
BREAD = {"must": [{"key": "source", "match": {"value": "notes/bread.md"}}]}
NOWHERE = {"must": [{"key": "source", "match": {"value": "notes/spice.md"}}]}
WORDS = {
    "rewordings": ["tides brake the Earth", "orbits that decay"],
    "hypothetical_passage": "The tides raised by the Moon slow the rotation of the Earth, and days grow longer.",
}
MANUAL = "manual"
LINES = [
    "Fill the tank before the pump is switched on.",
    "Bleed the valve until no air comes out.",
    "The pressure must stay below two bar. "
    + "Look at the gauge once a day, and write down what it shows. " * 30
    + "End.",
    "Close the tap again.",
    "Rinse the filter every month.",
]


def publish(data_dir: Path, name: str, passages: list[Passage], embedder: Embedder) -> None:
    index_passages(
        Catalog(data_dir).generations(name), passages, embedder, roots={name: Path("/" + name)}, replace=True
    )


def manual(lines: list[str]) -> list[Passage]:
    """Make one document of some lines, each a passage, and another beside it."""
    passages = [Passage(text, "Pump", f"{MANUAL}/pump.md", 10 * n + 1) for n, text in enumerate(lines)]
    return [*passages, Passage("Whales sing.", "Whales", f"{MANUAL}/whales.md", 1)]


@pytest.fixture
def connect(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Connect:
    @asynccontextmanager
    async def connected(**environment: str) -> AsyncIterator[Client]:
        for name, value in {"WARMER_DATA_DIR": str(data_dir), **environment}.items():
            monkeypatch.setenv(name, value)
        async with Client(build_server(Settings())) as client:
            yield client

    return connected


def numbers(reply: dict[str, Any]) -> list[int]:
    return [hit["hit"] for hit in reply["hits"]]


def texts(*replies: dict[str, Any]) -> list[str]:
    return [hit["text"] for reply in replies for hit in reply["hits"]]


def subjects(reply: dict[str, Any], reference: Reference) -> list[str]:
    """List the subjects of hits, which are shown whole in the reference collection."""
    known = {passage.text: passage.title for passage in reference.passages}
    return [known[text] for text in texts(reply)]


async def test_a_thread_goes_on_and_nothing_comes_again(connect: Connect, reference: Reference) -> None:
    async with connect() as client:
        first = await ask(client, "search", query="something that slows down", limit=6, **WORDS)
        assert numbers(first) == [1, 2, 3, 4, 5, 6]
        assert first["next"] == advice.FIRST
        handle = first["search_id"]
        second = await ask(client, "search", search_id=handle, query="dough that rises slowly", limit=5)
        assert second["search_id"] == handle
        assert second["collection"] == "notes"
        assert numbers(second) == [7, 8, 9, 10, 11]
        third = await ask(client, "search", search_id=handle, rewordings=["yeast", "sourdough"], limit=4)
        assert numbers(third) == [12, 13, 14, 15]
        fourth = await ask(
            client, "search", search_id=handle, hypothetical_passage="Proof the dough overnight.", limit=3
        )
        assert numbers(fourth) == [16, 17, 18]
        read_on = await ask(client, "search", search_id=handle, limit=50)
        assert numbers(read_on) == [*range(19, 37)]
        assert sorted(texts(first, second, third, fourth, read_on)) == sorted(p.text for p in reference.passages)
        last = await ask(client, "search", search_id=handle, query="anything else")
        assert last["hits"] == []
        assert last["next"] == advice.NOTHING_LEFT


async def test_wordings_and_a_passage_shape_the_first_list(connect: Connect, reference: Reference) -> None:
    async with connect() as client:
        plain = await ask(client, "search", query="what happens slowly", limit=6)
        told = await ask(client, "search", query="what happens slowly", limit=6, **WORDS)
        assert subjects(plain, reference)[0] != "space"
        assert subjects(told, reference)[0] == "space"
        again = await ask(client, "search", query="what happens slowly", limit=6, **WORDS)
        assert again["hits"] == told["hits"]
        repeated = WORDS | {"rewordings": ["  tides brake the Earth ", *WORDS["rewordings"], "what happens slowly"]}
        assert (await ask(client, "search", query="what happens slowly", limit=6, **repeated))["hits"] == told["hits"]


async def test_later_words_lead_but_do_not_replace_the_first(connect: Connect, reference: Reference) -> None:
    async with connect() as client:
        first = await ask(client, "search", query="the Moon", limit=3)
        on = await ask(client, "search", search_id=first["search_id"], limit=5)
        other = await ask(client, "search", query="the Moon", limit=3)
        turned = await ask(client, "search", search_id=other["search_id"], query="bread", rewordings=["dough"], limit=5)
        assert subjects(turned, reference).count("bread") > subjects(on, reference).count("bread")


async def test_a_filter_changes_and_stays(connect: Connect, reference: Reference) -> None:
    async with connect() as client:
        first = await ask(client, "search", query="what rises", filter=BREAD, limit=2)
        handle = first["search_id"]
        second = await ask(client, "search", search_id=handle, query="what turns", filter=SPACE, limit=2)
        third = await ask(client, "search", search_id=handle, limit=1)
        fed = await ask(client, "give_feedback", search_id=handle, scores={"1": 9, "3": 0}, limit=1)
        assert subjects(first, reference) == ["bread"] * 2
        assert subjects(second, reference) + subjects(third, reference) + subjects(fed, reference) == ["space"] * 4
        rest = await ask(client, "search", search_id=handle, limit=50)
        assert numbers(rest) == [7, 8]
        ended = await ask(client, "search", search_id=handle, filter=SPACE)
        assert (ended["hits"], ended["next"]) == ([], advice.NOTHING_LEFT)
        back = await ask(client, "search", search_id=handle, filter=BREAD, limit=50)
        assert subjects(back, reference) == ["bread"] * 4


async def test_what_was_a_rewording_can_be_avoided_later(connect: Connect, reference: Reference) -> None:
    async with connect() as client:
        handles = [
            (await ask(client, "search", query="slow", rewordings=["bread"], limit=2))["search_id"] for _ in "ab"
        ]
        on, off = [
            await ask(client, "search", search_id=handle, limit=12, **more)
            for handle, more in zip(handles, ({}, {"avoid": ["bread"]}), strict=True)
        ]
        assert subjects(off, reference).count("bread") < subjects(on, reference).count("bread")


async def test_a_filter_that_hides_everything_is_told_the_values(connect: Connect, reference: Reference) -> None:
    sources = json.dumps(sorted({passage.source for passage in reference.passages}))
    async with connect() as client:
        said = await refusal(client, "search", query="bread", filter=NOWHERE)
        assert f"no passage passes the filter {json.dumps(NOWHERE)}: loosen it. Values seen: " in said
        assert f'Values seen: {{"source": {sources}}}' in said
        first = await ask(client, "search", query="bread", limit=2)
        assert "Values seen" in await refusal(client, "search", search_id=first["search_id"], filter=NOWHERE)
        assert numbers(await ask(client, "search", search_id=first["search_id"], limit=2)) == [3, 4]


async def test_feedback_needs_no_scores_where_there_are_words(connect: Connect, reference: Reference) -> None:
    async with connect() as client:
        first, other = [await ask(client, "search", query="what happens slowly", limit=6) for _ in range(2)]
        handle, words = first["search_id"], ["how boats are moored", "an anchor in the harbour"]
        told = await ask(client, "give_feedback", search_id=handle, rewordings=words, limit=4)
        on = await ask(client, "search", search_id=other["search_id"], limit=4)
        assert (told["outcome"], told["ranking"]) == ("steered", [])
        assert numbers(told) == [7, 8, 9, 10]
        assert subjects(told, reference).count("sailing") > subjects(on, reference).count("sailing")
        scores = {str(n): 9 if subject == "space" else 0 for n, subject in enumerate(subjects(first, reference), 1)}
        both = await ask(client, "give_feedback", search_id=handle, scores=scores, rewordings=["orbits"], limit=4)
        assert both["outcome"] == "steered"
        assert numbers(both) == [11, 12, 13, 14]
        assert {ranked["hit"] for ranked in both["ranking"]} == {1, 2, 3, 4, 5, 6}
        assert not set(texts(first, told)) & set(texts(both))
        mixed = await ask(client, "search", search_id=handle, query="planets", limit=2)
        assert numbers(mixed) == [15, 16]


async def test_what_is_to_be_avoided_gives_way(connect: Connect, reference: Reference) -> None:
    async with connect() as client:
        plain = await ask(client, "search", query="what rises slowly", limit=6)
        assert "bread" in subjects(plain, reference)
        without = await ask(client, "search", query="what rises slowly", avoid=["bread, yeast and dough"], limit=6)
        assert subjects(without, reference).count("bread") < subjects(plain, reference).count("bread")
        one, other = [await ask(client, "search", query="what rises slowly", limit=1) for _ in range(2)]
        on = await ask(client, "search", search_id=one["search_id"], limit=6)
        fed = await ask(
            client, "give_feedback", search_id=other["search_id"], avoid=["bread, yeast and dough"], limit=6
        )
        assert fed["outcome"] == "steered"
        assert subjects(fed, reference).count("bread") < subjects(on, reference).count("bread")


async def test_neutral_scores_with_words_are_steered_by_the_words(connect: Connect) -> None:
    async with connect() as client:
        first = await ask(client, "search", query="bread", limit=2)
        arguments = {"search_id": first["search_id"], "scores": {"1": 5, "2": 5}}
        assert (await ask(client, "give_feedback", **arguments, limit=1))["outcome"] == "no_signal"
        assert (await ask(client, "give_feedback", **arguments, rewordings=["dough"], limit=1))["outcome"] == "steered"


async def test_hits_are_read_whole_to_the_end(connect: Connect, data_dir: Path, embedder: Embedder) -> None:
    publish(data_dir, MANUAL, manual(LINES), embedder)
    async with connect(WARMER_TEXT_LIMIT="300") as client:
        found = await ask(client, "search", query="which pressure must the pump have", collection=MANUAL)
        assert len(found["hits"]) == 6
        (long,) = [hit for hit in found["hits"] if "…" in hit["text"]]
        assert "pressure" in long["text"]
        assert len(long["text"]) <= 200
        handle = found["search_id"]
        whole = await ask(client, "search", search_id=handle, read=[long["hit"]])
        (hit,) = whole["hits"]
        assert (hit["hit"], hit["text"], hit["title"]) == (long["hit"], LINES[2], "Pump")
        assert (hit["source"], hit["line"]) == (f"{MANUAL}/pump.md", 21)
        assert whole["next"] == advice.READ
        assert "id" not in hit
        several = await ask(client, "search", search_id=handle, read=[4, 2, 4, 1], include_ids=True)
        assert numbers(several) == [4, 2, 1]
        assert len({hit["id"] for hit in several["hits"]}) == 3
        shown = dict(zip(numbers(found), texts(found), strict=True))
        assert all(hit["text"] == shown[hit["hit"]] or hit["hit"] == long["hit"] for hit in several["hits"])
        assert numbers(await ask(client, "search", search_id=handle, query="more")) == [], "reading shows nothing new"


async def test_a_hit_is_read_between_its_neighbours(connect: Connect, data_dir: Path, embedder: Embedder) -> None:
    publish(data_dir, MANUAL, manual(LINES), embedder)
    async with connect() as client:
        found = await ask(client, "search", query="bleed the valve", collection=MANUAL, limit=50)
        at = dict(zip(texts(found), numbers(found), strict=True))
        read = {"search_id": found["search_id"], "detail": "around"}
        (first, second, last, alone) = (at[LINES[0]], at[LINES[1]], at[LINES[4]], at["Whales sing."])
        around = await ask(client, "search", **read, read=[second])
        assert around["hits"][0]["before"] == LINES[0]
        assert around["hits"][0]["after"] == f"{LINES[2]}\n\n{LINES[3]}"
        several = await ask(client, "search", **read, read=[first, last, alone])
        told = {hit["hit"]: (hit.get("before"), hit.get("after")) for hit in several["hits"]}
        assert told[first] == (None, f"{LINES[1]}\n\n{LINES[2]}")
        assert told[last] == (f"{LINES[2]}\n\n{LINES[3]}", None)
        assert told[alone] == (None, None)


async def test_what_was_deleted_meanwhile_is_named(connect: Connect, data_dir: Path, embedder: Embedder) -> None:
    publish(data_dir, MANUAL, manual(LINES), embedder)
    async with connect() as client:
        found = await ask(client, "search", query="close the tap", collection=MANUAL)
        at = dict(zip(texts(found), numbers(found), strict=True))
        gone, stays = at[LINES[3]], at[LINES[0]]
        publish(data_dir, MANUAL, manual(LINES[:3]), embedder)
        some = await ask(client, "search", search_id=found["search_id"], read=[gone, stays])
        assert numbers(some) == [stays]
        assert some["next"] == f"Deleted from the collection meanwhile: hits {gone}. {advice.READ}"
        none = await ask(client, "search", search_id=found["search_id"], read=[gone], detail="around")
        assert none["hits"] == []
        assert none["next"] == f"Deleted from the collection meanwhile: hits {gone}. Search again."


async def test_near_copies_are_shown_once_in_a_thread(connect: Connect, data_dir: Path, embedder: Embedder) -> None:
    kinds = ["The pump is filled with water before it runs", "Whales sing at night", "Bread rises because of yeast"]
    copies = [Passage(kind + end, "", f"{n}.md", 1) for kind in kinds for n, end in enumerate([".", ".", ".", "  ."])]
    publish(data_dir, MANUAL, copies, embedder)
    async with connect() as client:
        found = await ask(client, "search", query="how is the pump filled", collection=MANUAL, limit=2)
        on = await ask(client, "search", search_id=found["search_id"], limit=50)
        assert sorted(text.rstrip(" .") for text in texts(found, on)) == sorted(kinds)
        assert [hit["near_copies"] for hit in [*found["hits"], *on["hits"]]] == [3, 3, 3]
        scores = {"1": 9, "2": 0, "3": 0}
        fed = await ask(client, "give_feedback", search_id=found["search_id"], scores=scores, rewordings=["water pump"])
        assert fed["hits"] == []
        assert "copies" not in json.dumps(await ask(client, "search", query="bread", collection="notes"))


async def test_lists_are_to_skim_unless_whole_passages_are_asked_for(
    connect: Connect, data_dir: Path, embedder: Embedder
) -> None:
    publish(data_dir, MANUAL, manual(LINES), embedder)
    async with connect() as client:
        arguments: dict[str, Any] = {"query": "pressure", "collection": MANUAL}
        skims = await ask(client, "search", **arguments)
        assert max(map(len, texts(skims))) <= 200
        assert not {"id", "line", "score", "metadata"} & {name for hit in skims["hits"] for name in hit}
        assert [hit["title"] for hit in skims["hits"] if hit["title"].startswith("= hit ")]
        whole = await ask(client, "search", **arguments, detail="full")
        assert max(map(len, texts(whole))) == 1202
        assert {hit["title"] for hit in whole["hits"]} == {"Pump", "Whales"}
        assert {hit["source"] for hit in whole["hits"]} == {f"{MANUAL}/pump.md", f"{MANUAL}/whales.md"}
        assert {hit.get("line") for hit in whole["hits"]} == {None, 11, 21, 31, 41}
        small = await ask(client, "search", **arguments, limit=2)
        fed = await ask(client, "give_feedback", search_id=small["search_id"], scores={"1": 9, "2": 1}, detail="full")
        assert {hit["title"] for hit in fed["hits"]} <= {"Pump", "Whales"}
        named = await ask(client, "search", **arguments, include_ids=True, include_scores=True)
        assert all(hit["id"] and isinstance(hit["score"], float) for hit in named["hits"])
    async with connect(WARMER_SKIM_LIMIT="90") as client:
        assert max(map(len, texts(await ask(client, "search", **arguments)))) <= 90


async def test_texts_never_take_more_than_a_reply_may(connect: Connect, data_dir: Path, embedder: Embedder) -> None:
    facts = [f"Fact {n} of {n * 7919 % 1000}: " + f"word{n} " * 900 for n in range(1, 41)]
    publish(data_dir, MANUAL, [Passage(text, f"T{n}", "all.md", n) for n, text in enumerate(facts, 1)], embedder)
    async with connect(WARMER_TEXT_LIMIT="100000", WARMER_SKIM_LIMIT="100000") as client:
        arguments: dict[str, Any] = {"query": "facts", "collection": MANUAL, "limit": MAX_LIMIT}
        skims = await ask(client, "search", **arguments)
        whole = await ask(client, "search", **arguments, detail="full")
        handle = skims["search_id"]
        every = await ask(client, "search", search_id=handle, read=numbers(skims))
        around = await ask(client, "search", search_id=handle, read=numbers(skims)[:5], detail="around")
        assert len(skims["hits"]) == len(whole["hits"]) == len(every["hits"]) == 40
        for reply in (skims, whole, every, around):
            parts = [hit.get(name, "") for hit in reply["hits"] for name in ("before", "text", "after")]
            assert sum(len(part.removesuffix(" …")) for part in parts) <= REPLY_CHARACTERS
        assert all(hit["text"].endswith(" …") for hit in every["hits"])


async def test_both_forms_of_every_reply_say_the_same_and_fit_the_schema(
    connect: Connect, data_dir: Path, embedder: Embedder
) -> None:
    publish(data_dir, MANUAL, manual(LINES), embedder)
    async with connect() as client:
        schemas = {tool.name: tool.output_schema for tool in (await client.list_tools()).tools}
        first = await ask(client, "search", query="pump", collection=MANUAL, limit=3, **WORDS)
        handle = first["search_id"]
        calls: list[tuple[str, dict[str, Any]]] = [
            ("search", {"query": "pump", "collection": MANUAL, "include_ids": True, "include_scores": True}),
            ("search", {"query": "pump", "collection": MANUAL, "detail": "full"}),
            ("search", {"search_id": handle, "limit": 1}),
            ("search", {"search_id": handle, "read": [1, 2]}),
            ("search", {"search_id": handle, "read": [2], "detail": "around"}),
            ("give_feedback", {"search_id": handle, "rewordings": ["valve"], "limit": 1}),
            ("give_feedback", {"search_id": handle, "scores": {"1": 9.5, "2": 0}, "detail": "full"}),
            ("search", {"search_id": handle}),
        ]
        for name, arguments in calls:
            sent = await client.call_tool(name, arguments)
            (block,) = sent.content
            assert block.type == "text"
            assert untabled(json.loads(block.text)) == sent.structured_content, arguments
            schema = schemas[name]
            assert schema
            jsonschema.validate(sent.structured_content, schema)


def untabled(told: dict[str, Any]) -> dict[str, Any]:
    """Read a text form as a model does: rows under their names, where null is nothing."""
    return {
        name: [
            {column: cell for column, cell in zip(value[0], row, strict=False) if cell is not None} for row in value[1:]
        ]
        if isinstance(value, list) and value
        else value
        for name, value in told.items()
    }


async def test_calls_of_before_work_as_they_did(connect: Connect) -> None:
    async with connect() as client:
        found = await ask(client, "search", query="bread", collection="notes", limit=5, filter={}, include_scores=False)
        assert numbers(found) == [1, 2, 3, 4, 5]
        assert found.keys() == {"search_id", "collection", "hits", "next"}
        scores = {"1": 9, "2": "0", "3": 2.5}
        fed = await ask(
            client,
            "give_feedback",
            search_id=found["search_id"],
            scores=scores,
            judge="",
            limit=5,
            include_scored=False,
        )
        assert fed.keys() == {"search_id", "outcome", "hits", "ranking", "next"}
        assert numbers(fed) == [6, 7, 8, 9, 10]
        assert [(ranked["hit"], ranked["score"]) for ranked in fed["ranking"]] == [(1, 9), (3, 2.5), (2, 0)]
        as_text = await ask(client, "give_feedback", search_id=found["search_id"], scores='{"4": 7}', limit=1)
        assert [ranked["hit"] for ranked in as_text["ranking"]] == [1, 4, 3, 2]


LONG = "x" * (MAX_PASSAGE + 1)
BAD_TURNS: list[tuple[str, dict[str, Any], str]] = [
    ("search", {"rewordings": list("abcdef")}, "rewordings has 6 texts: send 5 at most, the most different ones"),
    ("search", {"rewordings": ["a", " \n"]}, "text 2 of rewordings is empty: write it out, or leave it out"),
    ("search", {"rewordings": ["x" * 4001]}, "4001 characters, at most 4000"),
    ("search", {"rewordings": "dough"}, 'rewordings is "dough": send a list of texts'),
    ("search", {"rewordings": [[3]]}, "rewordings[0] is a list of 1: send a list of texts"),
    ("search", {"hypothetical_passage": LONG}, "hypothetical_passage has 2001 characters, at most 2000 are read"),
    ("search", {"hypothetical_passage": [3]}, "hypothetical_passage is a list of 1: send a text"),
    ("search", {"avoid": list("abcd")}, "avoid has 4 texts: send 3 at most"),
    ("search", {"avoid": [""]}, "text 1 of avoid is empty"),
    ("search", {"query": "x" * 4001}, "4001 characters, at most 4000"),
    ("search", {"detail": "foo"}, "detail is 'foo': send \"full\" for whole passages, or leave it out"),
    ("search", {"detail": "around"}, "detail is 'around': send \"full\""),
    ("search", {"detail": 1}, "detail is '1': send \"full\""),
    ("search", {"collection": "others"}, "search_id is of collection 'notes', not 'others': leave the collection out"),
    ("search", {"search_id": "s_made-up"}, "search_id 's_made-up' is unknown: call search again"),
    ("search", {"search_id": 7}, "search_id '7' is unknown"),
    ("search", {"query": "x", "filter": {"key": "source"}}, "filter"),
    ("search", {"query": "x", "filter": NOWHERE}, "no passage passes the filter"),
    ("search", {"limit": 51}, "limit is 51: send a whole number from 1 to 50"),
    ("search", {"read": [99]}, "99 is not a hit of this search: its hits are 1 to 4"),
    ("search", {"read": [1, 0]}, "0 is not a hit of this search"),
    ("search", {"read": [-1]}, "-1 is not a hit of this search"),
    ("search", {"read": ["x"]}, 'read[0] is "x": send a list of numbers'),
    ("search", {"read": 1.5}, "read is 1.5: send a list of numbers"),
    ("search", {"read": [1], "query": "x"}, "read shows hits and does not search"),
    ("search", {"read": [1, 2, 3, 4, 5, 6], "detail": "around"}, "the passages around 6 hits are too much to read"),
    ("search", {"rewordings": ["x" * 4001]}, "text 1 of rewordings has 4001 characters"),
    ("search", {"read": [1], "detail": "foo"}, "detail is 'foo': send \"around\" for the passages around a hit"),
    ("search", {"read": [1], "collection": "others"}, "search_id is of collection 'notes', not 'others'"),
    ("search", {"read": [1], "search_id": ""}, "read shows hits of a search: send its search_id too"),
    ("search", {"read": [1], "search_id": "s_made-up"}, "search_id 's_made-up' is unknown"),
    ("search", {"include_ids": "perhaps"}, 'include_ids is "perhaps": send true or false'),
    ("give_feedback", {"rewordings": list("abcdef")}, "rewordings has 6 texts"),
    ("give_feedback", {"rewordings": [""]}, "text 1 of rewordings is empty"),
    ("give_feedback", {"avoid": list("abcd")}, "avoid has 4 texts"),
    ("give_feedback", {"scores": {"1": 1}, "detail": "foo"}, "detail is 'foo'"),
    ("give_feedback", {"scores": {"1": 1}, "rewordings": [" "]}, "text 1 of rewordings is empty"),
    ("give_feedback", {"scores": {"1": 11}, "rewordings": ["dough"]}, "the score of hit 1 is '11'"),
    ("give_feedback", {"scores": {"1": 1}, "judge": "claude"}, "both scores and a judge were sent"),
    ("give_feedback", {"search_id": "s_made-up", "rewordings": ["dough"]}, "search_id 's_made-up' is unknown"),
    ("give_feedback", {}, 'scores is empty: send a score of 0 to 10 for each hit that you read, as [{"hit": 1, "sc'),
    (
        "give_feedback",
        {"hypothetical_passage": "x"},
        "hypothetical_passage is not an argument: there are search_id, scor",
    ),
]


@pytest.mark.parametrize(("tool", "arguments", "said"), BAD_TURNS)
async def test_a_refused_turn_loses_nothing(
    made_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tool: str, arguments: dict[str, Any], said: str
) -> None:
    """The collection is only read, and the journal is this test's own."""
    (tmp_path / "collections").symlink_to(made_once / "collections")
    monkeypatch.setenv("WARMER_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("WARMER_REMEMBER", "off")
    async with Client(build_server(Settings())) as client:
        threads = []
        for refused in (False, True):
            first = await ask(client, "search", query="bread", rewordings=["loaves"], limit=3)
            handle = first["search_id"]
            await ask(client, "give_feedback", search_id=handle, scores={"2": 7}, limit=1)
            if refused:
                message = await refusal(client, tool, **{"search_id": handle, **arguments})
                assert said in message
                assert len(message) < 1000
                assert "validation error" not in message
            kept = await ask(client, "give_feedback", search_id=handle, scores={"3": 1}, limit=3)
            on = await ask(client, "search", search_id=handle, rewordings=["crust"], limit=3)
            threads.append([kept["hits"], kept["ranking"], on["hits"]])
        assert [(ranked["hit"], ranked["score"]) for ranked in kept["ranking"]] == [(2, 7), (3, 1)]
        assert threads[0] == threads[1], "the refused call left no trace"
