"""What an equal number of scores buys: all that is scored, round by round."""

from collections.abc import Sequence

from warmer_evals.methods import Method
from warmer_evals.retrieval import Found, Query, Retriever, Scored
from warmer_evals.scores import Scores


def steps(k: int, budget: int) -> list[int]:
    """Cut a budget of scores into rounds of k."""
    return [min(k, budget - start) for start in range(0, budget, k)]


async def begin(retriever: Retriever, scores: Scores, query: Query, size: int, *, hybrid: bool) -> list[Scored]:
    """Score a first list."""
    return await _scored(scores, query, await retriever.search(query, size, hybrid=hybrid))


def read_on(first: Sequence[Scored], rounds: Sequence[int]) -> list[list[str]]:
    """Rank one list as it is read on in rounds, as `go_on` does for what is retrieved anew."""
    return [_ranking(first[: sum(rounds[: step + 1])]) for step in range(len(rounds))]


async def go_on(
    scores: Scores, method: Method, query: Query, first: Sequence[Scored], rounds: Sequence[int]
) -> list[list[str]]:
    """Score what a method retrieves next, in rounds.

    Args:
        scores: The judge.
        method: What retrieves.
        query: The query.
        first: The method's own first list, scored.
        rounds: How many hits each further round scores.

    Returns:
        At first and after each round the documents that are scored, the best first, equals by document id.
    """
    known = list(first)
    rankings = [_ranking(known)]
    for size in rounds:
        known += await _scored(scores, query, await method.retrieve(query, known, size))
        rankings.append(_ranking(known))
    return rankings


async def _scored(scores: Scores, query: Query, found: Sequence[Found]) -> list[Scored]:
    given = await scores.score(query, found)
    return [Scored(one.document, one.hit, score) for one, score in zip(found, given.tolist(), strict=True)]


def _ranking(scored: Sequence[Scored]) -> list[str]:
    return [one.document for one in sorted(scored, key=lambda one: (-one.score, one.document))]
