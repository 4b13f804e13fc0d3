"""Vectors as everybody here speaks of them."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from warmer.errors import EngineError

Vector = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class TextQuery:
    """A query that the engine itself embeds, by a model that it knows (Qdrant's Cloud Inference)."""

    text: str
    model: str


QueryVector = Vector | TextQuery


class SparseVector(NamedTuple):
    """Token ids, ascending, and the weight of each."""

    indices: list[int]
    values: list[float]


def own_vector(vector: QueryVector) -> Vector:
    """Return a vector that was embedded here.

    Raises:
        EngineError: The engine was to embed it, and cannot.
    """
    if isinstance(vector, TextQuery):
        raise EngineError(
            f"this collection cannot embed queries by {vector.model!r} itself: choose a model for it that runs here"
        )
    return vector


def unit(vectors: NDArray[Any]) -> NDArray[np.float64]:
    """Scale vectors, shape (..., dim), to length 1; zeros stay zeros."""
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    scaled = np.divide(vectors, norms, out=np.zeros_like(vectors), where=norms > 0)
    return np.asarray(scaled, dtype=np.float64)
