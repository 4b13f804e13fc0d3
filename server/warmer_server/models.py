"""Load the models that the settings name, each once per process, without the MCP SDK, which takes a second."""

from functools import cache
from pathlib import Path

from warmer.embedding import LoadedEmbedder, Retriever
from warmer.embedding.pair import PairEmbedder, full_pair_name, is_pair_folder, load_pair


@cache
def load_embedder(model: str) -> LoadedEmbedder:
    """Load an embedding model. Importing FastEmbed is slow, so it is imported here."""
    from warmer.embedding.fastembedder import load  # noqa: PLC0415

    return load(model)


@cache
def load_image_pair(model: str) -> PairEmbedder:
    """Load a pair of models, of pictures and of words."""
    return load_pair(model)


def load_queries(model: str) -> Retriever:
    """Load the model that embeds the queries of a collection, of texts or of pictures."""
    if full_pair_name(model) or is_pair_folder(Path(model).expanduser()):
        return load_image_pair(model)
    return load_embedder(model)
