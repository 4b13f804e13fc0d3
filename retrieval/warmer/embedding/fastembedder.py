"""Load embedding models: the built-in one, or through FastEmbed one that it lists or a local folder."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from warmer.embedding import DEFAULT_MODEL, LoadedEmbedder, minilm
from warmer.embedding.weights import Weights, find_weights
from warmer.embedding.window import window_of
from warmer.errors import EmbeddingError
from warmer.vectors import Vector, unit

if TYPE_CHECKING:  # slow to import, and the built-in model does not need it
    from fastembed import TextEmbedding

_BATCH = 8


class FastEmbedder:
    """A loaded FastEmbed model."""

    def __init__(self, name: str, model: "TextEmbedding") -> None:
        self.name = name
        self._model = model
        self.window = window_of(getattr(model.model, "tokenizer", None))
        self.dim = len(self.embed_query("dimension"))

    def embed_query(self, text: str) -> Vector:
        """Embed a query; shape (dim,), unit length."""
        return _normalized(next(iter(self._model.query_embed(text))))

    def embed_batch(self, queries: Sequence[str], passages: Sequence[str]) -> list[Vector]:
        """Embed queries, then passages, each as the model wants them; unit length."""
        found = [*self._model.query_embed(list(queries)), *self._model.passage_embed(list(passages))]
        return [_normalized(vector) for vector in found]

    def embed_passages(self, texts: Sequence[str]) -> Iterator[tuple[int, Vector]]:
        """Embed passages, shortest first: small batches of similar length need the least padding."""
        order = sorted(range(len(texts)), key=lambda position: len(texts[position]))
        vectors = self._model.passage_embed([texts[position] for position in order], batch_size=_BATCH)
        for position, vector in zip(order, vectors, strict=True):
            yield position, _normalized(vector)


def load(model: str = DEFAULT_MODEL) -> LoadedEmbedder:
    """Load a model by its name or folder; the built-in one takes half a second.

    Raises:
        EmbeddingError: There is no such model, or its files are unusable or cannot be downloaded.
    """
    try:
        return minilm.MiniLM() if model.lower() in minilm.UPSTREAM_NAMES else _load_fastembed(model)
    except EmbeddingError:
        raise
    except Exception as error:
        raise EmbeddingError(
            f"cannot load the embedding model {model!r}: {error}. Set EMBEDDING_MODEL to a model that FastEmbed "
            f"knows and can fetch, to a folder with an ONNX model, or unset it for {DEFAULT_MODEL}"
        ) from error


def _load_fastembed(model: str) -> FastEmbedder:
    from fastembed import TextEmbedding  # noqa: PLC0415

    if (folder := Path(model).expanduser()).is_dir():
        weights = find_weights(folder)
        return FastEmbedder(weights.name, load_weights(weights))
    return FastEmbedder(model, TextEmbedding(model, enable_cpu_mem_arena=False))


def load_weights(weights: Weights) -> "TextEmbedding":
    """Load local model files with FastEmbed."""
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


def _normalized(vector: NDArray[Any]) -> Vector:
    return unit(vector).astype(np.float32)
