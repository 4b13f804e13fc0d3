"""What works on a server at once: agents that search and score, one that trains, and one that indexes anew."""

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

_TRAINED_EVERY = 5.0
_SECTIONS = 50


@dataclass
class Noted:
    """What happened.

    Attributes:
        connected: Agents that have searched once, which is not counted.
        seconds: Tool -> how long its calls took.
        calls: Calls of each agent that were answered.
        errors: What was refused or failed, and how often.
        trainings: How trainings ended.
        indexed: Runs of `warmer index` that ended well.
    """

    connected: set[int] = field(default_factory=set)
    seconds: dict[str, list[float]] = field(default_factory=lambda: {"search": [], "give_feedback": []})
    calls: Counter[int] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    trainings: Counter[str] = field(default_factory=Counter)
    indexed: int = 0


async def work(url: str, noted: Noted, number: int, queries: Sequence[str], ready: anyio.Event) -> None:
    """Search and score until cancelled; a connection that breaks is counted and made again."""
    rng = random.Random(number)  # noqa: S311
    noted.calls[number] = 0
    while True:
        try:
            async with Client(url) as client:
                await client.call_tool("search", {"query": rng.choice(queries)})
                noted.connected.add(number)
                await ready.wait()
                while True:
                    await _round(client, noted, number, rng, queries)
        except (MCPError, ExceptionGroup, OSError) as error:
            noted.errors[_said(error)] += 1
            await anyio.sleep(0.1)


async def _round(client: Client, noted: Noted, number: int, rng: random.Random, queries: Sequence[str]) -> None:
    found = await _call(client, noted, number, "search", {"query": rng.choice(queries)})
    if not found:
        return
    scores = {str(hit["hit"]): rng.randint(0, 10) for hit in found["hits"]}
    await _call(client, noted, number, "give_feedback", {"search_id": found["search_id"], "scores": scores})


async def _call(
    client: Client, noted: Noted, number: int, tool: str, arguments: Mapping[str, Any]
) -> dict[str, Any] | None:
    begun = perf_counter()
    result = await client.call_tool(tool, dict(arguments))
    if result.is_error:
        noted.errors[f"{tool}: {' '.join(getattr(block, 'text', '') for block in result.content)[:200]}"] += 1
        return None
    noted.seconds[tool].append(perf_counter() - begun)
    noted.calls[number] += 1
    reply: dict[str, Any] | None = result.structured_content
    return reply


async def train(url: str, noted: Noted) -> None:
    """Train on what the agents scored, over and over, until cancelled."""
    while True:
        try:
            async with Client(url) as client:
                while True:
                    result = await client.call_tool("train_params", {"wait_seconds": 30})
                    noted.trainings[str((result.structured_content or {"status": "refused"})["status"])] += 1
                    await anyio.sleep(_TRAINED_EVERY)
        except (MCPError, ExceptionGroup, OSError) as error:
            noted.errors[_said(error)] += 1
            await anyio.sleep(0.1)


async def index(settings: Mapping[str, str], noted: Noted, folder: Path, collection: str) -> None:
    """Change a document and run `warmer index`, over and over, until cancelled."""
    while True:
        sections = (f"## Section {n}\n\nWritten in run {noted.indexed}.\n" for n in range(_SECTIONS))
        text = "# Changing\n\n" + "\n".join(sections)
        await anyio.Path(folder / "changing.md").write_text(text, encoding="utf-8")
        command = [*COMMAND, "index", str(folder), "--collection", collection]
        done = await anyio.run_process(command, env=settings, check=False)
        if done.returncode:
            noted.errors[f"index: {done.stderr.decode(errors='replace').strip()[-200:]}"] += 1
        else:
            noted.indexed += 1


def _said(error: BaseException) -> str:
    cause = innermost(error)
    return f"{type(cause).__name__}: {cause}"[:200]
