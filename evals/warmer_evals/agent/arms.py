"""The arms of a living agent: the tools it has in each, and their descriptions."""

import copy
import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mcp.types import Tool

_THREAD = {  # parameters of a tool for threads and skimmed lists
    "search": ("rewordings", "hypothetical_passage", "avoid", "search_id", "read", "detail"),
    "give_feedback": ("rewordings", "avoid", "detail"),
}
_TELLING = re.compile("[a-z]+_[a-z_]+|rewordings")  # names that are no ordinary words
_FEW = 5
_USUAL = 15  # of the server


@dataclass(frozen=True, slots=True)
class Arm:
    """The tools of an arm.

    Attributes:
        tools: The server's tools that it may call.
        whole: Whether it is shown whole passages, few at a time, and every wording is a search of its own; otherwise
            it has threads, and lists to skim.
    """

    tools: tuple[str, ...]
    whole: bool

    def hidden(self, tool: str) -> tuple[str, ...]:
        """Return the parameters of a tool that the arm leaves out."""
        return _THREAD.get(tool, ()) if self.whole else ()

    def fixed(self) -> dict[str, Any]:
        """Return the arguments added to every call."""
        return {"detail": "full"} if self.whole else {}

    def offer(self, tools: Mapping[str, Tool]) -> list[Tool]:
        """Return the tools of the arm, described without what it leaves out."""
        return [self._described(tools[name], tools) for name in self.tools]

    def says(self, text: str, tools: Mapping[str, Tool], tool: str) -> bool:
        """Return whether a text can be shown: it names nothing that the arm leaves out."""
        absent = {name for name in tools if name not in self.tools}
        absent |= {name for name in self.hidden(tool) if _TELLING.fullmatch(name)}
        return not any(name in text for name in absent)

    def _described(self, tool: Tool, tools: Mapping[str, Tool]) -> Tool:
        """Remove the parameters that the arm leaves out, and the paragraphs that name what it leaves out."""
        paragraphs = inspect.cleandoc(tool.description or "").split("\n\n")
        told = "\n\n".join(paragraph for paragraph in paragraphs if self.says(paragraph, tools, tool.name))
        schema = copy.deepcopy(tool.input_schema)
        for name in self.hidden(tool.name):
            schema["properties"].pop(name, None)
        limit = schema["properties"]["limit"]
        limit["default"] = _FEW if self.whole else _USUAL
        limit["description"] = limit["description"].replace(f"{_USUAL} if", f"{limit['default']} if")
        return tool.model_copy(update={"description": told, "input_schema": schema})


ARMS = {
    "search": Arm(("search",), whole=True),
    "feedback": Arm(("search", "give_feedback"), whole=True),
    "thread": Arm(("search", "give_feedback"), whole=False),
}
