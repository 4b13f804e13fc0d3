"""What there is to find, in the description of `search`: one's own sentence, or what the collections hold."""

from collections import Counter
from time import monotonic
from typing import Any

import anyio
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.types import ListToolsResult

from warmer.errors import WarmerError
from warmer.index import Index
from warmer.sanitize import one_line
from warmer_tools.workspace import Workspace

OPENING = "Search a Qdrant collection of documents."  # of the description; one's own sentence takes its place
MOST = 300  # characters that tell of the collections
_SECONDS = 0.5  # that a list of tools may wait for them
_KEPT, _CALLERS = 300.0, 1000  # seconds; callers for whom it is kept
_TITLES, _TITLE = 3, 40  # of a collection; characters of one


class About:
    """MCP middleware that completes the description of `search`.

    Args:
        tool: Its name.
        sentence: One's own; empty for what the collections hold.
    """

    def __init__(self, tool: str, sentence: str = "") -> None:
        self._tool = tool
        self._sentence = f"{sentence.rstrip('.')}." if sentence else ""
        self._known: dict[tuple[str, ...], tuple[float, str]] = {}

    async def __call__(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        """Pass a message on; tell in a list of tools what the caller can find."""
        result = await call_next(ctx)
        if ctx.method != "tools/list" or result is None:
            return result
        listed = result if isinstance(result, ListToolsResult) else ListToolsResult.model_validate(result)
        for tool in listed.tools:
            if tool.name == self._tool and tool.description:
                own, held = self._sentence, "" if self._sentence else await self._held(ctx.lifespan_context)
                tool.description = tool.description.replace(OPENING, own or " ".join(filter(None, [OPENING, held])))
        return listed

    async def _held(self, workspace: Workspace) -> str:
        """Tell what the caller's collections hold; nothing where that takes too long, or fails."""
        try:
            with anyio.move_on_after(_SECONDS):
                names = await workspace.collections.names()
                seen = (workspace.owner, *names)
                expires, text = self._known.get(seen, (0.0, ""))
                if monotonic() < expires:
                    return text
                text = await _describe(workspace, names)
                if len(self._known) >= _CALLERS:
                    self._known.clear()
                self._known[seen] = monotonic() + _KEPT, text
                return text
        except WarmerError:
            pass
        return ""


async def _describe(workspace: Workspace, names: list[str]) -> str:
    said: list[str] = []
    for number, name in enumerate(names):
        try:
            one = await _describe_one(name, await workspace.collections.find(name))
        except WarmerError:
            one = one_line(name)
        if len("; ".join([*said, one])) > MOST:
            said.append(f"{len(names) - number} more")
            break
        said.append(one)
    return f"Collections: {'; '.join(said)}." if said else ""


async def _describe_one(name: str, index: Index) -> str:
    points = (await index.info()).points
    titles = [str(payload.get("title") or "").partition(" > ")[0] for payload in await index.sample()]
    common = [f'"{_short(title)}"' for title, _ in Counter(filter(None, titles)).most_common(_TITLES)]
    size = [f"{points:,} passages"] if points else []
    inside = ": ".join([*size, ", ".join(common)] if common else size)
    return f"{one_line(name)} ({inside})" if inside else one_line(name)


def _short(title: str) -> str:
    plain = one_line(title).replace('"', "'").strip()
    return plain if len(plain) <= _TITLE else plain[: _TITLE - 1].rstrip() + "…"
