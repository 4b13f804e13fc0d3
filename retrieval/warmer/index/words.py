"""The lexical leg: BM25 vectors of texts, and a query's words steered by scored passages."""

from collections.abc import Sequence

import numpy as np
import qdrant_edge

ADDED = 20  # words that scored passages add to a query at most
READ = 12_000  # characters of a passage that are looked at: somebody else's may be books

# Made for passages of 800 characters, which have about 64 words that are no stop words; Qdrant's own default of 256
# takes all of them for short ones.
_bm25 = qdrant_edge.Bm25(qdrant_edge.Bm25Config(b=0.6, avg_len=64))


def document_words(text: str) -> qdrant_edge.SparseVector:
    """Weigh the words of a passage by BM25, without IDF, which the engine adds."""
    return _bm25.embed_document(text)


def query_words(text: str, passages: Sequence[tuple[str, float]] = ()) -> qdrant_edge.SparseVector:
    """Weigh the words of a query: 1 each, and more by the passages that were scored.

    Rocchio's feedback (1971) in the space of words: each passage adds its BM25 vector, normalised, times its weight;
    the words with the highest positive sums are kept.

    Args:
        text: The query.
        passages: Texts and how much of each is added; negative for passages that are unlike what is looked for.
    """
    query = _bm25.embed_query(text)
    totals: dict[int, float] = {}
    for passage, weight in passages:
        document = document_words(passage[:READ])
        length = float(np.linalg.norm(document.values)) or 1.0
        for index, value in zip(document.indices, document.values, strict=True):
            totals[index] = totals.get(index, 0.0) + weight * value / length
    best = sorted((-total, index) for index, total in totals.items() if total > 0)[:ADDED]
    weighed = dict(zip(query.indices, query.values, strict=True))
    for total, index in best:
        weighed[index] = weighed.get(index, 0.0) - total
    indices = sorted(weighed)
    return qdrant_edge.SparseVector(indices, [weighed[index] for index in indices])
