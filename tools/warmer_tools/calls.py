"""One log line a tool call, with what came of it; nothing in it is the text of a query or of a passage."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from time import perf_counter
from typing import Any

from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import CallToolResult

from warmer_tools.stopwatch import stopwatch

_log = logging.getLogger(__name__)
_KNOWN = 8  # characters of a handle: enough to find a call by, and 92 random bits short of one that can be used


@contextmanager
def logged(tool: str, arguments: Mapping[str, Any]) -> Iterator[list[CallToolResult]]:
    """Log a call when the block ends; what it answered is put into the list.

    `facts` of the log record are for everybody, `private` is what a log has only if that was asked for.
    """
    replies: list[CallToolResult] = []
    asked = arguments.get("collection") if isinstance(arguments.get("collection"), str) else None
    private = {"query": arguments.get("query")}
    began, outcome = perf_counter(), {}
    with stopwatch() as spent:
        try:
            yield replies
        except BaseException as error:
            cause = _cause(error)
            outcome = {"outcome": "error", "error": type(cause).__name__}
            private["detail"] = str(cause)
            raise
        finally:
            said = getattr(replies[0], "structured_content", None) or {} if replies else {}
            facts = {
                "tool": tool,
                "collection": spent.about.get("collection") or asked,
                **({"outcome": said.get("outcome", "ok")} | outcome),
                "hits": len(said["hits"]) if "hits" in said else None,
                "search_id": known(said.get("search_id") or arguments.get("search_id")),
                "job_id": known(said.get("job_id") or arguments.get("job_id")),
                "ms": _ms(perf_counter() - began),
                "stages": {name: _ms(seconds) for name, seconds in spent.seconds.items()},
            }
            _log.info("call", extra={"facts": facts, "private": private})


def known(handle: object) -> str | None:
    """Shorten a handle, which is a secret, to what it can be recognised by."""
    return f"{handle[:_KNOWN]}…" if isinstance(handle, str) and handle else None


def _cause(error: BaseException) -> BaseException:
    """Find what a refusal is about."""
    while isinstance(error, ToolError) and error.__cause__:
        error = error.__cause__
    return error


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)
