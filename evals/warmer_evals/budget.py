"""Methods compared at an equal number of scores: rankings of all scored hits, round by round."""

from collections.abc import Sequence

from warmer.index import DenseQuery
from warmer.steering.params import Params
from warmer_evals.methods import Method
from warmer_evals.retrieval import DocumentHit, Query, Retriever, ScoredHit
from warmer_evals.scores import Scores


def split_rounds(k: int, budget: int) -> list[int]:
    """Split a budget of scores into rounds of k; the last may be smaller."""
    return [min(k, budget - start) for start in range(0, budget, k)]


async def score_first_list(
    retriever: Retriever, scores: Scores, query: Query, size: int, *, hybrid: bool
) -> list[ScoredHit]:
    """Score a first list."""
    if hybrid:
        return await _score(scores, query, await retriever.served(query, size, Params()))
    return await _score(scores, query, await retriever.nearest(DenseQuery(query.vector), size))


def rank_prefixes(first: Sequence[ScoredHit], rounds: Sequence[int]) -> list[list[str]]:
    """Rank the hits of one list after each round, as `rank_rounds` does with new retrievals."""
    return [_ranking(first[: sum(rounds[: step + 1])]) for step in range(len(rounds))]


async def rank_rounds(
    scores: Scores, method: Method, query: Query, first: Sequence[ScoredHit], rounds: Sequence[int]
) -> list[list[str]]:
    """Score in rounds what a method retrieves, each round steered by all scores so far.

    Args:
        scores: The judge.
        method: The method.
        query: The query.
        first: The method's first list, scored.
        rounds: How many hits each further round scores.

    Returns:
        The scored documents before the first round and after each, best first, ties by document id.
    """
    scored = list(first)
    rankings = [_ranking(scored)]
    for size in rounds:
        scored += await _score(scores, query, await method.retrieve(query, scored, size))
        rankings.append(_ranking(scored))
    return rankings


async def _score(scores: Scores, query: Query, found: Sequence[DocumentHit]) -> list[ScoredHit]:
    values = await scores.score(query, found)
    return [ScoredHit(one.document, one.hit, score) for one, score in zip(found, values.tolist(), strict=True)]


def _ranking(scored: Sequence[ScoredHit]) -> list[str]:
    return [one.document for one in sorted(scored, key=lambda one: (-one.score, one.document))]
