"""Whether queries are embedded as a collection was."""

from collections.abc import Sequence

import numpy as np

from warmer.embedding import Retriever
from warmer.embedding.background import Waiting
from warmer.embedding.retrievers import same_model
from warmer.errors import ModelMismatchError
from warmer.index import CollectionInfo, Hit, Index
from warmer.index.fit import LOOKED, UNRELATED, likeness
from warmer.journal import Search
from warmer_tools.workspace import Workspace


def check_retriever(info: CollectionInfo, retriever: Retriever) -> None:
    """Make sure that queries are embedded as the collection was.

    Raises:
        ModelMismatchError: They are not; it names both.
    """
    setting = "WARMER_IMAGE_MODEL" if info.pictures else "EMBEDDING_MODEL"
    if info.declared and not same_model(retriever.name, info.model):
        raise ModelMismatchError(
            f"collection {info.name!r} was embedded by {info.model!r}, but queries are embedded by {retriever.name!r}: "
            f"set {setting} to the former (to its folder, if it is a local one), or index the collection again"
        )
    if retriever.dim and retriever.dim != info.dim:
        raise ModelMismatchError(
            f"collection {info.name!r} has vectors of {info.dim} dimensions, but {retriever.name!r} embeds queries in "
            f"{retriever.dim}: name the model that it was embedded by{_said(info)}, in {setting}, or in "
            "WARMER_RETRIEVERS for this collection alone"
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


async def unfit_vectors(workspace: Workspace, index: Index, hits: Sequence[Hit], waiting: Waiting) -> str:
    """Say it in the first reply of a collection that somebody else made if its vectors cannot be of the model.

    Texts of hits are embedded and compared with the vectors that are stored beside them.
    """
    info = await index.info()
    if info.generation or not info.texts or not hits:
        return ""
    background = workspace.retrievers.of(info.name, pictures=info.pictures)
    retriever = await background.ready(waiting)
    key = info.name, retriever.name
    if key in workspace.compared or hasattr(retriever, "embed_images"):
        return ""  # a picture's vector is far from that of any text
    workspace.compared.add(key)
    some = [hit for hit in hits if hit.payload["text"]][:LOOKED]
    vectors = await background.embed(
        retriever, [], [text for hit in some for text in (hit.payload["text"], hit.passage)]
    )
    own = [vector for vector in vectors if isinstance(vector, np.ndarray)]
    if not own or likeness([hit.vector for hit in some], own[::2], own[1::2]) >= UNRELATED:
        return ""
    return (
        f"Tell the user: the vectors of collection {info.name!r} are not {retriever.name}'s of these texts, so that "
        f"hits are as good as random. Name the model that made them{_said(info)} in WARMER_RETRIEVERS, or the field "
        "that was embedded in WARMER_TEXT_FIELD; `warmer doctor` compares. "
    )


def _said(info: CollectionInfo) -> str:
    return f" (its payloads say {info.named_model})" if info.named_model else ""
