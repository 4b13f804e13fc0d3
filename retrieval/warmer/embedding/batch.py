"""Several wordings of one question, embedded at once."""

from collections.abc import Sequence

from warmer.embedding import Retriever
from warmer.vectors import QueryVector


def embed_batch(retriever: Retriever, queries: Sequence[str], passages: Sequence[str] = ()) -> list[QueryVector]:
    """Embed queries, then hypothetical passages; one vector a text, in order.

    A retriever that has a method `embed_batch(queries, passages)` does it in one batch. For any other each query is
    embedded alone, and a passage by `embed_passages`, if there is such a method: models such as E5 embed the two
    differently.

    Raises:
        EmbeddingError: The retriever failed.
    """
    if together := getattr(retriever, "embed_batch", None):
        return list(together(queries, passages))
    vectors: list[QueryVector] = [retriever.embed_query(text) for text in queries]
    apart = getattr(retriever, "embed_passages", None)
    one = (lambda text: next(iter(apart([text])))[1]) if apart else retriever.embed_query
    return [*vectors, *map(one, passages)]
