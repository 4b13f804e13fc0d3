"""An evaluation: every method on every query, with the same first hits scored."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import anyio

from warmer_evals import budget
from warmer_evals.learning import learn, sample
from warmer_evals.methods import BUDGETED, Learned, Method, make_methods
from warmer_evals.retrieval import DEPTH, Found, Query, Retriever, Scored
from warmer_evals.scores import Scores
from warmer_evals.subject import Subject
from warmer_evals.tutorial import Outcome, judge_list

T = TypeVar("T")
Progress = Callable[[str, int, int], None]

OTHER_K = (1, 3, 5, 10)


@dataclass(frozen=True, slots=True)
class Setting:
    """What is evaluated.

    Attributes:
        k: How many first hits are scored.
        n: How deep a second list is judged.
        budget: Scores in all, where an equal number is compared.
        train_limit: Hits scored a training query.
    """

    k: int = 5
    n: int = 10
    budget: int = 15
    train_limit: int = 25


@dataclass(frozen=True, slots=True)
class Row:
    """One query.

    Attributes:
        query: Its id.
        seeds: The first hits of the dense list, scored.
        lists: Method -> what it retrieves next, document ids.
        scores: Document id -> score, of the first n of every list.
        outcomes: Method -> the tutorial's counts.
        texts: Document id -> title and text, of the same.
    """

    query: str
    seeds: list[tuple[str, float]]
    lists: dict[str, list[str]]
    scores: dict[str, float]
    outcomes: dict[str, Outcome]
    texts: dict[str, str]


@dataclass(frozen=True, slots=True)
class Spent:
    """One query, at an equal number of scores.

    Attributes:
        query: Its id.
        rounds: Method -> after each round of k, the documents that are scored, best first.
        two_steps: Method -> the same where all but the first k are scored at once.
    """

    query: str
    rounds: dict[str, list[list[str]]]
    two_steps: dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Evaluated:
    """All that a report is made of."""

    learned: list[Learned]
    rows: list[Row]
    by_k: dict[int, list[Row]] = field(default_factory=dict)
    spent: list[Spent] = field(default_factory=list)


async def evaluate(
    subject: Subject, queries: Mapping[str, Query], scores: Scores, setting: Setting, progress: Progress
) -> Evaluated:
    """Learn on the training queries, then compare the methods on the others.

    Raises:
        EvalError: The judge failed; what it scored is kept.
    """
    retriever = Retriever(subject.index, subject.document)

    async def each(what: str, ids: Iterable[str], work: Callable[[Query], Awaitable[T]]) -> dict[str, T]:
        return await _each(what, [queries[id_] for id_ in ids], work, scores.workers, progress)

    teaching = dict.fromkeys(id_ for fold in subject.folds for id_ in fold.train)
    samples = await each(
        "training queries", teaching, lambda query: sample(retriever, scores, query, setting.train_limit)
    )
    learned = [learn([samples[id_] for id_ in fold.train]) for fold in subject.folds]
    methods = {
        id_: made
        for fold, numbers in zip(subject.folds, learned, strict=True)
        for made in [make_methods(retriever, numbers)]
        for id_ in fold.test
    }
    ids = [id_ for id_ in queries if id_ in methods]

    async def at(k: int, depth: int) -> list[Row]:
        rows = await each(
            f"queries, K = {k}",
            ids,
            lambda query: _compare(retriever, scores, methods[query.id], query, k, setting.n, depth),
        )
        return list(rows.values())

    rows = await at(setting.k, DEPTH)
    spent = await each(
        "rounds",
        ids if subject.qrels else (),
        lambda query: _spend(retriever, scores, methods[query.id], query, setting),
    )
    by_k = {k: rows if k == setting.k else await at(k, setting.n) for k in _ks(setting.k, scores)}
    return Evaluated(learned, rows, by_k, list(spent.values()))


def _ks(k: int, scores: Scores) -> list[int]:
    return sorted({k, *OTHER_K}) if scores.free else [k]


async def _compare(
    retriever: Retriever, scores: Scores, methods: Mapping[str, Method], query: Query, k: int, n: int, depth: int
) -> Row:
    first = await retriever.search(query, k, hybrid=False)
    given = (await scores.score(query, first)).tolist()
    seeds = [Scored(one.document, one.hit, score) for one, score in zip(first, given, strict=True)]
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
            name: judge_list(given, [judged[one.document] for one in found[:n]], n)
            for name, found in lists.items()
            if given
        },
        texts={one.document: _text(one) for one in [*first, *union.values()]},
    )


async def _spend(
    retriever: Retriever, scores: Scores, methods: Mapping[str, Method], query: Query, setting: Setting
) -> Spent:
    steps = budget.steps(setting.k, setting.budget)
    lists = {
        hybrid: await budget.begin(retriever, scores, query, setting.budget, hybrid=hybrid) for hybrid in (False, True)
    }
    rounds, two_steps = {}, {}
    for name, of in BUDGETED.items():
        method = methods[of]
        if name.startswith("rerank_only"):
            rounds[name] = budget.read_on(lists[method.hybrid], steps)
            two_steps[name] = rounds[name][-1]
            continue
        first = lists[method.hybrid][: steps[0]]
        rounds[name] = await budget.go_on(scores, method, query, first, steps[1:])
        *_, two_steps[name] = await budget.go_on(scores, method, query, first, [sum(steps[1:])])
    return Spent(query.id, rounds, two_steps)


async def _each(
    what: str, queries: Sequence[Query], work: Callable[[Query], Awaitable[T]], workers: int, progress: Progress
) -> dict[str, T]:
    """Work on queries, several at once where that helps; the results are in the order of the queries."""
    done: dict[str, T] = {}
    limiter = anyio.CapacityLimiter(workers)

    async def one(query: Query) -> None:
        async with limiter:
            done[query.id] = await work(query)
            progress(what, len(done), len(queries))

    async with anyio.create_task_group() as tasks:
        for query in queries:
            tasks.start_soon(one, query)
    return {query.id: done[query.id] for query in queries}


def _text(found: Found) -> str:
    title, text = str(found.hit.payload.get("title") or ""), str(found.hit.payload.get("text", ""))
    return " ".join(f"{title}: {text}".split()) if title else " ".join(text.split())
