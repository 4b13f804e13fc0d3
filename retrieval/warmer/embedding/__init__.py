"""Embed texts: protocols of models, and the default model."""

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

from warmer.passage import Window
from warmer.vectors import QueryVector, Vector

if TYPE_CHECKING:  # a server of texts does without it
    from PIL import Image

# ONNX Runtime and the Hugging Face client send telemetry unless this is set before they are imported.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

DEFAULT_MODEL = "sentence-transformers/all-MiniLM-L6-v2"
DEFAULT_DIM = 384


class Retriever(Protocol):
    """A model that embeds queries.

    Attributes:
        name: Name of the model; equal names mean the same vector space.
        dim: Length of a vector; 0 if unknown because the engine embeds.
    """

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def dim(self) -> int: ...  # noqa: D102

    def embed_query(self, text: str) -> QueryVector:
        """Embed a query: a vector of shape (dim,), or a text for the engine to embed."""
        ...


class Embedder(Retriever, Protocol):
    """A model that embeds queries and passages."""

    def embed_query(self, text: str) -> Vector:
        """Embed a query; shape (dim,), unit length."""
        ...

    def embed_passages(self, texts: Sequence[str]) -> Iterator[tuple[int, Vector]]:
        """Embed passages; yield pairs of position in `texts` and vector, in any order."""
        ...


class ImageEmbedder(Retriever, Protocol):
    """A model that embeds queries in words, and pictures, into one space."""

    def embed_images(self, pictures: "Sequence[Image.Image]") -> Sequence[Vector]:
        """Embed decoded pictures, each of mode RGB, in order; shape (dim,) each, unit length."""
        ...


class LoadedEmbedder(Embedder, Protocol):
    """An embedding model that runs in this process.

    Attributes:
        window: The model's context window, if known.
    """

    @property
    def window(self) -> Window | None: ...  # noqa: D102
