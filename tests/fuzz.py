"""Send malformed messages over stdio and check the answers."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from random import Random
from time import monotonic
from typing import Any, Protocol

import jsonschema
from mcp.types import CallToolResult, ErrorData
from pydantic_core import from_json

SECONDS = 60.0
_BATCH = 20
TOOLS = ("search", "give_feedback", "train_params")


class Transport(Protocol):
    """Sends lines to a server and receives messages."""

    def send(self, line: bytes) -> None: ...

    def receive(self, seconds: float = SECONDS) -> dict[str, Any]: ...

    def ask(self, method: str, **params: Any) -> dict[str, Any]: ...


class Checks:
    """Checks and counts the answers of a server.

    Attributes:
        answers: Number of results, refusals and errors.
    """

    def __init__(self, tools: Mapping[str, Any]) -> None:
        self.answers: Counter[str] = Counter()
        self._schemas = {tool["name"]: tool["outputSchema"] for tool in tools["tools"]}

    def check(self, message: dict[str, Any], tool: str) -> None:
        """Assert that an answer fits the protocol and the output schema of the tool, if any."""
        assert message["jsonrpc"] == "2.0", message
        assert ("result" in message) != ("error" in message), message
        if "error" in message:
            ErrorData.model_validate(message["error"])
            assert "a bug in warmer" not in message["error"]["message"], message
            self.answers["protocol errors"] += 1
            return
        if not tool:
            self.answers["other results"] += 1
            return
        result = CallToolResult.model_validate(message["result"])
        text = getattr(result.content[0], "text", "")
        assert "a bug in warmer" not in text, text
        assert len(text) < 100_000
        if result.is_error:
            assert text
            self.answers["refusals"] += 1
            return
        if tool in self._schemas:
            jsonschema.validate(result.structured_content, self._schemas[tool])
        self.answers["results"] += 1


class Fuzzer:
    """Sends messages over stdio in batches and expects an answer to every request within a minute.

    Attributes:
        sent: Number of messages sent of each kind.
        checks: Checks of the answers.
    """

    def __init__(self, transport: Transport, seed: int) -> None:
        self.sent: Counter[str] = Counter()
        self.checks = Checks(transport.ask("tools/list")["result"])
        self._transport = transport
        self._random = Random(seed)
        self._number = 0
        first = transport.ask("tools/call", name="search", arguments={"query": "bread", "limit": 5})
        self._handle = first["result"]["structuredContent"]["search_id"]

    def run(self, calls: int) -> None:
        """Send a number of messages.

        Raises:
            AssertionError: An answer is missing or invalid.
        """
        while calls > 0:
            self._batch(min(_BATCH, calls))
            calls -= _BATCH

    def _batch(self, size: int) -> None:
        due: Counter[str] = Counter()
        tools: dict[str, str] = {}
        for _ in range(size):
            kind = self._random.choice(KINDS)
            self._number += 1
            line, tool = kind(self._random, f"fuzz-{self._number}", self._handle)
            due.update(expected_ids(line))
            tools[json.dumps(f"fuzz-{self._number}")] = tool
            self.sent[kind.__name__.strip("_").replace("_", " ")] += 1
            self._transport.send(line)
        self._transport.send(make_request("last", "ping", {}))
        due[json.dumps("last")] += 1
        until = monotonic() + SECONDS
        while due:
            message = self._transport.receive(until - monotonic())
            if "method" in message:
                assert "id" not in message, message
                continue
            id_ = json.dumps(message["id"])
            assert id_ in due, message
            due -= Counter([id_])
            self.checks.check(message, tools.get(id_, ""))


def expected_ids(line: bytes) -> list[str]:
    """Return the id, as JSON, of the answer that a line requires; an empty list if it requires none."""
    if not line.strip():
        return []
    try:
        raw = json.loads(line.decode(errors="replace"))
    except (ValueError, RecursionError):
        return ["null"]
    if not isinstance(raw, dict):
        return ["null"]
    id_ = raw.get("id")
    if "id" not in raw and raw.get("jsonrpc") == "2.0" and isinstance(raw.get("method"), str):
        return [] if isinstance(raw.get("params", {}), dict | None) and _is_json(line) else ["null"]
    readable = type(id_) is int or (isinstance(id_, str) and _has_no_surrogate(id_))
    return [json.dumps(id_) if readable else "null"]


def _has_no_surrogate(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _is_json(line: bytes) -> bool:
    """Return whether a line is strict JSON, without lone surrogates or NaN."""
    try:
        from_json(line, allow_inf_nan=False)
    except ValueError:
        return False
    return True


Generated = tuple[bytes, str]  # a line, and the tool that it calls, if any


def make_request(id_: Any, method: str, params: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": id_, "method": method, "params": params}).encode()


def _call(id_: Any, tool: str, arguments: Any) -> bytes:
    return make_request(id_, "tools/call", {"name": tool, "arguments": arguments})


def _values(random: Random, handle: str) -> Iterator[Any]:
    """Yield values of every type without end; some are valid for some argument."""
    made: list[Callable[[], Any]] = [
        lambda: None,
        lambda: random.choice([True, False]),
        lambda: random.choice([0, -1, 1, 51, 2**31, 2**63, -(2**64), 10**300]),
        lambda: random.choice([0.5, -0.0, 1e308, 5e-324, float("nan"), float("inf")]),
        lambda: random.choice(["", " ", "bread", "\0", "\ud800", "😀" * 2000, "x" * 5000, "../../etc/passwd", "notes"]),
        lambda: handle,
        lambda: random.choice(
            [[], [[]], ["a"] * 600, [None], {}, ["bread", "rye"], [""], ["\ud800"], [1, 2], [-1, 2**70]]
        ),
        lambda: random.choice(["full", "around", "skim"]),
        lambda: {random.choice(["1", "2", "0", "-1", "x", "\udfff", "9" * 400, "1.0"]): next(_values(random, handle))},
        lambda: {"must": [{"key": random.choice(["source", "", "line"]), "match": {"value": random.random()}}]},
    ]
    while True:
        yield random.choice(made)()


def _random_bytes(random: Random, *_: str) -> Generated:
    return random.randbytes(random.randrange(1, 400)).replace(b"\n", b" ").replace(b"\r", b" "), ""


def _truncated_json(random: Random, id_: str, handle: str) -> Generated:
    line = _call(id_, "give_feedback", {"search_id": handle, "scores": {"1": 9}})
    return line[: random.randrange(1, len(line))], ""


def _wrong_envelopes(random: Random, id_: str, handle: str) -> Generated:
    envelope: dict[str, Any] = {"jsonrpc": "2.0", "id": id_, "method": "tools/call", "params": {"name": "search"}}
    field = random.choice(list(envelope))
    if random.random() < 0.3:
        del envelope[field]
    else:
        envelope[field] = next(_values(random, handle))
    whole = random.choice([envelope, envelope, envelope, [envelope], [], 5, "x", None])
    return json.dumps(whole).encode(), ""


def _strange_ids(random: Random, *_: str) -> Generated:
    ids = [10**400, -(10**30), 1e308, 0, -1, "", "i" * 100_000, None, True, {}, [], "\ud800", 1.5]
    return make_request(random.choice(ids), random.choice(["ping", "tools/list"]), {}), ""


def _unknown_methods(random: Random, id_: str, *_: str) -> Generated:
    method = random.choice(["", "tools", "tools/delete", "x" * 10_000, "__class__", "rpc.on", "\0", "notifications/x"])
    return make_request(id_, method, {}), ""


def _wrong_methods_arguments(random: Random, id_: str, handle: str) -> Generated:
    method = random.choice(["tools/call", "resources/read", "prompts/get", "completion/complete", "tools/list"])
    keys = random.sample(["name", "uri", "arguments", "cursor", "_meta", "ref"], 2)
    return make_request(id_, method, {key: next(_values(random, handle)) for key in keys}), ""


def _wrong_arguments(random: Random, id_: str, handle: str) -> Generated:
    tool = random.choice(TOOLS)
    names = {
        "search": [
            *("query", "rewordings", "hypothetical_passage", "avoid", "search_id", "collection", "limit", "filter"),
            *("read", "detail", "include_scores", "include_ids", "what"),
        ],
        "give_feedback": [
            *("search_id", "scores", "rewordings", "avoid", "judge", "limit", "include_scored", "detail", "what"),
        ],
        "train_params": ["collection", "queries", "judge", "limit", "job_id", "cancel", "what"],
    }[tool]
    right: dict[str, dict[str, Any]] = {
        "search": {"query": "bread"},
        "give_feedback": {"search_id": handle, "scores": {"1": 5}},
        "train_params": {"wait_seconds": 0},
    }
    wrong = {name: next(_values(random, handle)) for name in random.sample(names, random.randrange(1, 4))}
    return _call(id_, tool, {**right[tool], **wrong}), tool


def _deep_nesting(random: Random, id_: str, *_: str) -> Generated:
    depth = random.choice([10, 100, 400, 5000, 50_000])
    nested = random.choice(['{"must":' * depth + "1" + "}" * depth, "[" * depth + "]" * depth])
    line = _call(id_, "search", {"query": "bread", "filter": "HERE"}).decode().replace('"HERE"', nested)
    return line.encode(), ""


def _lone_surrogates(random: Random, id_: str, handle: str) -> Generated:
    half = random.choice(["\ud800", "\udfff", "a\udc00b", "\ud83d"])
    tool, arguments = random.choice(
        [
            ("search", {"query": half}),
            ("search", {"query": "bread", "collection": half}),
            ("search", {"query": "bread", "rewordings": [half, "rye"], "avoid": [half]}),
            ("search", {"query": "bread", "hypothetical_passage": half}),
            ("search", {"search_id": half, "read": [1]}),
            ("search", {"search_id": handle, "read": [1], "detail": half}),
            ("give_feedback", {"search_id": handle, "rewordings": [half]}),
            ("search", {"query": "bread", "filter": {"must": [{"key": "source", "match": {"value": half}}]}}),
            ("search", {"query": "bread", "filter": {"must": [{"key": half, "match": {"value": 1}}]}}),
            ("give_feedback", {"search_id": half, "scores": {"1": 1}}),
            ("give_feedback", {"search_id": handle, "scores": {half: 1}}),
            ("give_feedback", {"search_id": handle, "judge": half}),
            ("train_params", {"job_id": half, "wait_seconds": 0}),
            ("train_params", {"queries": [half] * 3, "wait_seconds": 0}),
        ]
    )
    return _call(id_, tool, arguments), tool


def _right_calls(random: Random, id_: str, handle: str) -> Generated:
    tool, arguments = random.choice(
        [
            ("search", {"query": random.choice(["bread", "the Moon", "boats"]), "limit": random.randint(1, 50)}),
            ("search", {"search_id": handle, "rewordings": ["rye", "the sea"], "hypothetical_passage": "Rye keeps."}),
            ("search", {"search_id": handle, "read": [random.randint(1, 5)], "detail": random.choice(["", "around"])}),
            ("give_feedback", {"search_id": handle, "scores": {str(random.randint(1, 5)): random.randint(0, 10)}}),
            ("give_feedback", {"search_id": handle, "rewordings": ["loaves"], "avoid": ["boats"], "detail": "full"}),
        ]
    )
    return _call(id_, tool, arguments), tool


KINDS: list[Callable[[Random, str, str], Generated]] = [
    _random_bytes,
    _truncated_json,
    _wrong_envelopes,
    _strange_ids,
    _unknown_methods,
    _wrong_methods_arguments,
    _wrong_arguments,
    _deep_nesting,
    _lone_surrogates,
    _right_calls,
]
