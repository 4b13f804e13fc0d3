"""Whether queries are embedded as a collection was."""

from warmer.embedding import Retriever
from warmer.embedding.retrievers import same_model
from warmer.errors import ModelMismatchError
from warmer.index import CollectionInfo, Index
from warmer.journal import Search


def check_retriever(info: CollectionInfo, retriever: Retriever) -> None:
    """Make sure that queries are embedded as the collection was.

    Raises:
        ModelMismatchError: They are not; it names both.
    """
    if info.declared and not same_model(retriever.name, info.model):
        raise ModelMismatchError(
            f"collection {info.name!r} was embedded by {info.model!r}, but queries are embedded by {retriever.name!r}: "
            "set EMBEDDING_MODEL to the former (to its folder, if it is a local one), or index the collection anew"
        )
    if retriever.dim and retriever.dim != info.dim:
        raise ModelMismatchError(
            f"collection {info.name!r} has vectors of {info.dim} dimensions, but {retriever.name!r} embeds queries in "
            f"{retriever.dim}: name the model that it was embedded by, in EMBEDDING_MODEL, or in WARMER_RETRIEVERS for "
            "this collection alone"
        )


def check_model(thread: Search, model: str) -> None:
    """Make sure that a thread goes on with the retriever that it began with: vectors of two do not mix.

    Raises:
        ModelMismatchError: It does not.
    """
    if not same_model(thread.model, model):
        raise ModelMismatchError(
            f"the search was made with {thread.model!r}, and queries are embedded by {model!r} now: your scores are "
            "kept; call search again"
        )


async def check_thread(index: Index, thread: Search) -> None:
    """Make sure that a collection is still embedded as it was when a thread began.

    Raises:
        ModelMismatchError: It is not.
    """
    info = await index.info()
    if info.declared and not same_model(info.model, thread.model):
        raise ModelMismatchError(
            f"collection {info.name!r} is now embedded by {info.model!r}, the search was made with {thread.model!r}: "
            "your scores are kept; call search again"
        )
