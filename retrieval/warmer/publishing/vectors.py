"""Vectors of what is to be stored: of texts by their model, of anything else by one that takes payloads."""

from collections.abc import Iterator, Sequence
from typing import Protocol, runtime_checkable

from warmer.embedding import Embedder
from warmer.passage import embedded_text
from warmer.publishing.spool import Payload
from warmer.vectors import Vector


@runtime_checkable
class PayloadEmbedder(Protocol):
    """A model that embeds what payloads name, such as pictures; `name` and `dim` are those of `Retriever`."""

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def dim(self) -> int: ...  # noqa: D102

    def embed_payloads(self, payloads: Sequence[Payload]) -> Iterator[tuple[int, Vector]]:
        """Embed what payloads name; yield pairs of position and vector, in any order."""
        ...


def setting_of(embedder: Embedder | PayloadEmbedder) -> str:
    """Name the setting or option that names a model."""
    return "--image-model" if isinstance(embedder, PayloadEmbedder) else "EMBEDDING_MODEL"


def embed_payloads(embedder: Embedder | PayloadEmbedder, payloads: Sequence[Payload]) -> Iterator[tuple[int, Vector]]:
    """Embed what payloads hold or name; yield pairs of position and vector, in any order."""
    if isinstance(embedder, PayloadEmbedder):
        return embedder.embed_payloads(payloads)
    return embedder.embed_passages([embedded_text(payload["title"], payload["text"]) for payload in payloads])
