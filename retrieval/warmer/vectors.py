"""Types of vectors, dense and sparse."""

from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from warmer.errors import EngineError

Vector = NDArray[np.float32]
Number = TypeVar("Number", bound=np.floating[Any])


@dataclass(frozen=True, slots=True)
class TextQuery:
    """A query that the engine embeds itself, by one of its own models (Qdrant Cloud Inference)."""

    text: str
    model: str


QueryVector = Vector | TextQuery


class SparseVector(NamedTuple):
    """Token ids in ascending order, and their weights."""

    indices: list[int]
    values: list[float]


def own_vector(vector: QueryVector) -> Vector:
    """Return the vector of a query that was embedded by this process.

    Raises:
        EngineError: The query is a `TextQuery`, which this engine cannot embed.
    """
    if isinstance(vector, TextQuery):
        raise EngineError(
            f"this collection cannot embed queries by {vector.model!r} itself: choose a model for it that runs here"
        )
    return vector


def unit(vectors: NDArray[Any]) -> NDArray[np.float64]:
    """Scale vectors, shape (..., dim), to unit length; zero vectors stay zero."""
    return np.asarray(directions(vectors), dtype=np.float64)


def directions(vectors: NDArray[Number]) -> NDArray[Number]:
    """Do the same in the precision that they have: enough to compare by, at half the price."""
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    scaled: NDArray[Number] = np.divide(vectors, norms, out=np.zeros_like(vectors), where=norms > 0)
    return scaled
