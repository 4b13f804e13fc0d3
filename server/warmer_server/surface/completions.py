"""Completions of collection names, in the prompt's argument and in resource templates."""

from collections.abc import Callable

from mcp import MCPError
from mcp.server import MCPServer
from mcp.types import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    Completion,
    CompletionArgument,
    CompletionContext,
    PromptReference,
    ResourceTemplateReference,
)

from warmer.errors import WarmerError
from warmer.sanitize import error_text
from warmer_server.surface import prompt, resources
from warmer_tools.workspace import Workspace

_MOST = 100  # by the protocol
_KNOWN = {prompt.NAME, resources.COLLECTION, resources.PARAMS, resources.PASSAGE}


def register(server: MCPServer[Workspace], caller: Callable[[], Workspace]) -> None:
    """Add them to a server; `caller` gives the workspace of a call."""

    @server.completion()  # type: ignore[no-untyped-call, untyped-decorator]
    async def complete(
        ref: PromptReference | ResourceTemplateReference,
        argument: CompletionArgument,
        context: CompletionContext | None,  # noqa: ARG001
    ) -> Completion | None:
        of = ref.name if isinstance(ref, PromptReference) else ref.uri
        if of not in _KNOWN:
            raise MCPError(INVALID_PARAMS, error_text(f"nothing can be completed in {of!r}: there is no such thing"))
        if argument.name != "collection":
            return None
        try:
            names = await caller().collections.names()
        except WarmerError as error:
            raise MCPError(INTERNAL_ERROR, error_text(str(error))) from error
        return _matching(names, argument.value.casefold())


def _matching(names: list[str], begun: str) -> Completion:
    """Give names that begin so, then those that have it within."""
    found = [name for name in names if begun in name.casefold()]
    found.sort(key=lambda name: not name.casefold().startswith(begun))
    return Completion(values=found[:_MOST], total=len(found), has_more=len(found) > _MOST)
