"""Complete collection names in the prompt's argument and in resource templates."""

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

_MAX_VALUES = 100  # limit of the protocol
_COMPLETABLE = {prompt.NAME, resources.COLLECTION, resources.PARAMS, resources.PASSAGE}


def register(server: MCPServer[Workspace], current_workspace: Callable[[], Workspace]) -> None:
    """Register completions.

    Args:
        server: Server.
        current_workspace: Returns the workspace of the call.
    """

    @server.completion()  # type: ignore[no-untyped-call, untyped-decorator]
    async def complete(
        ref: PromptReference | ResourceTemplateReference,
        argument: CompletionArgument,
        context: CompletionContext | None,  # noqa: ARG001
    ) -> Completion | None:
        target = ref.name if isinstance(ref, PromptReference) else ref.uri
        if target not in _COMPLETABLE:
            raise MCPError(
                INVALID_PARAMS, error_text(f"nothing can be completed in {target!r}: there is no such thing")
            )
        if argument.name != "collection":
            return None
        try:
            names = await current_workspace().collections.names()
        except WarmerError as error:
            raise MCPError(INTERNAL_ERROR, error_text(str(error))) from error
        return _matching(names, argument.value.casefold())


def _matching(names: list[str], typed: str) -> Completion:
    """Return names that begin with the text typed, then those that contain it elsewhere."""
    found = [name for name in names if typed in name.casefold()]
    found.sort(key=lambda name: not name.casefold().startswith(typed))
    return Completion(values=found[:_MAX_VALUES], total=len(found), has_more=len(found) > _MAX_VALUES)
