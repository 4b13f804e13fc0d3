"""The lexical leg: the words of a query, moved by the passages that were scored."""

from collections.abc import Sequence

import numpy as np

from warmer.index.bm25 import document_words, query_words
from warmer.vectors import SparseVector

ADDED = 20  # words that scored passages add to a query at most
READ = 12_000  # characters of a passage that are looked at: somebody else's may be books


def steered_words(text: str, passages: Sequence[tuple[str, float]] = ()) -> SparseVector:
    """Weigh the words of a query: 1 each, and more by the passages that were scored.

    Rocchio's feedback (1971) in the space of words: each passage adds its BM25 vector, normalised, times its weight;
    the words with the highest positive sums are kept.

    Args:
        text: The query.
        passages: Texts and how much of each is added; negative for passages that are unlike what is looked for.
    """
    totals: dict[int, float] = {}
    for passage, weight in passages:
        document = document_words(passage[:READ])
        length = float(np.linalg.norm(document.values)) or 1.0
        for index, value in zip(*document, strict=True):
            totals[index] = totals.get(index, 0.0) + weight * value / length
    best = sorted((-total, index) for index, total in totals.items() if total > 0)[:ADDED]
    weighed = dict(zip(*query_words(text), strict=True))
    for total, index in best:
        weighed[index] = weighed.get(index, 0.0) - total
    indices = sorted(weighed)
    return SparseVector(indices, [weighed[index] for index in indices])
