"""Run an evaluation: every method on every query, after the same first hits are scored."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import anyio

from warmer.index import DenseQuery
from warmer_evals import budget
from warmer_evals.learning import learn, score_sample
from warmer_evals.methods import BUDGETED, Learned, Method, make_methods
from warmer_evals.retrieval import DEPTH, DocumentHit, Query, Retriever, ScoredHit
from warmer_evals.scores import Scores
from warmer_evals.subject import Subject
from warmer_evals.tutorial import Outcome, judge_list

Result = TypeVar("Result")
Progress = Callable[[str, int, int], None]

_OTHER_K = (1, 3, 5, 10)


@dataclass(frozen=True, slots=True)
class Setting:
    """The sizes of an evaluation.

    Attributes:
        k: How many first hits are scored.
        n: How many new hits are judged.
        budget: Total scores per query in the comparison at an equal number of scores.
        train_limit: Hits scored per training query.
    """

    k: int = 5
    n: int = 10
    budget: int = 15
    train_limit: int = 25


@dataclass(frozen=True, slots=True)
class Row:
    """One query after K scores.

    Attributes:
        query: Its id.
        seeds: The first hits of the dense list, scored.
        lists: Method -> ids of the documents that it retrieves next.
        scores: Document id -> score, for the first n of every list.
        outcomes: Method -> the tutorial's counts.
        texts: Document id -> title and text, for seeds and scored documents.
    """

    query: str
    seeds: list[tuple[str, float]]
    lists: dict[str, list[str]]
    scores: dict[str, float]
    outcomes: dict[str, Outcome]
    texts: dict[str, str]


@dataclass(frozen=True, slots=True)
class BudgetRow:
    """One query at an equal number of scores.

    Attributes:
        query: Its id.
        rounds: Method -> the scored documents after each round of k, best first.
        two_steps: Method -> the same, with all but the first k scored in one round.
    """

    query: str
    rounds: dict[str, list[list[str]]]
    two_steps: dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The results of an evaluation; `by_k` maps K to rows."""

    learned: list[Learned]
    rows: list[Row]
    by_k: dict[int, list[Row]] = field(default_factory=dict)
    budget_rows: list[BudgetRow] = field(default_factory=list)


async def evaluate(
    subject: Subject, queries: Mapping[str, Query], scores: Scores, setting: Setting, progress: Progress
) -> Evaluation:
    """Fit to the training queries, then compare the methods on the test queries.

    Raises:
        EvalError: The judge failed; its scores so far are kept.
    """
    retriever = Retriever(subject.index, subject.document)

    async def each(stage: str, ids: Iterable[str], work: Callable[[Query], Awaitable[Result]]) -> dict[str, Result]:
        return await _for_each(stage, [queries[id_] for id_ in ids], work, scores.workers, progress)

    training = dict.fromkeys(id_ for fold in subject.folds for id_ in fold.train)
    samples = await each(
        "training queries", training, lambda query: score_sample(retriever, scores, query, setting.train_limit)
    )
    learned = [learn([samples[id_] for id_ in fold.train]) for fold in subject.folds]
    methods = {
        id_: made
        for fold, numbers in zip(subject.folds, learned, strict=True)
        for made in [make_methods(retriever, numbers)]
        for id_ in fold.test
    }
    ids = [id_ for id_ in queries if id_ in methods]

    async def rows_at(k: int, depth: int) -> list[Row]:
        rows = await each(
            f"queries, K = {k}",
            ids,
            lambda query: _row(retriever, scores, methods[query.id], query, k, setting.n, depth),
        )
        return list(rows.values())

    rows = await rows_at(setting.k, DEPTH)
    budget_rows = await each(
        "rounds",
        ids if subject.qrels else (),
        lambda query: _budget_row(retriever, scores, methods[query.id], query, setting),
    )
    by_k = {k: rows if k == setting.k else await rows_at(k, setting.n) for k in _k_values(setting.k, scores)}
    return Evaluation(learned, rows, by_k, list(budget_rows.values()))


def _k_values(k: int, scores: Scores) -> list[int]:
    return sorted({k, *_OTHER_K}) if scores.free else [k]


async def _row(
    retriever: Retriever, scores: Scores, methods: Mapping[str, Method], query: Query, k: int, n: int, depth: int
) -> Row:
    first = await retriever.nearest(DenseQuery(query.vector), k)
    seed_scores = (await scores.score(query, first)).tolist()
    seeds = [ScoredHit(one.document, one.hit, score) for one, score in zip(first, seed_scores, strict=True)]
    retrieved = {method: await method.retrieve(query, seeds, depth) for method in set(methods.values())}
    lists = {name: retrieved[method] for name, method in methods.items()}
    union = {one.document: one for found in lists.values() for one in found[:n]}
    judged = dict(zip(union, (await scores.score(query, list(union.values()))).tolist(), strict=True))
    return Row(
        query=query.id,
        seeds=[(seed.document, seed.score) for seed in seeds],
        lists={name: [one.document for one in found] for name, found in lists.items()},
        scores=judged,
        outcomes={
            name: judge_list(seed_scores, [judged[one.document] for one in found[:n]], n)
            for name, found in lists.items()
            if seed_scores
        },
        texts={one.document: _text(one) for one in [*first, *union.values()]},
    )


async def _budget_row(
    retriever: Retriever, scores: Scores, methods: Mapping[str, Method], query: Query, setting: Setting
) -> BudgetRow:
    steps = budget.split_rounds(setting.k, setting.budget)
    lists = {
        hybrid: await budget.score_first_list(retriever, scores, query, setting.budget, hybrid=hybrid)
        for hybrid in (False, True)
    }
    rounds, two_steps = {}, {}
    for name, retrieving in BUDGETED.items():
        method = methods[retrieving]
        if name.startswith("rerank_only"):
            rounds[name] = budget.rank_prefixes(lists[method.hybrid], steps)
            two_steps[name] = rounds[name][-1]
            continue
        first = lists[method.hybrid][: steps[0]]
        rounds[name] = await budget.rank_rounds(scores, method, query, first, steps[1:])
        *_, two_steps[name] = await budget.rank_rounds(scores, method, query, first, [sum(steps[1:])])
    return BudgetRow(query.id, rounds, two_steps)


async def _for_each(
    stage: str, queries: Sequence[Query], work: Callable[[Query], Awaitable[Result]], workers: int, progress: Progress
) -> dict[str, Result]:
    """Apply `work` to all queries, up to `workers` at once; return results by query id, in the order given."""
    done: dict[str, Result] = {}
    limiter = anyio.CapacityLimiter(workers)

    async def one(query: Query) -> None:
        async with limiter:
            done[query.id] = await work(query)
            progress(stage, len(done), len(queries))

    async with anyio.create_task_group() as tasks:
        for query in queries:
            tasks.start_soon(one, query)
    return {query.id: done[query.id] for query in queries}


def _text(found: DocumentHit) -> str:
    title, text = str(found.hit.payload.get("title") or ""), str(found.hit.payload.get("text", ""))
    return " ".join(f"{title}: {text}".split()) if title else " ".join(text.split())
