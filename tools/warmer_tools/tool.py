"""How a function becomes a tool: unknown arguments refused, errors spoken plainly, calls logged."""

import inspect
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError, UnexpectedToolError
from mcp.server.mcpserver.tools import Tool
from mcp.types import ToolAnnotations
from pydantic import BeforeValidator, ValidationError

from warmer.errors import WarmerError
from warmer.sanitize import error_text
from warmer_tools.arguments import wrong_arguments
from warmer_tools.calls import logged
from warmer_tools.workspace import Workspace

ToolContext = Context[Workspace]
NoText = BeforeValidator(lambda value: "" if value is None else value)  # clients send null for what is left out
NoObject = BeforeValidator(lambda value: {} if value is None else value)
NoList = BeforeValidator(lambda value: [] if value is None else value)

_log = logging.getLogger(__name__)


class SpokenTool(Tool):
    """A tool whose refusals are plain and short, and whose calls are logged."""

    async def run(self, arguments: dict[str, Any], context: Any, convert_result: bool = False) -> Any:  # noqa: ANN401
        """Run the tool with arguments."""
        with logged(self.name, arguments) as replies:
            try:
                replies.append(await super().run(arguments, context, convert_result))
            except UnexpectedToolError:
                raise
            except ToolError as error:
                cause = error.__cause__
                said = wrong_arguments(cause, self.parameters) if isinstance(cause, ValidationError) else str(error)
                raise ToolError(error_text(said)) from cause
        return replies[0]


def make_tool(fn: Callable[..., Any], title: str, annotations: ToolAnnotations) -> Tool:
    """Make a tool that refuses arguments it does not know, where the SDK would ignore them, in few words."""
    # Before Python 3.13 a docstring keeps its indentation, which a client would be sent.
    description = inspect.cleandoc(fn.__doc__ or "")
    tool = SpokenTool.from_function(fn, title=title, description=description, annotations=annotations)
    arguments = tool.fn_metadata.arg_model
    arguments.model_config["extra"] = "forbid"
    arguments.model_rebuild(force=True)
    tool.parameters = _untitled(tool.parameters) | {"additionalProperties": False}
    tool.fn_metadata.output_schema = _untitled(tool.fn_metadata.output_schema)
    return tool


def _untitled(schema: Any) -> Any:  # noqa: ANN401  any JSON
    """Leave out the titles of a schema, which repeat the names: a tenth of what a client is sent."""
    if isinstance(schema, dict):
        return {
            name: {field: _untitled(one) for field, one in value.items()}
            if name in {"properties", "$defs"}
            else _untitled(value)
            for name, value in schema.items()
            if name != "title"
        }
    return [_untitled(one) for one in schema] if isinstance(schema, list) else schema


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
