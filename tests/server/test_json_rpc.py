"""Every line is parsed as a message or answered by an error."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp.types import INVALID_REQUEST, PARSE_ERROR, JSONRPCRequest

from warmer_server.json_rpc import LINE_BYTES, InvalidMessageError, read_message

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters())
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10)


def refused(line: bytes) -> tuple[int, int | str | None]:
    with pytest.raises(InvalidMessageError) as caught:
        read_message(line)
    caught.value.answer.model_dump_json()
    return caught.value.answer.error.code, caught.value.answer.id


@given(st.integers() | st.text(), VALUES, VALUES, VALUES)
def test_a_request_is_read_or_answered_by_its_id(id_: int | str, version: Any, method: Any, params: Any) -> None:
    line = json.dumps({"jsonrpc": version, "id": id_, "method": method, "params": {"x": params}}).encode()
    assert refused(line)[1] == id_
    line = json.dumps({"jsonrpc": "2.0", "id": id_, "method": "ping", "params": {"x": params}}).encode()
    try:
        message = read_message(line)
    except InvalidMessageError as error:
        assert error.answer.id == id_
        assert not_representable(params)
    else:
        assert isinstance(message, JSONRPCRequest)
        assert message.id == id_
        assert message.params == {"x": params}


def not_representable(value: Any) -> bool:
    """Return whether JSON cannot represent a value."""
    if isinstance(value, dict):
        return any(not_representable(part) for pair in value.items() for part in pair)
    if isinstance(value, list):
        return any(map(not_representable, value))
    if isinstance(value, str):
        return any("\ud800" <= character <= "\udfff" for character in value)
    return isinstance(value, float) and not math.isfinite(value)


@given(st.binary() | st.text().map(str.encode) | VALUES.map(lambda value: json.dumps(value).encode()))
def test_every_line_is_handled(line: bytes) -> None:
    try:
        read_message(line)
    except InvalidMessageError as error:
        json.loads(error.answer.model_dump_json())


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b'{"jsonrpc":"2.0","id":7,"method":"ping","params":{"x":"\\ud800"}}', (PARSE_ERROR, 7)),
        (b'{"jsonrpc":"2.0","id":"a","method":"ping","params":{"x":NaN}}', (PARSE_ERROR, "a")),
        (b'{"jsonrpc":"2.0","id":7,"method":"ping","params":{"x":"\xff"}}', (PARSE_ERROR, 7)),
        (b'{"jsonrpc":"2.0","id":7,"method":"ping"', (PARSE_ERROR, None)),
        (b'{"jsonrpc":"2.0","id":"\\ud800","method":"ping"}', (PARSE_ERROR, None)),
        (b"[" * 500_000, (PARSE_ERROR, None)),
        (b'{"jsonrpc":"2.0","id":7,"method":"ping","params":{"x":"' + b"x" * LINE_BYTES, (PARSE_ERROR, None)),
        (b'{"jsonrpc":"2.0","id":7,"method":"ping","params":[1]}', (INVALID_REQUEST, 7)),
        (b'{"id":7,"method":"ping"}', (INVALID_REQUEST, 7)),
        (b'{"jsonrpc":"2.0","id":1.5,"method":"ping"}', (INVALID_REQUEST, None)),
        (b'{"jsonrpc":"2.0","id":true,"method":"ping"}', (INVALID_REQUEST, None)),
        (b'{"jsonrpc":"2.0","id":7,"result":5}', (INVALID_REQUEST, None)),
        (b"[]", (INVALID_REQUEST, None)),
    ],
)
def test_invalid_messages_are_answered(line: bytes, expected: tuple[int, int | str | None]) -> None:
    assert refused(line) == expected
