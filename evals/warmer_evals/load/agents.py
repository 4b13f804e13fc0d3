"""Concurrent work on a server: agents that search and score, a trainer, and an indexer."""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

import anyio
from mcp import Client, MCPError

from warmer.errors import innermost
from warmer_evals.load.server import COMMAND

_TRAINING_INTERVAL = 5.0
_SECTIONS = 50


@dataclass
class Tally:
    """Counts and times of everything that happened on the server.

    Attributes:
        connected: Numbers of the agents whose first search, a warm-up that is not counted, was answered.
        seconds: Tool -> duration of each answered call.
        calls: Agent -> answered calls.
        errors: Message -> how often it occurred.
        trainings: Status -> trainings that ended with it.
        indexed: Successful runs of `warmer index`.
    """

    connected: set[int] = field(default_factory=set)
    seconds: dict[str, list[float]] = field(default_factory=lambda: {"search": [], "give_feedback": []})
    calls: Counter[int] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    trainings: Counter[str] = field(default_factory=Counter)
    indexed: int = 0


async def work(url: str, tally: Tally, number: int, queries: Sequence[str], ready: anyio.Event) -> None:
    """Search and score until cancelled; count broken connections as errors and reconnect."""
    rng = random.Random(number)  # noqa: S311
    tally.calls[number] = 0
    while True:
        try:
            async with Client(url) as client:
                await client.call_tool("search", {"query": rng.choice(queries)})
                tally.connected.add(number)
                await ready.wait()
                while True:
                    await _round(client, tally, number, rng, queries)
        except (MCPError, ExceptionGroup, OSError) as error:
            tally.errors[_message(error)] += 1
            await anyio.sleep(0.1)


async def _round(client: Client, tally: Tally, number: int, rng: random.Random, queries: Sequence[str]) -> None:
    found = await _call(client, tally, number, "search", {"query": rng.choice(queries)})
    if not found:
        return
    scores = {str(hit["hit"]): rng.randint(0, 10) for hit in found["hits"]}
    await _call(client, tally, number, "give_feedback", {"search_id": found["search_id"], "scores": scores})


async def _call(
    client: Client, tally: Tally, number: int, tool: str, arguments: Mapping[str, Any]
) -> dict[str, Any] | None:
    started = perf_counter()
    result = await client.call_tool(tool, dict(arguments))
    if result.is_error:
        tally.errors[f"{tool}: {' '.join(getattr(block, 'text', '') for block in result.content)[:200]}"] += 1
        return None
    tally.seconds[tool].append(perf_counter() - started)
    tally.calls[number] += 1
    reply: dict[str, Any] | None = result.structured_content
    return reply


async def train(url: str, tally: Tally) -> None:
    """Train on the agents' scores in a loop until cancelled."""
    while True:
        try:
            async with Client(url) as client:
                while True:
                    result = await client.call_tool("train_params", {"wait_seconds": 30})
                    tally.trainings[str((result.structured_content or {"status": "refused"})["status"])] += 1
                    await anyio.sleep(_TRAINING_INTERVAL)
        except (MCPError, ExceptionGroup, OSError) as error:
            tally.errors[_message(error)] += 1
            await anyio.sleep(0.1)


async def index(settings: Mapping[str, str], tally: Tally, folder: Path, collection: str) -> None:
    """Change a document and run `warmer index` on its folder, in a loop until cancelled."""
    while True:
        sections = (f"## Section {n}\n\nWritten in run {tally.indexed}.\n" for n in range(_SECTIONS))
        text = "# Changing\n\n" + "\n".join(sections)
        await anyio.Path(folder / "changing.md").write_text(text, encoding="utf-8")
        command = [*COMMAND, "index", str(folder), "--collection", collection]
        done = await anyio.run_process(command, env=settings, check=False)
        if done.returncode:
            tally.errors[f"index: {done.stderr.decode(errors='replace').strip()[-200:]}"] += 1
        else:
            tally.indexed += 1


def _message(error: BaseException) -> str:
    cause = innermost(error)
    return f"{type(cause).__name__}: {cause}"[:200]
