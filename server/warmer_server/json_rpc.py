"""A line of stdio as a message of JSON-RPC, or the error that answers it."""

import json
from typing import Any

from mcp.types import (
    INVALID_REQUEST,
    PARSE_ERROR,
    ErrorData,
    JSONRPCError,
    JSONRPCMessage,
    JSONRPCNotification,
    jsonrpc_message_adapter,
)
from pydantic import ValidationError
from pydantic_core import from_json

LINE_BYTES = 2**20


class NoMessageError(Exception):
    """A line is no message; `answer` says so to whoever sent it, with the id of the request where that can be told."""

    def __init__(self, code: int, said: str, raw: object = None) -> None:
        super().__init__(said)
        error = ErrorData(code=code, message=said)
        self.answer = JSONRPCError(jsonrpc="2.0", id=_request_id(raw), error=error)


def read_message(line: bytes) -> JSONRPCMessage:
    """Read a line.

    Raises:
        NoMessageError: It is longer than LINE_BYTES, no JSON, or no message of JSON-RPC.
    """
    if len(line) > LINE_BYTES:
        raise NoMessageError(PARSE_ERROR, f"Parse error: a line of more than {LINE_BYTES} bytes")
    try:
        raw: Any = from_json(line, allow_inf_nan=False)
    except ValueError as error:
        raise NoMessageError(PARSE_ERROR, f"Parse error: {error}", _leniently(line)) from error
    try:
        message = jsonrpc_message_adapter.validate_python(raw, by_name=False)
    except ValidationError as error:
        raise NoMessageError(INVALID_REQUEST, "Invalid request: no message of JSON-RPC 2.0", raw) from error
    if isinstance(message, JSONRPCNotification) and "id" in raw:
        raise NoMessageError(INVALID_REQUEST, "Invalid request: its id is neither a string nor a whole number", raw)
    return message


def _leniently(line: bytes) -> object:
    """Read what is almost JSON: with NaN, half a surrogate pair, or bytes that are no UTF-8."""
    try:
        return json.loads(line.decode(errors="replace"))
    except (ValueError, RecursionError):
        return None


def _request_id(raw: object) -> int | str | None:
    if not isinstance(raw, dict) or raw.keys() & {"result", "error"}:  # the id of a response is the server's own
        return None
    id_ = raw.get("id")
    whole = isinstance(id_, str) and id_.encode(errors="replace").decode() == id_
    return id_ if whole or type(id_) is int else None
