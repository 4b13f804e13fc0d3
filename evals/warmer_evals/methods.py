"""The methods that are compared: what each retrieves once the first hits are scored."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from warmer.index import Coefficients, FeedbackItem
from warmer.steering.feedback import steer
from warmer.steering.params import Params
from warmer_evals import rocchio
from warmer_evals.retrieval import Found, Query, Retriever, Scored

Retrieve = Callable[[Query, Sequence[Scored], int], Awaitable[list[Found]]]


@dataclass(frozen=True, slots=True)
class Method:
    """A second retrieval.

    Attributes:
        hybrid: Whether it searches by words too.
        retrieve: Query, all scored hits and a limit -> new hits.
    """

    hybrid: bool
    retrieve: Retrieve


@dataclass(frozen=True, slots=True)
class Learned:
    """What was learned from the training queries.

    Attributes:
        feedback: The parameters that the server would serve: the defaults where the fitted ones were rejected.
        rejected: Why they were; else empty.
        reference: What qdrant-relevance-feedback would fit.
        rocchio: The tuned weights.
        notes: What could not be learned, in sentences.
    """

    feedback: Params
    rejected: str
    reference: Coefficients
    rocchio: rocchio.Weights
    notes: tuple[str, ...] = ()


def make_methods(retriever: Retriever, learned: Learned) -> dict[str, Method]:
    """Make all methods, by the names of the report.

    `rerank_only` scores on down the first list. Behind the hits that are scored it shows what `vanilla` shows; where
    it differs is at an equal number of scores.
    """
    vanilla = Method(False, _unsteered(retriever, hybrid=False))
    served = Method(True, feedback(retriever, learned.feedback, hybrid=True))
    untrained = learned.feedback == Params()
    return {
        "vanilla": vanilla,
        "vanilla_hybrid": Method(True, _unsteered(retriever, hybrid=True)),
        "feedback": served,
        "feedback_dense": Method(False, feedback(retriever, learned.feedback, hybrid=False)),
        "feedback_default": served if untrained else Method(True, feedback(retriever, Params(), hybrid=True)),
        "feedback_reference": Method(False, _reference(retriever, learned.reference)),
        "rocchio": Method(False, _rocchio(retriever, learned.rocchio)),
        "rerank_only": vanilla,
    }


def _unsteered(retriever: Retriever, *, hybrid: bool) -> Retrieve:
    async def retrieve(query: Query, scored: Sequence[Scored], limit: int) -> list[Found]:
        return await retriever.search(query, limit, hybrid=hybrid, without=scored)

    return retrieve


def feedback(retriever: Retriever, params: Params, *, hybrid: bool) -> Retrieve:
    """Retrieve as the tool give_feedback does."""

    async def retrieve(query: Query, scored: Sequence[Scored], limit: int) -> list[Found]:
        steering = steer(query.vector, ((one.hit.id, one.hit.vector, one.score) for one in scored), params)
        if steering is None:
            return await retriever.search(query, limit, hybrid=hybrid, without=scored)
        texts = {one.hit.id: one.hit.passage for one in scored}
        return await retriever.feedback(
            query,
            steering.items,
            steering.coefficients,
            limit,
            lexical=steering.lexical(query.text, texts) if hybrid else None,
            share=steering.share,
            neighbours=steering.neighbours,
            without=scored,
        )

    return retrieve


def _reference(retriever: Retriever, coefficients: Coefficients) -> Retrieve:
    """As qdrant-relevance-feedback serves what it fits: the scored hits alone, all pairs, no normalisation."""

    async def retrieve(query: Query, scored: Sequence[Scored], limit: int) -> list[Found]:
        items = [FeedbackItem(one.hit.id, one.hit.vector, one.score) for one in scored]
        return await retriever.feedback(query, items, coefficients, limit, without=scored)

    return retrieve


def _rocchio(retriever: Retriever, weights: rocchio.Weights) -> Retrieve:
    async def retrieve(query: Query, scored: Sequence[Scored], limit: int) -> list[Found]:
        if not scored:
            return await retriever.search(query, limit, hybrid=False)
        vectors, scores = np.stack([one.hit.vector for one in scored]), np.array([one.score for one in scored])
        moved = rocchio.move(query.vector, vectors, scores, weights)
        return await retriever.search(query, limit, hybrid=False, vector=moved, without=scored)

    return retrieve


BUDGETED: Mapping[str, str] = {
    "rerank_only": "vanilla",
    "rerank_only_hybrid": "vanilla_hybrid",
    "feedback": "feedback",
    "feedback_dense": "feedback_dense",
    "feedback_reference": "feedback_reference",
    "rocchio": "rocchio",
}
"""The names of section `budget` in the report, and the method that each goes on with."""
