"""What the server has beside its tools: resources, a prompt, completions. The tools alone are enough."""

from contextvars import ContextVar
from typing import Any

from mcp import MCPError
from mcp.server import MCPServer
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.types import INVALID_PARAMS, ListResourcesResult

from warmer.sanitize import error_text
from warmer_server.surface import completions, prompt, resources
from warmer_tools.workspace import Workspace

_caller: ContextVar[Workspace] = ContextVar("caller")


def add_surface(server: MCPServer[Workspace]) -> None:
    """Register all of it, on the workspace that the caller may see; after all other middleware."""
    server.middleware.append(_for_the_caller)
    resources.register(server, _caller.get)
    prompt.register(server)
    completions.register(server, _caller.get)


async def _for_the_caller(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
    """Remember whose call it is, since the SDK hands that to templates alone; list collections; speak plainly."""
    _caller.set(ctx.lifespan_context)
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
        raise MCPError(error.code, error_text(error.message)) from error  # without the address, of whatever length
    if ctx.method == "resources/list" and result is not None:  # None answers a notification
        listed = result if isinstance(result, ListResourcesResult) else ListResourcesResult.model_validate(result)
        more = await resources.of_collections(ctx.lifespan_context)
        return listed.model_copy(update={"resources": [*listed.resources, *more]})
    return result
