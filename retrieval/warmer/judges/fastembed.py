"""Local models of FastEmbed's as judges: cross-encoders, late interaction, and embedding models."""

# isort: off
import warmer.embedding  # noqa: F401  tells ONNX Runtime to send no usage data, before that is imported

# isort: on
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from fastembed import LateInteractionTextEmbedding
from fastembed.rerank.cross_encoder import TextCrossEncoder
from numpy.typing import NDArray

from warmer.embedding import Embedder
from warmer.embedding.fastembedder import load as load_embedder
from warmer.errors import JudgeError
from warmer.judges import Judge

_BATCH = 8


class BiEncoder:
    """Scores by the cosine of query and passage, each embedded on its own."""

    rubric = "cosine v1"
    workers = 1

    def __init__(self, embedder: Embedder) -> None:
        self.name = f"fastembed:{embedder.name}"
        self._embedder = embedder

    def score(self, query: str, passages: Sequence[str]) -> list[float]:
        """Score each passage by its cosine; opposite counts as unrelated."""
        vector = self._embedder.embed_query(query)
        cosines = {position: float(vector @ other) for position, other in self._embedder.embed_passages(passages)}
        return [on_scale(cosines[position]) for position in range(len(passages))]


class CrossEncoder:
    """Scores by a model that reads query and passage together."""

    rubric = "sigmoid v1"
    workers = 1

    def __init__(self, name: str) -> None:
        self.name = f"fastembed:{name}"
        self._model = TextCrossEncoder(name, enable_cpu_mem_arena=False)

    def score(self, query: str, passages: Sequence[str]) -> list[float]:
        """Score each passage by the probability that the model's logit stands for."""
        return [on_scale(sigmoid(logit)) for logit in self._model.rerank(query, passages, batch_size=_BATCH)]


class LateInteraction:
    """Scores by how well each token of the query is met by some token of the passage."""

    rubric = "maxsim v1"
    workers = 1

    def __init__(self, name: str) -> None:
        self.name = f"fastembed:{name}"
        self._model = LateInteractionTextEmbedding(name, enable_cpu_mem_arena=False)

    def score(self, query: str, passages: Sequence[str]) -> list[float]:
        """Score each passage by MaxSim, averaged over the query's tokens."""
        tokens = next(iter(self._model.query_embed(query)))
        return [on_scale(maxsim(tokens, other)) for other in self._model.embed(list(passages), batch_size=_BATCH)]


def load(model: str) -> Judge:
    """Load a model that FastEmbed lists, of whichever kind, or an embedding model in a local folder.

    Raises:
        JudgeError: There is no such model, or it cannot be fetched.
    """
    try:
        if name := _listed(TextCrossEncoder, model):
            return CrossEncoder(name)
        if name := _listed(LateInteractionTextEmbedding, model):
            return LateInteraction(name)
        return BiEncoder(load_embedder(model))
    except Exception as error:
        reason = error.__cause__ or error
        raise JudgeError(
            f"cannot load the judge fastembed:{model}: {reason}. Name a model that FastEmbed knows and can fetch, or "
            f"has in its cache (FASTEMBED_CACHE_PATH), a folder with an ONNX model, or the built-in all-MiniLM-L6-v2"
        ) from error


def on_scale(closeness: float) -> float:
    """Map 0..1 to 0..10; what lies outside counts as the nearest end."""
    return 10 * min(1.0, max(0.0, closeness))


def sigmoid(logit: float) -> float:
    """Turn a logit into a probability; no logit is too large."""
    return (1 + math.tanh(logit / 2)) / 2


def maxsim(query: NDArray[Any], passage: NDArray[Any]) -> float:
    """Average, over the query's token vectors, the cosine with the nearest token vector of the passage."""
    return float((_units(query) @ _units(passage).T).max(axis=1).mean())


def _units(vectors: NDArray[Any]) -> NDArray[Any]:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)  # type: ignore[no-any-return]


def _listed(kind: type[TextCrossEncoder] | type[LateInteractionTextEmbedding], model: str) -> str | None:
    """Find a model's name as FastEmbed spells it."""
    names: list[str] = [listed["model"] for listed in kind.list_supported_models()]
    return next((name for name in names if name.lower() == model.lower()), None)
