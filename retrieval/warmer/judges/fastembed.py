"""Local FastEmbed models as judges: cross-encoders, late interaction, and embedding models."""

# isort: off
import warmer.embedding  # noqa: F401  disables ONNX Runtime's telemetry before that is imported

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
    """Scores by the cosine of query and passage, embedded separately."""

    rubric = "cosine v1"
    workers = 1

    def __init__(self, embedder: Embedder) -> None:
        self.name = f"fastembed:{embedder.name}"
        self._embedder = embedder

    def score(self, query: str, passages: Sequence[str]) -> list[float]:
        """Score each passage by its cosine; a negative one scores 0."""
        vector = self._embedder.embed_query(query)
        cosines = {position: float(vector @ other) for position, other in self._embedder.embed_passages(passages)}
        return [on_scale(cosines[position]) for position in range(len(passages))]


class CrossEncoder:
    """Scores by a model that reads query and passage together (a reranker)."""

    rubric = "sigmoid v1"
    workers = 1

    def __init__(self, name: str) -> None:
        self.name = f"fastembed:{name}"
        self._model = TextCrossEncoder(name, enable_cpu_mem_arena=False)

    def score(self, query: str, passages: Sequence[str]) -> list[float]:
        """Score each passage by the sigmoid of the model's logit."""
        return [on_scale(sigmoid(logit)) for logit in self._model.rerank(query, passages, batch_size=_BATCH)]


class LateInteraction:
    """Scores by MaxSim of token vectors (ColBERT, arXiv:2004.12832)."""

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
    """Load a model of any kind that FastEmbed lists, or an embedding model in a local folder.

    Raises:
        JudgeError: There is no such model, or it cannot be downloaded.
    """
    try:
        if name := _listed_name(TextCrossEncoder, model):
            return CrossEncoder(name)
        if name := _listed_name(LateInteractionTextEmbedding, model):
            return LateInteraction(name)
        return BiEncoder(load_embedder(model))
    except Exception as error:
        reason = error.__cause__ or error
        raise JudgeError(
            f"cannot load the judge fastembed:{model}: {reason}. Name a model that FastEmbed knows and can fetch, or "
            f"has in its cache (FASTEMBED_CACHE_PATH), a folder with an ONNX model, or the built-in all-MiniLM-L6-v2"
        ) from error


def on_scale(similarity: float) -> float:
    """Map 0..1 to 0..10, clamping values outside."""
    return 10 * min(1.0, max(0.0, similarity))


def sigmoid(logit: float) -> float:
    """Convert a logit to a probability without overflow."""
    return (1 + math.tanh(logit / 2)) / 2


def maxsim(query: NDArray[Any], passage: NDArray[Any]) -> float:
    """Return the mean over query tokens of the highest cosine with a passage token.

    Both are token vectors of shape (tokens, dim). ColBERT (arXiv:2004.12832, equation 3) sums instead.
    """
    return float((_units(query) @ _units(passage).T).max(axis=1).mean())


def _units(vectors: NDArray[Any]) -> NDArray[Any]:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)  # type: ignore[no-any-return]


def _listed_name(kind: type[TextCrossEncoder] | type[LateInteractionTextEmbedding], model: str) -> str | None:
    """Return a model's name in FastEmbed's spelling, or None if it is not listed."""
    names: list[str] = [listed["model"] for listed in kind.list_supported_models()]
    return next((name for name in names if name.lower() == model.lower()), None)
