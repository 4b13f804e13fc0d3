"""Scores to feedback: which examples the next retrieval is given, and how far they may steer it.

Qdrant's naive strategy ranks by F(x) = a sim(q, x) + sum of conf^b c (sim(pos, x) - sim(neg, x)) over all pairs of
examples whose scores differ by conf. With b = 1 that is a sim(q, x) + sum of w_i sim(v_i, x), where w_i grows with the
number of examples and counts a topic as often as it was shown. Here the weights are chosen first, and the examples are
given the scores that make the formula come to them:

- A score counts by how far it is from the neutral one, so that five equally bad hits steer away.
- Hits that resemble each other share their weight, as in kernel ridge regression of the scores on the vectors: ten
  hits of one topic move the query little further than three of them.
- The query is an example too, which takes the difference that makes all weights come to 0.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from warmer.index import Coefficients, DenseQuery, FeedbackItem
from warmer.steering.params import Params
from warmer.vectors import QueryVector, Vector, own_vector, unit

_TRUST_GOOD, _TRUST_BAD = 0.5, 5.0  # scores that the default neutral score counts for
_LEAST = 0.05  # the engines take no a of 0 or less; where bad hits alone ask for that, the query weighs more
_DIGITS = 6  # of a score; sums of floats must not make a difference where there is none


@dataclass(frozen=True, slots=True)
class Example:
    """A scored hit.

    Attributes:
        id: The point id.
        vector: Its dense vector, shape (dim,).
        score: 0..1.
        text: What a judge read of it; empty where it is gone.
        trust: How far the score counts, 0..1: one that was given for another search counts less.
    """

    id: str
    vector: Vector
    score: float
    text: str = ""
    trust: float = 1.0


@dataclass(frozen=True, slots=True)
class Feedback:
    """Scored hits and what they weigh.

    Attributes:
        examples: The hits, those of equal vectors as one.
        weights: How much of each vector is added to the query's, shape (n,); negative for bad hits.
    """

    examples: Sequence[Example]
    weights: NDArray[np.float64]

    @property
    def silent(self) -> bool:
        """Whether the scores say nothing."""
        return not self.weights.any()


def trusted(earlier: Iterable[Example], params: Params) -> list[Example]:
    """Let examples of an earlier thread count as far as the parameters say."""
    return [replace(one, trust=one.trust * params.earlier) for one in earlier] if params.earlier else []


def weigh(scored: Iterable[Example], params: Params) -> Feedback:
    """Weigh scored hits: c (G + ridge I)^-1 (scores - neutral), where G has the cosines between them."""
    examples = _distinct(scored)
    if not examples:
        return Feedback(examples, np.empty(0))
    scores = np.array([example.score for example in examples])
    gaps: NDArray[np.float64] = np.round(scores - neutral_score(scores, params.neutral), _DIGITS)
    gaps = gaps * [example.trust for example in examples]
    vectors = unit(np.stack([example.vector for example in examples]))
    alike = vectors @ vectors.T
    weights = params.c * np.linalg.solve(alike + params.ridge * np.eye(len(examples)), gaps)
    return Feedback(examples, np.asarray(weights, dtype=np.float64))


def neutral_score(scores: NDArray[np.float64], default: float) -> float:
    """Estimate the score that says nothing: the mean of a thread's scores, shrunk towards a default.

    A language model gives irrelevant hits 3 of 10 on average, a perfect judge 0, so that no one number serves both.
    A high mean is believed sooner: a scorer who gives nothing but sevens says nothing by them.
    """
    trust = _TRUST_GOOD if scores.mean() > default else _TRUST_BAD
    return float((trust * default + scores.sum()) / (trust + scores.size))


def dense_query(vector: QueryVector, feedback: Feedback, aside: Sequence[tuple[QueryVector, float]] = ()) -> DenseQuery:
    """Write a query and the weights of its examples as Qdrant's feedback query.

    With b = 1 and n + 1 examples of scores x that sum to 0, the formula's sum is (n + 1) c times the sum of x_i v_i. So
    the examples' scores are their weights, c is 1 / (n + 1), the query takes what is left, and gets it back by a.

    Args:
        vector: What is looked for.
        feedback: Scored hits.
        aside: Vectors that are no points, and their weights.
    """
    items = [
        FeedbackItem(example.id, example.vector, float(weight))
        for example, weight in zip(feedback.examples, feedback.weights, strict=True)
    ] + [FeedbackItem(None, other, weight) for other, weight in aside]
    if not any(item.score for item in items):
        return DenseQuery(vector)
    rest = -sum(item.score for item in items)
    coefficients = Coefficients(max(1 - rest, _LEAST), 1.0, 1 / (len(items) + 1))
    return DenseQuery(vector, [FeedbackItem(None, vector, rest), *items], coefficients)


def equivalent_query(query: DenseQuery) -> Vector:
    """Give the one vector whose nearest neighbours are the feedback query's ranking, shape (dim,).

    For cosine and dot product F(x) is linear in x, so it is the similarity to a q + sum of conf^b c (pos - neg), all
    vectors normalised.
    """
    a, b, c = query.coefficients.a, query.coefficients.b, query.coefficients.c
    moved = a * unit(own_vector(query.vector))
    examples = [(item.score, unit(own_vector(item.vector))) for item in query.items]
    for one, left in examples:
        for other, right in examples:
            if one > other:
                moved = moved + (one - other) ** b * c * (left - right)
    return np.asarray(moved, dtype=np.float32)


def _distinct(scored: Iterable[Example]) -> list[Example]:
    """Join points with the very same vector, with their mean score: copies would multiply each other's weight."""
    groups: dict[bytes, list[Example]] = {}
    for example in scored:
        groups.setdefault(example.vector.tobytes(), []).append(example)
    return [
        replace(same[0], score=float(np.mean([one.score for one in same])), trust=max(one.trust for one in same))
        for same in groups.values()
    ]
