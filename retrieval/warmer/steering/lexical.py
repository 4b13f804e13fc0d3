"""The lexical leg: the words of a thread's wordings, moved by the passages that were scored."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from warmer.index.bm25 import READ, document_words, query_words
from warmer.steering.params import Params
from warmer.steering.target import weight
from warmer.steering.wording import Wording
from warmer.vectors import SparseVector

ADDED = 20  # words that scored passages add to a query at most


def mixed_words(
    wordings: Sequence[Wording], params: Params, passages: Iterable[tuple[str, float]] = ()
) -> SparseVector:
    """Weigh the words that a thread looks for.

    Each wording's words have the mass of the first one's, times its weight: a passage has many words, and must not
    drown the query. Scored passages add the words by which they stand out (`moved_words`).

    Args:
        wordings: What the thread said, the first wording first.
        params: Their weights.
        passages: Texts of scored hits, and how much of each is added; negative for bad ones.
    """
    totals: defaultdict[int, float] = defaultdict(float)
    first = sum(query_words(wordings[0].text).values)
    for wording in wordings:
        words = query_words(wording.text)
        mass = sum(words.values)
        share = weight(wording, params) * (first / mass if first and mass else 1.0)
        for index, value in zip(*words, strict=True):
            totals[index] += share * value
    for index, value in moved_words(passages):
        totals[index] += value
    indices = sorted(index for index, total in totals.items() if total > 0)
    return SparseVector(indices, [totals[index] for index in indices])


def moved_words(passages: Iterable[tuple[str, float]]) -> list[tuple[int, float]]:
    """Give the words that scored passages add, and their weights: the ADDED best.

    Rocchio's feedback (1971) in the space of words: each passage adds its BM25 vector, normalised, times its weight.
    """
    totals: defaultdict[int, float] = defaultdict(float)
    for passage, gain in passages:
        words = document_words(passage[:READ])
        length = float(np.linalg.norm(words.values)) or 1.0
        for index, value in zip(*words, strict=True):
            totals[index] += gain * value / length
    best = sorted((-total, index) for index, total in totals.items() if total > 0)[:ADDED]
    return [(index, -total) for total, index in best]
