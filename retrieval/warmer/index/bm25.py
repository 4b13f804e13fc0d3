"""BM25 vectors of texts, by Qdrant's own embedder; the engine adds the inverse document frequencies."""

import qdrant_edge

from warmer.vectors import SparseVector

# Made for passages of 800 characters, which have about 64 words that are no stop words; Qdrant's own default of 256
# takes all of them for short ones.
READ = 12_000  # characters of a passage that are looked at: somebody else's may be books
_bm25 = qdrant_edge.Bm25(qdrant_edge.Bm25Config(b=0.6, avg_len=64))


def document_words(text: str) -> SparseVector:
    """Weigh the words of a passage by BM25."""
    return _own(_bm25.embed_document(text))


def query_words(text: str) -> SparseVector:
    """Weigh the words of a query: 1 each."""
    return _own(_bm25.embed_query(text))


def _own(vector: qdrant_edge.SparseVector) -> SparseVector:
    return SparseVector(list(vector.indices), list(vector.values))
