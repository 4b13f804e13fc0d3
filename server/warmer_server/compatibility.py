"""Whether queries can be embedded as a collection was, found out without fetching a model."""

import os
import tempfile
from functools import cache
from pathlib import Path

from warmer.embedding import Retriever
from warmer.embedding.retrievers import CloudRetriever, load_retriever
from warmer.errors import WarmerError
from warmer.index import CollectionInfo
from warmer_server.app import load_embedder
from warmer_tools.search import check_retriever


def mismatch(info: CollectionInfo, model: str) -> str:
    """Say why queries embedded by a model cannot search a collection; nothing if they can."""
    try:
        check_retriever(info, known_retriever(model))
    except WarmerError as error:
        return str(error)
    return ""


@cache
def known_retriever(model: str) -> Retriever:
    """Give a model of FastEmbed's by name and dimension alone, since it may have to be fetched; load any other.

    Raises:
        EmbeddingError: There is none of that name, or it cannot embed.
    """
    return load_retriever(model, _unfetched)


def missing_from_cache(model: str) -> Path | None:
    """Say where FastEmbed will put a model that it has not fetched yet; None for any other."""
    from fastembed import TextEmbedding  # noqa: PLC0415  takes half a second

    folder = Path(os.getenv("FASTEMBED_CACHE_PATH", Path(tempfile.gettempdir()) / "fastembed_cache"))
    for known in TextEmbedding.list_supported_models():
        if known["model"].lower() == model.lower():
            repository = str(known["sources"]["hf"] or known["model"])
            names = f"models--{repository.replace('/', '--')}", repository.rpartition("/")[2]
            return None if any((folder / name).exists() for name in names) else folder
    return None


def _unfetched(model: str) -> Retriever:
    from fastembed import TextEmbedding  # noqa: PLC0415

    dims = {known["model"].lower(): known["dim"] for known in TextEmbedding.list_supported_models()}
    if dim := dims.get(model.lower()):
        named = CloudRetriever(model)
        named.dim = dim
        return named
    return load_embedder(model)
