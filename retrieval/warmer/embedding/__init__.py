"""Text to vector."""

import os
from collections.abc import Iterator, Sequence
from typing import Protocol

from warmer.passage import Window
from warmer.vectors import QueryVector, Vector

# ONNX Runtime and the hub's client send usage data to their makers unless told not to before they are imported.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

DEFAULT_MODEL = "sentence-transformers/all-MiniLM-L6-v2"


class Retriever(Protocol):
    """What queries are embedded by.

    Attributes:
        name: What the vectors are said to be from; equal names mean one vector space.
        dim: Length of a vector; 0 where the engine embeds, and nobody here knows.
    """

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def dim(self) -> int: ...  # noqa: D102

    def embed_query(self, text: str) -> QueryVector:
        """Embed a query; shape (dim,)."""
        ...


class Embedder(Retriever, Protocol):
    """A loaded embedding model, for queries and passages."""

    def embed_query(self, text: str) -> Vector:
        """Embed a query; shape (dim,), unit length."""
        ...

    def embed_passages(self, texts: Sequence[str]) -> Iterator[tuple[int, Vector]]:
        """Embed passages in any order; yields the position in `texts` and the vector."""
        ...


class LoadedEmbedder(Embedder, Protocol):
    """A model that runs here.

    Attributes:
        window: How much of a text it reads, where that is known.
    """

    @property
    def window(self) -> Window | None: ...  # noqa: D102
