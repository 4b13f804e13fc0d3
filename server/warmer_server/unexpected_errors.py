"""Turn unexpected errors of handlers into protocol errors and lines in the log."""

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


async def handle_unexpected_errors(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
    """MCP middleware: log an unexpected error and answer with one that tells the client nothing else.

    Raises:
        MCPError: The parameters are not JSON, or handling failed unexpectedly.
    """
    _check_json(ctx.params)
    try:
        return await call_next(ctx)
    except (MCPError, ValidationError):
        raise
    except Exception as error:
        _log.exception("unexpected error in %s", ctx.method)
        raise MCPError(INTERNAL_ERROR, "a bug in warmer; the server's log on stderr has more") from error


def _check_json(params: Mapping[str, Any] | None) -> None:
    """Refuse NaN and lone surrogates, which the SDK accepts over HTTP and nothing can write afterwards."""
    try:
        json.dumps(params, ensure_ascii=False, allow_nan=False).encode()
    except ValueError as error:
        raise MCPError(INVALID_PARAMS, f"Invalid params: no JSON: {error_text(str(error))}") from error
