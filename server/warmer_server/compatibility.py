"""Check whether a model fits a collection, without downloading the model."""

import os
import tempfile
from functools import cache
from pathlib import Path

from warmer.embedding import Retriever
from warmer.embedding.pair import PAIRS, full_pair_name
from warmer.embedding.retrievers import CloudRetriever, load_retriever
from warmer.errors import WarmerError
from warmer.index import CollectionInfo
from warmer_server.models import load_queries
from warmer_server.settings import Settings
from warmer_tools.compatibility import check_retriever


def model_of(info: CollectionInfo, settings: Settings) -> str:
    """Return the model of the settings that embeds the queries of a collection."""
    return settings.retrievers.get(info.name, settings.image_model if info.pictures else settings.embedding_model)


def mismatch(info: CollectionInfo, settings: Settings) -> str:
    """Return why queries embedded as the settings say cannot search a collection, or an empty string if they can."""
    try:
        check_retriever(info, load_without_download(model_of(info, settings)))
    except WarmerError as error:
        return str(error)
    return ""


@cache
def load_without_download(model: str) -> Retriever:
    """Load a retriever; for a FastEmbed model, which may not be downloaded yet, return only name and dimension.

    Raises:
        EmbeddingError: The model is unknown or cannot be loaded.
    """
    return load_retriever(model, _named_or_loaded)


def download_folder(model: str) -> Path | None:
    """Return the folder that FastEmbed will download a model to, or None if it has the model or does not know it."""
    from fastembed import TextEmbedding  # noqa: PLC0415  takes half a second

    folder = Path(os.getenv("FASTEMBED_CACHE_PATH", Path(tempfile.gettempdir()) / "fastembed_cache"))
    for known in TextEmbedding.list_supported_models():
        if known["model"].lower() == _of_words(model).lower():
            repository = str(known["sources"]["hf"] or known["model"])
            names = f"models--{repository.replace('/', '--')}", repository.rpartition("/")[2]
            return None if any((folder / name).exists() for name in names) else folder
    return None


def _named_or_loaded(model: str) -> Retriever:
    from fastembed import TextEmbedding  # noqa: PLC0415

    dims = {known["model"].lower(): known["dim"] for known in TextEmbedding.list_supported_models()}
    if dim := dims.get(_of_words(model).lower()):
        named = CloudRetriever(full_pair_name(model) or model)
        named.dim = dim
        return named
    return load_queries(model)


def _of_words(model: str) -> str:
    """Return the model that embeds words, of a pair or alone."""
    return PAIRS.get(full_pair_name(model), model)
