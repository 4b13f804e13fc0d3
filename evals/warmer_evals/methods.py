"""The methods that are compared: each retrieves new hits once the first hits are scored."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from warmer.index import Coefficients, DenseQuery, FeedbackItem
from warmer.steering.params import OFF, Params
from warmer_evals import rocchio
from warmer_evals.retrieval import DocumentHit, Query, Retriever, ScoredHit

Retrieve = Callable[[Query, Sequence[ScoredHit], int], Awaitable[list[DocumentHit]]]


@dataclass(frozen=True, slots=True)
class Method:
    """A retrieval after the first hits are scored.

    Attributes:
        hybrid: Whether it also searches by words.
        retrieve: Query, all scored hits and a limit -> new hits.
    """

    hybrid: bool
    retrieve: Retrieve


@dataclass(frozen=True, slots=True)
class Learned:
    """Parameters fitted to the training queries.

    Attributes:
        feedback: The parameters that the server would use: others than the fitted ones if those were rejected.
        rejected: Why they were rejected; empty if they were not.
        reference: What qdrant-relevance-feedback would fit.
        rocchio: Rocchio's tuned weights.
        notes: What could not be fitted, in sentences.
    """

    feedback: Params
    rejected: str
    reference: Coefficients
    rocchio: rocchio.Weights
    notes: tuple[str, ...] = ()


def make_methods(retriever: Retriever, learned: Learned) -> dict[str, Method]:
    """Return all methods by their names in the report.

    `rerank_only` continues down the first list and so retrieves the same new hits as `vanilla`; the two differ only at
    an equal number of scores.
    """
    plain = Method(False, vanilla(retriever))
    served = Method(True, feedback(retriever, learned.feedback, hybrid=True))
    untrained = learned.feedback == Params()
    return {
        "vanilla": plain,
        "vanilla_hybrid": Method(True, feedback(retriever, OFF, hybrid=True)),
        "feedback": served,
        "feedback_dense": Method(False, feedback(retriever, learned.feedback, hybrid=False)),
        "feedback_default": served if untrained else Method(True, feedback(retriever, Params(), hybrid=True)),
        "feedback_reference": Method(False, _reference(retriever, learned.reference)),
        "rocchio": Method(False, _rocchio(retriever, learned.rocchio)),
        "rerank_only": plain,
    }


def vanilla(retriever: Retriever) -> Retrieve:
    """Retrieve further down the dense list."""

    async def retrieve(query: Query, scored: Sequence[ScoredHit], limit: int) -> list[DocumentHit]:
        return await retriever.nearest(DenseQuery(query.vector), limit, without=scored)

    return retrieve


def feedback(retriever: Retriever, params: Params, *, hybrid: bool) -> Retrieve:
    """Return a retrieval that does what the tool give_feedback does."""

    async def retrieve(query: Query, scored: Sequence[ScoredHit], limit: int) -> list[DocumentHit]:
        return await retriever.served(query, limit, params, scored=scored, hybrid=hybrid)

    return retrieve


def _reference(retriever: Retriever, coefficients: Coefficients) -> Retrieve:
    """Return a retrieval as qdrant-relevance-feedback does it: scored hits alone, all pairs, no normalisation."""

    async def retrieve(query: Query, scored: Sequence[ScoredHit], limit: int) -> list[DocumentHit]:
        items = [FeedbackItem(one.hit.id, one.hit.vector, one.score) for one in scored]
        return await retriever.nearest(DenseQuery(query.vector, items, coefficients), limit, without=scored)

    return retrieve


def _rocchio(retriever: Retriever, weights: rocchio.Weights) -> Retrieve:
    async def retrieve(query: Query, scored: Sequence[ScoredHit], limit: int) -> list[DocumentHit]:
        if not scored:
            return await retriever.nearest(DenseQuery(query.vector), limit)
        vectors, scores = np.stack([one.hit.vector for one in scored]), np.array([one.score for one in scored])
        moved = rocchio.move(query.vector, vectors, scores, weights)
        return await retriever.nearest(DenseQuery(moved), limit, without=scored)

    return retrieve


BUDGETED: Mapping[str, str] = {
    "rerank_only": "vanilla",
    "rerank_only_hybrid": "vanilla_hybrid",
    "feedback": "feedback",
    "feedback_dense": "feedback_dense",
    "feedback_reference": "feedback_reference",
    "rocchio": "rocchio",
}
"""Names in the report's section `budget` -> the method that retrieves further hits."""
