"""Tools under names with a prefix, so that several servers can be in one client."""

import re
from contextvars import ContextVar

prefix: ContextVar[str] = ContextVar("prefix", default="")  # of the present call's tool
_TOOLS = re.compile(r"\b(?:give_feedback|train_params)\b|\bsearch(?=\()|(?<=\b[Cc]all )search\b")


def prefixed(text: str, before: str) -> str:
    """Put a prefix before each name of a tool in a text of ours."""
    return _TOOLS.sub(lambda name: before + name[0], text) if before else text
