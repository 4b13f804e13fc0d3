"""Fit the parameters of each method to the training queries."""

from collections.abc import Sequence

from warmer.index import Coefficients, DenseQuery
from warmer.steering.params import OFF, Params
from warmer.training.cross_validation import FEWEST_QUERIES, hold_out
from warmer.training.fit import Sample, fit, tabulate, usable
from warmer_evals import EvalError, rocchio
from warmer_evals.methods import Learned
from warmer_evals.reference_fit import fit_reference
from warmer_evals.retrieval import Query, Retriever, ScoredHit
from warmer_evals.scores import Scores


async def score_sample(retriever: Retriever, scores: Scores, query: Query, hits: int) -> Sample:
    """Score the first dense hits of a query."""
    found = await retriever.nearest(DenseQuery(query.vector), hits)
    given = (await scores.score(query, found)).tolist()
    return await retriever.sample(
        query, [ScoredHit(one.document, one.hit, score) for one, score in zip(found, given, strict=True)]
    )


def learn(samples: Sequence[Sample]) -> Learned:
    """Fit the parameters of all methods to the same samples."""
    feedback, rejected = _fit_feedback(samples)
    reference, notes = _fit_reference(samples)
    return Learned(feedback, rejected, reference, rocchio.tune(samples), notes)


def _fit_feedback(samples: Sequence[Sample]) -> tuple[Params, str]:
    """Fit and check held-out queries as `train_params` does; also return why the fit was rejected, or ""."""
    table = tabulate(samples)
    count = usable(table).size
    if count < FEWEST_QUERIES:
        return Params(), f"{count} training queries can tell one ranking from another: at least {FEWEST_QUERIES} must"
    held_out = hold_out(table)
    if held_out.reason:
        return OFF if held_out.off else Params(), held_out.reason
    return fit(table), ""


def _fit_reference(samples: Sequence[Sample]) -> tuple[Coefficients, tuple[str, ...]]:
    try:
        return fit_reference(samples), ()
    except EvalError as error:
        return Coefficients(1, 1, 1), (f"feedback_reference is evaluated with a = b = c = 1: {error}.",)
