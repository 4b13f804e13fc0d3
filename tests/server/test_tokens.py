"""Authorization over HTTP: one server, several tokens."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import httpx2
import pytest
from http_server import HttpServer, connected, environment_of, serving
from mcp import Client, MCPError
from mcp.types import PromptReference
from support import Reference, ask, refusal

from warmer.errors import WarmerError
from warmer.journal import is_owned_by
from warmer_server.cli import main
from warmer_server.tokens import Tokens, check_names, make_token, read_tokens

pytestmark = pytest.mark.anyio
BREAD = {"must": [{"key": "source", "match": {"value": "notes/bread.md"}}]}
CALLERS: dict[str, tuple[str, dict[str, Any]]] = {
    "ann": ("search,feedback,train", {}),
    "ann-too": ("search,feedback,train", {}),
    "reader": ("search", {}),
    "scorer": ("feedback", {}),
    "narrow": ("search,feedback", {"collections": ("others",)}),
    "narrow-all": ("search,feedback,train", {"collections": ("others",)}),
    "trainer": ("train", {}),
    "baker": ("search,feedback,train", {"where": BREAD}),
}


@dataclass
class Guarded:
    server: HttpServer
    secrets: dict[str, str]
    file: Path

    def connect(self, name: str, mode: Literal["auto", "legacy"] = "auto") -> Any:
        return connected(self.server.url, self.secrets[name], mode)

    def status(self, token: str) -> int:
        body = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
        headers = {"accept": "application/json, text/event-stream"} | ({"authorization": token} if token else {})
        return httpx2.post(self.server.url, json=body, headers=headers, timeout=30).status_code


@pytest.fixture(scope="module")
def guarded(
    tmp_path_factory: pytest.TempPathFactory, make_collection: Callable[[Path, str], Path]
) -> Iterator[Guarded]:
    folder = tmp_path_factory.mktemp("guarded")
    make_collection(folder / "data", "notes")
    made = {
        name: make_token(
            name.removesuffix("-too"),
            tuple(scopes.split(",")),
            more.get("collections", ()),
            more.get("where", {}),
            None,
        )
        for name, (scopes, more) in CALLERS.items()
    }
    file = folder / "tokens"
    file.write_text("# who may call\n\n" + "".join(token.line() + "\n" for _, token in made.values()))
    with serving(environment_of(folder / "data", WARMER_TOKENS_FILE=str(file))) as server:
        yield Guarded(server, {name: secret for name, (secret, _) in made.items()}, file)


def test_calls_without_a_known_token_are_refused(guarded: Guarded) -> None:
    secret = guarded.secrets["ann"]
    assert guarded.status(f"Bearer {secret}") == 200
    for wrong in ("", "Bearer", f"Basic {secret}", f"Bearer {secret[:-1]}", "Bearer x", f"Bearer {secret} x"):
        assert guarded.status(wrong) == 401, wrong
    assert guarded.server.get("/health").status_code == 200


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_tool_without_its_scope_is_neither_listed_nor_run(
    guarded: Guarded, mode: Literal["auto", "legacy"]
) -> None:
    async with guarded.connect("reader", mode) as client:
        assert [tool.name for tool in (await client.list_tools()).tools] == ["search"]
        assert (await ask(client, "search", query="bread"))["hits"]
        said = await refusal(client, "give_feedback", search_id="s_x", scores={"1": 9})
        assert said == "Error: this token may not use give_feedback: it lacks the scope 'feedback' and has search"
        assert "'train'" in await refusal(client, "train_params")


async def test_handles_work_only_for_their_owner(guarded: Guarded) -> None:
    queries = [f"{how} {word}" for how in ("how", "why") for word in ("bread", "boats", "code", "stars", "data")]
    async with guarded.connect("ann") as ann, guarded.connect("baker") as baker, guarded.connect("ann-too") as again:
        handle = (await ask(ann, "search", query="bread"))["search_id"]
        job = (await ask(ann, "train_params", queries=queries, limit=5))["job_id"]
        theirs = (await ask(baker, "search", query="bread"))["search_id"]
        scores = {"1": 9}
        assert (await ask(again, "give_feedback", search_id=handle, scores=scores))["ranking"]
        forged = f"{handle.partition('.')[0]}.{theirs.partition('.')[2]}"
        for stolen in (handle, forged, handle.partition(".")[0]):
            said = await refusal(baker, "give_feedback", search_id=stolen, scores=scores)
            assert "is unknown: call search again" in said
        assert "is unknown" in await refusal(baker, "train_params", job_id=job, cancel=True)
        assert (await ask(ann, "train_params", job_id=job))["status"] == "needs_scores"


async def test_an_owner_is_the_name_of_a_token(guarded: Guarded) -> None:
    async with guarded.connect("ann") as ann:
        assert is_owned_by((await ask(ann, "search", query="bread"))["search_id"], "ann")


async def test_a_thread_goes_on_only_for_its_owner(guarded: Guarded) -> None:
    async with guarded.connect("ann") as ann, guarded.connect("baker") as baker, guarded.connect("ann-too") as again:
        first = await ask(ann, "search", query="bread", rewordings=["loaves"], limit=3)
        handle = first["search_id"]
        await ask(ann, "give_feedback", search_id=handle, scores={"1": 9}, limit=2)
        for tool, arguments in (
            ("search", {"query": "crust"}),
            ("search", {"rewordings": ["crust"]}),
            ("search", {"read": [1]}),
            ("search", {}),
            ("give_feedback", {"rewordings": ["crust"]}),
            ("give_feedback", {"avoid": ["crust"]}),
        ):
            assert "is unknown: call search again" in await refusal(baker, tool, search_id=handle, **arguments)
        whole = await ask(again, "search", search_id=handle, read=[1])
        assert whole["hits"][0]["text"] == first["hits"][0]["text"]
        on = await ask(again, "search", search_id=handle, limit=2)
        assert [hit["hit"] for hit in on["hits"]] == [6, 7], "the stranger's calls showed nothing"
        kept = await ask(ann, "give_feedback", search_id=handle, scores={"2": 0}, limit=1)
        assert [(ranked["hit"], ranked["score"]) for ranked in kept["ranking"]] == [(1, 9), (2, 0)]


async def test_a_filter_is_always_added(guarded: Guarded) -> None:
    async with guarded.connect("baker") as client:
        for where in ({}, {"should": [{"key": "source", "match": {"value": "notes/space.md"}}, *BREAD["must"]]}):
            arguments = {"limit": 50, "filter": where, "detail": "full"}
            found = await ask(client, "search", query="the Moon and the tides", **arguments)
            assert {hit["source"] for hit in found["hits"]} == {"notes/bread.md"}
        asked = {"scores": {"1": 0}, "limit": 50, "include_scored": True, "detail": "full"}
        reply = await ask(client, "give_feedback", search_id=found["search_id"], **asked)
        assert {hit["source"] for hit in reply["hits"]} == {"notes/bread.md"}
        other = {"must": [{"key": "source", "match": {"value": "notes/space.md"}}]}
        said = await refusal(client, "search", query="the Moon", filter=other)
        assert 'Values seen: {"source": ["notes/bread.md"]}' in said
        assert (await read(client, "warmer://collections/notes"))["values"] == {"source": ["notes/bread.md"]}
        on = await ask(client, "search", search_id=found["search_id"], query="the Moon", limit=50)
        assert on["hits"] == []
        whole = await ask(client, "search", search_id=found["search_id"], read=[1], detail="around")
        assert {hit["source"] for hit in whole["hits"]} == {"notes/bread.md"}
        assert "Moon" not in str(whole)


async def test_collections_outside_the_limits_are_hidden(guarded: Guarded) -> None:
    async with guarded.connect("narrow") as client:
        assert "notes" not in (client.instructions or "")
        for name in ("notes", "others", ""):
            said = await refusal(client, "search", query="bread", **({"collection": name} if name else {}))
            assert "you may search" in said
            assert "notes" not in said.replace("'notes'", "")
        with pytest.raises(MCPError, match="you may search"):
            await client.read_resource("warmer://collections/notes/params")
        assert [resource.uri for resource in (await client.list_resources()).resources] == ["warmer://collections"]
        assert await read(client, "warmer://collections") == {"collections": []}
        assert await completed(client) == []


QUESTIONS = [f"{how} {word}" for how in ("how", "why") for word in ("bread", "boats", "code", "stars", "data")]


def calls_about(name: str, handle: str, job: str) -> list[tuple[str, dict[str, Any]]]:
    """Call each tool in each way that takes a name, or something that belongs to it."""
    return [
        ("search", {"query": "bread", "collection": name}),
        ("search", {"query": "bread", "collection": name, "filter": BREAD}),
        ("search", {"query": "bread", "collection": name, "search_id": handle}),
        ("search", {"search_id": handle, "collection": name, "read": [1]}),
        ("search", {"search_id": handle, "read": [1], "detail": "around"}),
        ("give_feedback", {"search_id": handle, "scores": {"1": 9}}),
        ("give_feedback", {"search_id": handle, "judge": "fastembed:none"}),
        ("train_params", {"collection": name}),
        ("train_params", {"collection": name, "queries": QUESTIONS}),
        ("train_params", {"collection": name, "queries": QUESTIONS, "judge": "fastembed:none"}),
        ("train_params", {"collection": name, "job_id": job}),
        ("train_params", {"job_id": job}),
        ("train_params", {"job_id": job, "cancel": True}),
    ]


async def spoken(client: Client, tool: str, arguments: dict[str, Any]) -> str:
    result = await client.call_tool(tool, arguments)
    return " ".join(getattr(block, "text", "") for block in result.content) + str(result.structured_content)


async def test_a_hidden_collection_is_spoken_of_as_one_that_is_not_there(guarded: Guarded) -> None:
    async with guarded.connect("ann") as ann, guarded.connect("narrow-all") as client:
        handle = (await ask(ann, "search", query="bread"))["search_id"]
        job = (await ask(ann, "train_params", queries=QUESTIONS, limit=5))["job_id"]
        hidden, absent = (calls_about(name, handle, job) for name in ("notes", "nowhere"))
        for (tool, about), (_, other) in zip(hidden, absent, strict=True):
            said = await spoken(client, tool, about)
            assert said.replace("notes", "nowhere") == await spoken(client, tool, other), (tool, about)
        assert (await ask(ann, "train_params", job_id=job))["status"] == "needs_scores"


async def test_who_may_only_train_reads_nothing(guarded: Guarded, reference: Reference) -> None:
    texts = {passage.text[:40] for passage in reference.passages}
    async with guarded.connect("ann") as ann, guarded.connect("trainer") as client:
        handle = (await ask(ann, "search", query="bread"))["search_id"]
        own = (await ask(client, "train_params", queries=QUESTIONS, limit=5))["job_id"]
        for tool, arguments in (*calls_about("notes", handle, own)[:-1], ("train_params", {"job_id": own})):
            said = await spoken(client, tool, arguments)
            assert "notes/" not in said, (tool, arguments)
            assert not [text for text in texts if text in said], (tool, arguments)


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_resources_show_what_a_search_would(guarded: Guarded, mode: Literal["auto", "legacy"]) -> None:
    async with guarded.connect("ann", mode) as ann, guarded.connect("baker", mode) as baker:
        arguments = {"limit": 50, "detail": "full", "include_ids": True}
        hits = (await ask(ann, "search", query="the Moon and the tides", **arguments))["hits"]
        bread = {hit["id"] for hit in hits if hit["source"] == "notes/bread.md"}
        assert 1 < len(bread) < len(hits)
        for hit in hits[:3] + hits[-3:]:
            uri = f"warmer://collections/notes/passages/{hit['id']}"
            assert (await read(ann, uri))["text"] == hit["text"]
            if hit["id"] in bread:
                told = await read(baker, uri)
                assert {one["id"] for one in told["before"] + told["after"]} <= bread
            else:
                with pytest.raises(MCPError, match="has no passage"):
                    await baker.read_resource(uri)
        assert (await read(ann, "warmer://collections/notes"))["points"] == len(hits)
        assert "points" not in await read(baker, "warmer://collections/notes")
        assert await completed(baker) == ["notes"]


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_without_the_scope_search_nothing_is_shown(guarded: Guarded, mode: Literal["auto", "legacy"]) -> None:
    async with guarded.connect("scorer", mode) as client:
        assert (await client.list_resources()).resources == []
        assert (await client.list_resource_templates()).resource_templates == []
        assert (await client.list_prompts()).prompts == []
        for refused in (
            client.read_resource("warmer://collections"),
            client.get_prompt("research", {"question": "why?"}),
            completed(client),
        ):
            with pytest.raises(MCPError, match="needs a token with the scope 'search'"):
                await refused


async def read(client: Client, uri: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((await client.read_resource(uri)).contents[0].text)  # type: ignore[union-attr]
    return told


async def completed(client: Client) -> list[str]:
    argument = {"name": "collection", "value": ""}
    return (await client.complete(PromptReference(name="research"), argument)).completion.values


def test_deleting_a_line_revokes_its_token_and_a_broken_file_changes_nothing(guarded: Guarded) -> None:
    text = guarded.file.read_text()
    secret, token = make_token("new", ("search",), (), {}, None)
    assert guarded.status(f"Bearer {secret}") == 401
    guarded.file.write_text(text + token.line() + "\n")
    assert guarded.status(f"Bearer {secret}") == 200
    guarded.file.write_text("{broken\n")
    assert guarded.status(f"Bearer {secret}") == 200
    guarded.file.write_text(text)
    assert guarded.status(f"Bearer {secret}") == 401
    assert guarded.status(f"Bearer {guarded.secrets['ann']}") == 200


def test_a_token_expires() -> None:
    secret, token = make_token("ann", ("search",), (), {}, -1)
    fresh, other = make_token("ann", ("search",), ("docs",), BREAD, 1)
    tokens = Tokens(None, f"{token.line()}\n{other.line()}")
    assert tokens.find(secret) is None
    assert tokens.find(fresh) == other
    assert secret not in token.line()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("wt_secret", "line 1 of here is not JSON"),
        ('"wt_secret"', "line 1 of here does not fit"),
        ('{"name": "a", "sha256": "wt_secret", "scopes": ["search"]}', "sha256"),
        (f'{{"name": "a", "sha256": "{"0" * 64}", "scopes": ["write"]}}', "scopes"),
        (f'{{"name": "a", "sha256": "{"0" * 64}", "scopes": []}}', "scopes"),
        (f'{{"name": "a", "sha256": "{"0" * 64}", "scopes": ["search"], "colections": ["a"]}}', "colections"),
        (f'{{"name": "a", "sha256": "{"0" * 64}", "scopes": ["search"], "filter": {{"must": []}}}}', "no condition"),
    ],
)
def test_an_invalid_line_is_refused_without_quoting_it(line: str, said: str) -> None:
    with pytest.raises(WarmerError, match=said) as refused:
        read_tokens(line, "here")
    assert "wt_secret" not in str(refused.value)


@pytest.mark.parametrize(
    "other", [{"scopes": ("search", "train")}, {"collections": ("a",)}, {"where": BREAD}], ids=lambda other: str(*other)
)
def test_tokens_of_one_name_have_the_same_rights(tmp_path: Path, other: dict[str, Any]) -> None:
    usual: dict[str, Any] = {"scopes": ("search",), "collections": (), "where": {}, "days": None}
    one, again, differing = (make_token("ann", **{**usual, **more})[1] for more in ({}, {"days": 30}, other))
    check_names([one, again])  # one takes the place of the other
    check_names([one, make_token("ann", **{**usual, **other, "days": -1})[1]])
    (file := tmp_path / "tokens").write_text(differing.line() + "\n")
    with pytest.raises(WarmerError, match="two tokens have the name 'ann' and different rights"):
        Tokens(file, one.line())


def test_the_command_prints_line_and_token_separately(capsys: pytest.CaptureFixture[str]) -> None:
    main(["token", "ann", "--collections", "a, b", "--days", "30"])
    printed = capsys.readouterr()
    (token,) = read_tokens(printed.out, "stdout")
    assert (token.name, token.scopes, token.collections) == ("ann", ("search", "feedback"), ("a", "b"))
    assert Tokens(None, printed.out).find(printed.err.split()[-1]) == token
    assert "wt_" not in printed.out
    for wrong in (["--filter", "{"], ["--filter", "{}"], ["--filter", "[1]"], ["--scopes", "all"], ["--scopes", ""]):
        with pytest.raises(SystemExit, match="warmer: "):
            main(["token", "ann", *wrong])
