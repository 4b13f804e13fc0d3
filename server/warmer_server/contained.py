"""What a handler does not expect becomes an error of the protocol, and a line in the log."""

import logging
from typing import Any

from mcp import MCPError
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.types import INTERNAL_ERROR, INVALID_PARAMS
from pydantic import ValidationError

from warmer.plain import message

_log = logging.getLogger(__name__)
_SAYS_WHAT_IS_WRONG = {"prompts/get"}  # of whose prompt or arguments the SDK raises a ValueError


async def contained(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
    """Middleware: let a message through, and say of what fails unforeseen what the client may know."""
    try:
        return await call_next(ctx)
    except (MCPError, ValidationError):
        raise
    except Exception as error:
        if isinstance(error, ValueError) and ctx.method in _SAYS_WHAT_IS_WRONG:
            raise MCPError(INVALID_PARAMS, message(str(error))) from error
        _log.exception("unexpected error in %s", ctx.method)
        raise MCPError(INTERNAL_ERROR, "a bug in warmer; the server's log on stderr has more") from error
