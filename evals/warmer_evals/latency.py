"""How long a server takes to start and to answer: `python -m warmer_evals.latency COLLECTION`.

It starts `warmer serve` on the default data directory and talks to it over stdio, as a client does. It prints medians
in milliseconds, as JSON.
"""

import asyncio
import json
import os
import sys
from statistics import median
from time import perf_counter

from mcp import Client, StdioServerParameters

_STARTS = 7
_CALLS = 100
_SUBJECTS = ("files", "threads", "classes", "exceptions", "sockets", "dates", "strings", "tests", "logs", "iterators")
_SCORES = {"1": 9, "2": 0, "3": 4, "4": 7, "5": 1}


async def measure(collection: str) -> dict[str, float]:
    """Start servers, then search and score with one of them."""
    server = StdioServerParameters(
        command=sys.executable, args=["-m", "warmer_server.cli", "serve"], env=dict(os.environ)
    )
    handshakes, firsts = zip(*[await _start(server, collection) for _ in range(_STARTS)], strict=True)
    searches, feedbacks = [], []
    async with Client(server) as client:
        for call in range(_CALLS + 1):
            query = f"how do {_SUBJECTS[call % len(_SUBJECTS)]} work, case {call}"
            begun = perf_counter()
            found = await client.call_tool("search", {"query": query, "collection": collection})
            searched = perf_counter()
            assert found.structured_content
            arguments = {"search_id": found.structured_content["search_id"], "scores": _SCORES}
            await client.call_tool("give_feedback", arguments)
            if call:  # the first waits for the model
                searches.append(searched - begun)
                feedbacks.append(perf_counter() - searched)
    figures = {
        "spawn to handshake": handshakes,
        "spawn to first search result": firsts,
        "search, warm": searches,
        "give_feedback, warm, 5 scores": feedbacks,
    }
    return {name: round(median(seconds) * 1000, 1) for name, seconds in figures.items()}


async def _start(server: StdioServerParameters, collection: str) -> tuple[float, float]:
    begun = perf_counter()
    async with Client(server) as client:
        handshake = perf_counter() - begun
        await client.call_tool("search", {"query": "first", "collection": collection})
        return handshake, perf_counter() - begun


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(measure(sys.argv[1])), indent=1) + "\n")
