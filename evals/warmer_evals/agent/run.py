"""The evaluation with a living agent: every question in each arm, over one session with one server."""

import asyncio
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path
from typing import Any

from warmer import __version__
from warmer.judges import DEFAULT_CLAUDE_MODEL, install_hint
from warmer_evals import EvalError
from warmer_evals.agent import Agent
from warmer_evals.agent.arms import ARMS
from warmer_evals.agent.budgets import Budget
from warmer_evals.agent.episode import Episode, Question
from warmer_evals.agent.questions import choose_questions
from warmer_evals.agent.scoring import oracle
from warmer_evals.agent.scripted import ScriptedAgent
from warmer_evals.agent.server import Server, serve
from warmer_evals.agent.summary import summarise
from warmer_evals.agent.transcript import Row, Transcript
from warmer_evals.beir import Dataset

Progress = Callable[[int, int], None]
Transcripts = Mapping[str, Transcript]


def run_agents(
    dataset: Dataset,
    data_dir: Path,
    collection: str,
    spec: str,
    *,
    model: str,
    split: str,
    budget: Budget,
    n: int,
    out: Path,
    ids_only: bool,
    limit: int | None,
    progress: Progress,
) -> dict[str, Any]:
    """Put the questions of a dataset to an agent in each arm, and compare its answers.

    What is done is kept under `out`/transcripts, with the texts that were shown; called again with the same arguments,
    this goes on from there.

    Args:
        dataset: The documents that the collection was made from, and what is asked.
        data_dir: Where the collection is.
        collection: Its name; each passage's `source` is the id of its document.
        spec: The agent: `scripted`, `claude` or `claude:<model>`.
        model: What embeds queries, as EMBEDDING_MODEL names it.
        split: Which judgments; empty for those that the dataset chooses.
        budget: What the agent may be shown for a question.
        n: How many documents an answer has at most.
        out: Folder for transcripts.
        ids_only: Whether to leave all texts out of the report.
        limit: How many questions are asked at most, the first ones; None for all.
        progress: Called with the number of answers since the last call, and of all, one a question and arm.

    Raises:
        EvalError: The dataset, the server, the agent or the transcripts cannot be used; it says what to do.
    """
    split, asked, without_relevant = choose_questions(dataset, split, n, limit)
    agent = load_agent(spec, dataset, split)
    about = {"dataset": dataset.name, "agent": agent.name, "budget": budget.amount, "unit": budget.unit, "n": n}
    header = {**about, "collection": collection, "judgments": _digest(dataset, split), "version": __version__}
    kept = {arm: Transcript(out / "transcripts" / f"{arm}.jsonl", {"arm": arm, **header}) for arm in ARMS}
    work = _ask(agent, dataset, partial(serve, data_dir, collection, model), asked, kept, budget, n, progress)
    asyncio.run(work)
    rows = {arm: transcript.rows for arm, transcript in kept.items()}
    report = summarise(dataset, dataset.qrels[split], asked, rows, n=n, ids_only=ids_only)
    return {"kind": "agent", **about, "without_relevant": without_relevant, **report}


def load_agent(spec: str, dataset: Dataset, split: str) -> Agent:
    """Load a living agent: `scripted`, `claude` or `claude:<model>`.

    Raises:
        EvalError: There is no such agent, or it lacks something it needs.
    """
    kind, _, model = spec.partition(":")
    if spec == "scripted":
        return ScriptedAgent(oracle(dataset, split))
    if spec == "claude" or (kind == "claude" and model):
        model = model or DEFAULT_CLAUDE_MODEL
        try:
            from warmer_evals.agent.claude import ClaudeAgent  # noqa: PLC0415  its package is an extra
        except ImportError as error:
            raise EvalError(f"the agent claude:{model} {install_hint(error)}") from error
        return ClaudeAgent(model)
    raise EvalError(f"there is no agent {spec!r}. An agent is scripted, claude or claude:<model>, or recorded:FILE")


async def _ask(
    agent: Agent,
    dataset: Dataset,
    serving: Callable[[], AbstractAsyncContextManager[Server]],
    questions: Sequence[Question],
    kept: Transcripts,
    budget: Budget,
    n: int,
    progress: Progress,
) -> None:
    """Ask what was not asked yet, question by question, so that a run that is broken off has every arm."""
    todo = [(question, arm) for question in questions for arm in kept if question.id not in kept[arm].rows]
    total = len(questions) * len(kept)
    if len(todo) < total:
        progress(total - len(todo), total)
    if not todo:
        return
    async with serving() as server:
        for question, arm in todo:
            episode = Episode(server, ARMS[arm], dataset.documents, budget=budget, n=n)
            outcome = await agent.find(question, episode)
            row = Row(
                id=question.id,
                answer=episode.answer or [],
                read=len(episode.read),
                characters=episode.ledger.characters,
                calls=episode.calls,
                rounds=[[(document, score) for document, score in hits] for hits in episode.rounds],
                **dict(outcome),
            )
            kept[arm].add(row)
            progress(1, total)


def _digest(dataset: Dataset, split: str) -> str:
    asked = json.dumps([dataset.queries, dict(dataset.qrels[split])], sort_keys=True)
    return hashlib.sha256(asked.encode()).hexdigest()[:12]
