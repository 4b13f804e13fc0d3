"""Errors as clients can use them: refusals of a call say that they are errors, bugs become protocol errors."""

import json
import logging
from collections.abc import Mapping
from typing import Any

from mcp import MCPError
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.types import INTERNAL_ERROR, INVALID_PARAMS, CallToolResult, TextContent
from pydantic import BaseModel, ValidationError

from warmer.sanitize import error_text

_log = logging.getLogger(__name__)
_ERROR = "Error"


async def handle_errors(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
    """MCP middleware: log an unexpected error and answer with one that tells the client nothing else.

    Some clients do not tell their model that a result is an error, so the text of every refused call begins with it.

    Raises:
        MCPError: The parameters are not JSON, or handling failed unexpectedly.
    """
    _check_json(ctx.params)
    is_call = ctx.method == "tools/call"
    if is_call and (refusal := _no_object((ctx.params or {}).get("arguments"))):
        return refusal
    try:
        result = await call_next(ctx)
        return _named_error(result) if is_call else result
    except (MCPError, ValidationError):
        raise
    except Exception as error:
        _log.exception("unexpected error in %s", ctx.method)
        raise MCPError(INTERNAL_ERROR, "a bug in warmer; the server's log on stderr has more") from error


def refused(message: str) -> CallToolResult:
    """Answer a call with an error, which has no structure beside its text."""
    return CallToolResult(content=[TextContent(type="text", text=message)], is_error=True)


def _no_object(arguments: object) -> CallToolResult | None:
    if arguments is None or isinstance(arguments, dict):
        return None
    kind = "a list" if isinstance(arguments, list) else "a text" if isinstance(arguments, str) else "a plain value"
    return refused(
        f'{_ERROR}: the arguments are {kind}: send an object with a field for each, such as {{"query": "..."}}, or '
        "{} for none"
    )


def _named_error(result: HandlerResult) -> HandlerResult:
    told = result.model_dump(by_alias=True, exclude_none=True) if isinstance(result, BaseModel) else result
    if not told or not told.get("isError"):
        return result
    (first, *others) = told["content"]
    text = str(first["text"])
    first = {**first, "text": text if text.startswith(_ERROR) else f"{_ERROR}: {text}"}
    return {**told, "content": [first, *others]}


def _check_json(params: Mapping[str, Any] | None) -> None:
    """Refuse NaN and lone surrogates, which the SDK accepts over HTTP and nothing can write afterwards."""
    try:
        json.dumps(params, ensure_ascii=False, allow_nan=False).encode()
    except ValueError as error:
        raise MCPError(INVALID_PARAMS, f"Invalid params: no JSON: {error_text(str(error))}") from error
