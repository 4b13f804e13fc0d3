"""How a function becomes a tool: arguments taken as they come, errors spoken plainly, calls logged."""

import inspect
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, Self

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError, UnexpectedToolError
from mcp.server.mcpserver.tools import Tool
from mcp.types import ToolAnnotations
from pydantic import ValidationError

from warmer.errors import WarmerError
from warmer.sanitize import error_text
from warmer_tools.arguments import also_ignored, as_meant, ignored, wrong_arguments
from warmer_tools.calls import logged
from warmer_tools.prefix import prefix, prefixed
from warmer_tools.schemas import plain_schema
from warmer_tools.slips import keep
from warmer_tools.workspace import Workspace

ToolContext = Context[Workspace]

_log = logging.getLogger(__name__)


class SpokenTool(Tool):
    """A tool that takes arguments as they come, whose refusals are plain and short, and whose calls are logged.

    Attributes:
        before: What its name has before its own.
    """

    before: str = ""

    def under(self, before: str) -> Self:
        """Return the tool under a name with a prefix, which its description uses too."""
        described = prefixed(self.description, before)
        return self.model_copy(update={"name": before + self.name, "description": described, "before": before})

    async def run(self, arguments: dict[str, Any], context: Any, convert_result: bool = False) -> Any:  # noqa: ANN401
        """Run the tool with arguments."""
        with logged(self.name, arguments) as replies:
            meant, added = as_meant(arguments, self.parameters["properties"])
            tokens = ignored.set(tuple(added)), prefix.set(self.before)
            try:
                replies.append(await super().run(meant, context, convert_result))
            except UnexpectedToolError:
                raise
            except ToolError as error:
                said = prefixed(self._said(error), self.before)
                raise ToolError(error_text(said) + error_text(also_ignored())) from error.__cause__
            finally:
                ignored.reset(tokens[0])
                prefix.reset(tokens[1])
        return replies[0]

    def _said(self, error: ToolError) -> str:
        if isinstance(error.__cause__, ValidationError):
            return wrong_arguments(error.__cause__, self.parameters)
        return str(error).removeprefix(f"Error executing tool {self.name}: ")


def make_tool(fn: Callable[..., Any], title: str, annotations: ToolAnnotations) -> SpokenTool:
    """Make a tool that refuses slips for its arguments, where the SDK would ignore them, in few words."""
    # Before Python 3.13 a docstring keeps its indentation, which a client would be sent.
    description = inspect.cleandoc(fn.__doc__ or "")
    tool = SpokenTool.from_function(fn, title=title, description=description, annotations=annotations)
    assert isinstance(tool, SpokenTool)
    arguments = tool.fn_metadata.arg_model
    arguments.model_config["extra"] = "forbid"
    arguments.model_rebuild(force=True)
    tool.parameters = plain_schema(tool.parameters)
    keep(tool.parameters["properties"])
    tool.fn_metadata.output_schema = plain_schema(tool.fn_metadata.output_schema or {})
    return tool


@contextmanager
def spoken_errors() -> Iterator[None]:
    """Turn what went wrong into a message for the agent; a bug is logged, and said to be one."""
    try:
        yield
    except WarmerError as error:
        raise ToolError(str(error)) from error
    except Exception as error:
        _log.exception("unexpected error")
        raise ToolError(f"a bug in warmer: {type(error).__name__}; the server's log on stderr has more") from error


def reporter(ctx: ToolContext) -> Callable[[float], Awaitable[None]]:
    """Report the seconds spent waiting for the model as progress."""

    async def report(seconds: float) -> None:
        await ctx.report_progress(seconds, None, "loading the embedding model")

    return report
