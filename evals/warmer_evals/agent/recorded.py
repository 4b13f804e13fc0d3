"""The evaluation with a recorded agent: its words and scores are played over MCP in each arm."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from statistics import mean
from typing import Any

from warmer import __version__
from warmer_evals import EvalError
from warmer_evals.agent import players
from warmer_evals.agent.budgets import Budget, Ledger
from warmer_evals.agent.playing import Play
from warmer_evals.agent.questions import choose_questions
from warmer_evals.agent.records import Record, Records
from warmer_evals.agent.scoring import Kind, Scores, load_scores
from warmer_evals.agent.server import Server, serve
from warmer_evals.agent.shown import Played, summarise_shown
from warmer_evals.beir import Dataset
from warmer_evals.rounding import rounded

FULL, SKIM = "full", ""

_PASSAGES = {
    "search": (players.search, FULL),
    "reword": (players.reword, FULL),
    "feedback": (players.feedback, FULL),
    "thread": (players.thread, FULL),
    "fused": (players.fused, FULL),
}
_CHARACTERS = _PASSAGES | {"reword_skim": (players.reword, SKIM), "thread": (players.thread, SKIM)}
_SKIM = 200  # expected characters of a hit to skim, until one was seen


def run_recorded(
    dataset: Dataset,
    data_dir: Path,
    collection: str,
    records: Records,
    *,
    scores: Kind,
    model: str,
    split: str,
    budget: Budget,
    n: int,
    ids_only: bool,
    limit: int | None,
    progress: Callable[[int, int], None],
) -> dict[str, Any]:
    """Play the records of a dataset's questions in each arm, and compare what is shown.

    Args:
        dataset: The documents that the collection was made from, and the judgments.
        data_dir: Where the collection is.
        collection: Its name; each passage's `source` is the id of its document.
        records: What was said for the dataset's queries.
        scores: Who scores what is shown.
        model: What embeds queries, as EMBEDDING_MODEL names it.
        split: Which judgments; empty for those that the dataset chooses.
        budget: What may be shown for a question.
        n: How deep the best order of what was shown is measured.
        ids_only: Whether to leave all texts out of the report.
        limit: How many questions are played at most, the first ones; None for all.
        progress: Called with the number of plays since the last call, and of all.

    Raises:
        EvalError: The dataset, the records or the server cannot be used; it says what to do.
    """
    split, questions, _ = choose_questions(dataset, split, n, None)
    judged = {question.id for question in questions}
    played = [record for id_, record in records.of.items() if id_ in judged][:limit]
    if not played:
        raise EvalError(
            f"qrels/{split}.tsv judges none of the {len(records.of)} queries of {records.path}: choose another --split"
        )
    scoring = load_scores(scores, dataset, split)
    serving = serve(data_dir, collection, model)
    rows = asyncio.run(_play(serving, dataset, played, scoring, budget, progress))
    report = {
        "kind": "agent",
        "version": __version__,
        "dataset": dataset.name,
        "agent": f"recorded:{records.path.name}",
        "scores": scores,
        "budget": budget.amount,
        "unit": budget.unit,
        "n": n,
        "recorded": {
            "records": len(records.of),
            "not_judged": len(records.of.keys() - judged),
            "scores_recorded": len(scoring.recorded),
            "scores_drawn": len(scoring.drawn),
        },
        **summarise_shown(dataset, dataset.qrels[split], rows, n=n, ids_only=ids_only),
    }
    made: dict[str, Any] = rounded(report)
    return made


async def _play(
    serving: AbstractAsyncContextManager[Server],
    dataset: Dataset,
    records: Sequence[Record],
    scores: Scores,
    budget: Budget,
    progress: Callable[[int, int], None],
) -> dict[str, list[Played]]:
    """Play question by question; return arm -> a row for each record."""
    arms = _PASSAGES if budget.unit == "passages" else _CHARACTERS
    expected = {FULL: mean(len(document.text) for document in dataset.documents.values()), SKIM: _SKIM}
    rows: dict[str, list[Played]] = {arm: [] for arm in arms}
    async with serving as server:
        for record in records:
            for arm, (player, detail) in arms.items():
                play = Play(server, dataset.documents, Ledger(budget, expected[detail]), detail)
                await player(play, record, scores)
                rows[arm].append(Played.of(record, play))
                progress(1, len(records) * len(arms))
    return rows
