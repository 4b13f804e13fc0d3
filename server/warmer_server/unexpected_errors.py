"""What a handler does not expect becomes an error of the protocol, and a line in the log."""

import json
import logging
from collections.abc import Mapping
from typing import Any

from mcp import MCPError
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.types import INTERNAL_ERROR, INVALID_PARAMS
from pydantic import ValidationError

from warmer.sanitize import error_text

_log = logging.getLogger(__name__)


async def contained(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
    """Middleware: let a message through, and say of what fails unforeseen what the client may know."""
    _refuse_what_is_no_json(ctx.params)
    try:
        return await call_next(ctx)
    except (MCPError, ValidationError):
        raise
    except Exception as error:
        _log.exception("unexpected error in %s", ctx.method)
        raise MCPError(INTERNAL_ERROR, "a bug in warmer; the server's log on stderr has more") from error


def _refuse_what_is_no_json(params: Mapping[str, Any] | None) -> None:
    """Over HTTP the SDK reads with Python's own reader, which lets through what nothing behind it can write."""
    try:
        json.dumps(params, ensure_ascii=False, allow_nan=False).encode()
    except ValueError as error:
        raise MCPError(INVALID_PARAMS, f"Invalid params: no JSON: {error_text(str(error))}") from error
