"""Agents that search and score on one server, and the count of what happens there."""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import anyio
from mcp import Client, MCPError

from warmer.errors import innermost


@dataclass
class Tally:
    """Counts and times of everything that happened on the server.

    Attributes:
        started: When the agents began, on `perf_counter`'s clock.
        connected: Numbers of the agents whose first search, a warm-up that is not counted, was answered.
        seconds: Tool -> when each answered call began, on the same clock, and how long it took.
        calls: Agent -> answered calls.
        errors: Message -> how often it occurred.
        trainings: Status -> trainings that ended with it.
        runs: Command of `warmer` -> its successful runs.
    """

    started: float = 0.0
    connected: set[int] = field(default_factory=set)
    seconds: dict[str, list[tuple[float, float]]] = field(default_factory=lambda: {"search": [], "give_feedback": []})
    calls: Counter[int] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    trainings: Counter[str] = field(default_factory=Counter)
    runs: Counter[str] = field(default_factory=Counter)

    def count(self, error: BaseException) -> None:
        """Count what broke a connection."""
        cause = innermost(error)
        self.errors[f"{type(cause).__name__}: {cause}"[:200]] += 1


async def work(url: str, tally: Tally, number: int, queries: Sequence[str], ready: anyio.Event, thought: float) -> None:
    """Search and score until cancelled; count broken connections as errors and reconnect.

    Args:
        url: Endpoint of the server.
        tally: Where it counts.
        number: The agent's; its choices depend on nothing else.
        queries: What it asks.
        ready: Set when all agents may begin.
        thought: Mean of the seconds that the agent thinks before each call.
    """
    rng = random.Random(number)  # noqa: S311
    tally.calls[number] = 0
    while True:
        try:
            async with Client(url) as client:
                await client.call_tool("search", {"query": rng.choice(queries)})
                tally.connected.add(number)
                await ready.wait()
                while True:
                    await _round(client, tally, number, rng, queries, thought)
        except (MCPError, ExceptionGroup, OSError) as error:
            tally.count(error)
            await anyio.sleep(0.1)


async def _round(
    client: Client, tally: Tally, number: int, rng: random.Random, queries: Sequence[str], thought: float
) -> None:
    await anyio.sleep(rng.uniform(0, 2 * thought))
    found = await _call(client, tally, number, "search", {"query": rng.choice(queries)})
    if not found:
        return
    scores = {str(hit["hit"]): rng.randint(0, 10) for hit in found["hits"]}
    await anyio.sleep(rng.uniform(0, 2 * thought))
    await _call(client, tally, number, "give_feedback", {"search_id": found["search_id"], "scores": scores})


async def _call(
    client: Client, tally: Tally, number: int, tool: str, arguments: Mapping[str, Any]
) -> dict[str, Any] | None:
    started = perf_counter()
    result = await client.call_tool(tool, dict(arguments))
    if result.is_error:
        tally.errors[f"{tool}: {' '.join(getattr(block, 'text', '') for block in result.content)[:200]}"] += 1
        return None
    tally.seconds[tool].append((started, perf_counter() - started))
    tally.calls[number] += 1
    reply: dict[str, Any] | None = result.structured_content
    return reply
