"""Parse a line of stdio as a JSON-RPC message, or build the error response to it."""

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

LINE_BYTES = 2**20  # longest line accepted


class InvalidMessageError(Exception):
    """A line is not a message. `answer` is the error response, with the request's id if it can be read."""

    def __init__(self, code: int, reason: str, raw: object = None) -> None:
        super().__init__(reason)
        error = ErrorData(code=code, message=reason)
        self.answer = JSONRPCError(jsonrpc="2.0", id=_request_id(raw), error=error)


def read_message(line: bytes) -> JSONRPCMessage:
    """Parse a line.

    Raises:
        InvalidMessageError: The line is longer than LINE_BYTES, not JSON, or not a JSON-RPC message.
    """
    if len(line) > LINE_BYTES:
        raise InvalidMessageError(PARSE_ERROR, f"Parse error: a line of more than {LINE_BYTES} bytes")
    try:
        raw: Any = from_json(line, allow_inf_nan=False)
    except ValueError as error:
        raise InvalidMessageError(PARSE_ERROR, f"Parse error: {error}", _parse_leniently(line)) from error
    try:
        message = jsonrpc_message_adapter.validate_python(raw, by_name=False)
    except ValidationError as error:
        raise InvalidMessageError(INVALID_REQUEST, "Invalid request: not a JSON-RPC 2.0 message", raw) from error
    if isinstance(message, JSONRPCNotification) and "id" in raw:
        raise InvalidMessageError(
            INVALID_REQUEST, "Invalid request: its id is neither a string nor a whole number", raw
        )
    return message


def _parse_leniently(line: bytes) -> object:
    """Parse JSON that may hold NaN, lone surrogates or bytes that are not UTF-8; return None if even that fails."""
    try:
        return json.loads(line.decode(errors="replace"))
    except (ValueError, RecursionError):
        return None


def _request_id(raw: object) -> int | str | None:
    if not isinstance(raw, dict) or raw.keys() & {"result", "error"}:  # the id of a response is one of the server's
        return None
    id_ = raw.get("id")
    is_text = isinstance(id_, str) and id_.encode(errors="replace").decode() == id_
    return id_ if is_text or type(id_) is int else None
