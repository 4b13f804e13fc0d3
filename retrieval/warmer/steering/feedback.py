"""Scores to feedback: which examples the second retrieval is given, and how far they may steer it.

Qdrant's naive strategy ranks by F(x) = a sim(q, x) + sum of conf^b c (sim(pos, x) - sim(neg, x)) over all
pairs of examples whose scores differ by conf. Two things are added, neither a change to the engine:

- The query itself is an example, with a neutral score. Five equally bad hits alone make no pair; against
  the neutral query they steer away, as five good ones steer towards themselves.
- c is divided by the sum of conf^b, which grows with the square of the number of scores, and multiplied by the square
  root of that number: a step is short where evidence is thin, and grows with it as certainty does.

Where a collection has words too, they are steered alike: the words of good hits are added to the query's. In the list
that results, what lies among good candidates gains, what lies alone loses.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from warmer.index import Coefficients, FeedbackItem
from warmer.steering.lexical import steered_words
from warmer.steering.params import Params
from warmer.vectors import QueryVector, SparseVector, Vector, own_vector, unit

_USUAL = 5
_DIGITS = 6  # of a score; sums of floats must not make a difference where there is none


@dataclass(frozen=True, slots=True)
class Steering:
    """A feedback query in the making.

    Attributes:
        items: Examples with scores in 0..1.
        coefficients: The engine's.
        weights: Point id -> how much its words are added to the query's; negative for bad hits.
        share: Weight of the words in the list.
        neighbours: How much the neighbours of a candidate count for it.
    """

    items: list[FeedbackItem]
    coefficients: Coefficients
    weights: dict[str, float]
    share: float
    neighbours: float

    def lexical(self, query: str, texts: Mapping[str, str]) -> SparseVector:
        """Make the lexical leg from the texts of the scored points, as far as they are there."""
        passages = [(texts[id_], weight) for id_, weight in self.weights.items() if id_ in texts]
        return steered_words(query, passages)


def steer(vector: QueryVector, scored: Iterable[tuple[str, Vector, float]], params: Params) -> Steering | None:
    """Turn scored hits (id, vector, score in 0..1) into a feedback query; None where they say nothing.

    They say nothing when no score differs from another or from the neutral one, or where feedback is off. Points with
    the very same vector count once, with their mean score: copies would otherwise multiply each other's weight.
    """
    hits = _distinct(scored)
    items = [FeedbackItem(None, vector, params.neutral), *hits]
    weight = sum(_confidences(items, params.b))
    if not weight or params.off:
        return None
    caution = params.caution if max(item.score for item in hits) <= params.neutral else 1.0
    step = caution * params.c * evidence(len(hits)) / max(weight, params.floor)
    coefficients = Coefficients(params.a, params.b, step)
    gaps = {item.id: item.score - params.neutral for item in hits if item.id}
    length = max(sum(map(abs, gaps.values())), params.floor)
    weights = {id_: caution * params.words * gap / length for id_, gap in gaps.items()}
    return Steering(items, coefficients, weights, params.share, params.neighbours)


def evidence(scores: int) -> float:
    """Give how far a number of scores may steer, beside five."""
    return math.sqrt(scores / _USUAL)


def equivalent_query(vector: Vector, steering: Steering) -> Vector:
    """Give the one vector whose nearest neighbours are the feedback query's ranking.

    For cosine and dot product F(x) is linear in x, so it is the similarity to
    q' = a q + sum of conf^b c (pos - neg), all vectors normalised.
    """
    examples = [unit(own_vector(item.vector)) for item in steering.items]
    a, b, c = steering.coefficients.a, steering.coefficients.b, steering.coefficients.c
    moved = a * unit(vector)
    for (one, left), (other, right) in combinations(zip(steering.items, examples, strict=True), 2):
        gap = one.score - other.score
        if gap:
            moved = moved + np.sign(gap) * abs(gap) ** b * c * (left - right)
    return np.asarray(moved, dtype=np.float32)


def _distinct(scored: Iterable[tuple[str, Vector, float]]) -> list[FeedbackItem]:
    groups: dict[bytes, list[tuple[str, Vector, float]]] = {}
    for id_, vector, score in scored:
        groups.setdefault(vector.tobytes(), []).append((id_, vector, score))
    return [
        FeedbackItem(same[0][0], same[0][1], round(float(np.mean([score for *_, score in same])), _DIGITS))
        for same in groups.values()
    ]


def _confidences(items: Sequence[FeedbackItem], b: float) -> Iterable[float]:
    gaps = (abs(one.score - other.score) for one, other in combinations(items, 2))
    return (gap**b for gap in gaps if gap)
