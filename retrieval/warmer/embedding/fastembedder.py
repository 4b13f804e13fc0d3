"""Embedding models by name: the built-in one, and through FastEmbed any that it knows, or a local folder."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from warmer.embedding import DEFAULT_MODEL, LoadedEmbedder, minilm
from warmer.embedding.weights import Weights, from_folder
from warmer.embedding.window import window_of
from warmer.errors import EmbeddingError
from warmer.vectors import Vector

if TYPE_CHECKING:  # importing it takes longer than loading the built-in model, which does without
    from fastembed import TextEmbedding

_BATCH = 8


class FastEmbedder:
    """A model of FastEmbed's, loaded."""

    def __init__(self, name: str, model: "TextEmbedding") -> None:
        self.name = name
        self._model = model
        self.window = window_of(getattr(model.model, "tokenizer", None))
        self.dim = len(self.embed_query("dimension"))

    def embed_query(self, text: str) -> Vector:
        """Embed a query; shape (dim,), unit length."""
        return _unit(next(iter(self._model.query_embed(text))))

    def embed_passages(self, texts: Sequence[str]) -> Iterator[tuple[int, Vector]]:
        """Embed passages, shortest first: small batches of like length need the least padding."""
        order = sorted(range(len(texts)), key=lambda position: len(texts[position]))
        vectors = self._model.passage_embed([texts[position] for position in order], batch_size=_BATCH)
        for position, vector in zip(order, vectors, strict=True):
            yield position, _unit(vector)


def load(model: str = DEFAULT_MODEL) -> LoadedEmbedder:
    """Load a model by name or by the path of its folder; takes half a second for the built-in one.

    Raises:
        EmbeddingError: There is no such model, its files do not fit, or they cannot be fetched.
    """
    try:
        return minilm.MiniLM() if model.lower() in minilm.UPSTREAM_NAMES else _load(model)
    except EmbeddingError:
        raise
    except Exception as error:
        raise EmbeddingError(
            f"cannot load the embedding model {model!r}: {error}. Set EMBEDDING_MODEL to a model that FastEmbed "
            f"knows and can fetch, to a folder with an ONNX model, or unset it for {DEFAULT_MODEL}"
        ) from error


def _load(model: str) -> FastEmbedder:
    from fastembed import TextEmbedding  # noqa: PLC0415

    if (folder := Path(model).expanduser()).is_dir():
        weights = from_folder(folder)
        return FastEmbedder(weights.name, from_disk(weights))
    return FastEmbedder(model, TextEmbedding(model, enable_cpu_mem_arena=False))


def from_disk(weights: Weights) -> "TextEmbedding":
    """Load files that are on this disk by FastEmbed."""
    from fastembed import TextEmbedding  # noqa: PLC0415
    from fastembed.common.model_description import ModelSource, PoolingType  # noqa: PLC0415

    with suppress(ValueError):  # FastEmbed's registry keeps a name for the life of the process
        TextEmbedding.add_custom_model(
            model=weights.name,
            pooling=PoolingType[weights.pooling],
            normalization=True,
            sources=ModelSource(url="file://" + str(weights.folder)),
            dim=0,
            model_file=str(weights.model.resolve()),
        )
    return TextEmbedding(weights.name, specific_model_path=str(weights.folder), enable_cpu_mem_arena=False)


def _unit(vector: NDArray[Any]) -> Vector:
    return (vector / max(float(np.linalg.norm(vector)), 1e-12)).astype(np.float32)
