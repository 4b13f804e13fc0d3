"""Resources, prompt and completions: optional additions to the tools."""

from contextvars import ContextVar
from typing import Any

from mcp import MCPError
from mcp.server import MCPServer
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.types import INVALID_PARAMS, ListResourcesResult

from warmer.sanitize import error_text
from warmer_server.surface import completions, prompt, resources
from warmer_tools.workspace import Workspace

_workspace: ContextVar[Workspace] = ContextVar("workspace")


def add_surface(server: MCPServer[Workspace], tool_prefix: str = "") -> None:
    """Register resources, prompt and completions. Their middleware must be the last, to see the caller's workspace."""
    server.middleware.append(_handle_call)
    resources.register(server, _workspace.get)
    prompt.register(server, tool_prefix)
    completions.register(server, _workspace.get)


async def _handle_call(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
    """Keep the workspace of the caller for handlers, word errors for clients, and add collections to resource lists.

    The SDK passes the workspace only to resource templates.
    """
    _workspace.set(ctx.lifespan_context)
    try:
        if ctx.method == "prompts/get":
            prompt.check(ctx.params or {})
        result = await call_next(ctx)
    except ValueError as error:
        if ctx.method != "prompts/get":
            raise
        raise MCPError(INVALID_PARAMS, error_text(str(error))) from error
    except MCPError as error:
        if ctx.method != "resources/read":
            raise
        raise MCPError(error.code, error_text(error.message)) from error  # the cause may quote a URI of any length
    if ctx.method == "resources/list" and result is not None:  # None answers a notification
        listed = result if isinstance(result, ListResourcesResult) else ListResourcesResult.model_validate(result)
        more = await resources.list_collections(ctx.lifespan_context)
        return listed.model_copy(update={"resources": [*listed.resources, *more]})
    return result
