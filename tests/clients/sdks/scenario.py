"""What every SDK is asked to do with the tools; runs in the environment of each, so on the standard library alone."""

import json
import re
import sys
from collections.abc import Awaitable, Callable
from typing import Any

Call = Callable[[str, dict[str, Any]], Awaitable[str]]

QUERY = "How do I make a token?"
NULLS = ("rewordings", "hypothetical_passage", "avoid", "search_id", "collection", "limit", "filter", "read", "detail")
DEFAULTS = {"rewordings": [], "hypothetical_passage": "", "avoid": [], "search_id": "", "collection": "", "limit": 15}
FORMS: dict[str, Any] = {
    "list of objects": [{"hit": 1, "score": 9}, {"hit": 2, "score": 0}],
    "object": {"1": 9, "2": 0},
    "keys hit_1": {"hit_1": 9, "hit_2": 0},
    "in order": [9, 0],
    "text": '{"1": 9, "2": 0}',
}


def server() -> dict[str, Any]:
    """Return how to start the server: its command and its environment."""
    told: dict[str, Any] = json.loads(sys.argv[1])
    return told


async def play(call: Call) -> dict[str, str]:
    """Use the tools, and say of each thing what is wrong with what the model would read; nothing if it is right."""
    told: dict[str, str] = {}
    found = await _tried(call, "search", {"query": QUERY})
    handle = re.search(r"s_[\w-]{22}", found)
    told["search"] = "" if handle and "token" in found and "next" in found else found
    told["null"] = _unless('"hits"', await _tried(call, "search", {"query": QUERY, **dict.fromkeys(NULLS)}))
    told["defaults"] = _unless('"hits"', await _tried(call, "search", {"query": QUERY, **DEFAULTS}))
    own = await _tried(call, "search", {"query": QUERY, "explanation": "for the user", "wait_for_previous": False})
    told["additions"] = _unless("(ignored: explanation, wait_for_previous)", own)
    for name, scores in FORMS.items():
        again = re.search(r"s_[\w-]{22}", await _tried(call, "search", {"query": QUERY}))
        sent = {"search_id": again[0] if again else "", "scores": scores}
        told[f"scores, {name}"] = _unless("steered", await _tried(call, "give_feedback", sent))
    refused = await _tried(call, "search", {"query": QUERY, "limit": 99})
    told["refusal"] = _unless("Error: limit is 99", refused)
    empty = await _tried(
        call, "give_feedback", {"search_id": handle[0] if handle else "", "scores": [], "avoid": ["x"], "limit": 0}
    )
    told["nothing"] = _unless("It is kept", empty)
    return told


def say(told: dict[str, Any]) -> None:
    """Report to the process that started this one."""
    sys.stdout.write(json.dumps(told))


async def _tried(call: Call, tool: str, arguments: dict[str, Any]) -> str:
    try:
        return (await call(tool, arguments)).replace('\\"', '"')
    except Exception as error:  # noqa: BLE001  an SDK may refuse a call itself
        return f"{type(error).__name__}: {error}"


def _unless(wanted: str, text: str) -> str:
    return "" if wanted in text else text[:300]
