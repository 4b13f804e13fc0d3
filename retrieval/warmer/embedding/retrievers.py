"""Which retriever embeds the queries of which collection."""

import re
from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np

from warmer.embedding import Retriever
from warmer.embedding.background import BackgroundEmbedder
from warmer.errors import EmbeddingError
from warmer.vectors import TextQuery, Vector

_OWN = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
_CLOUD = "cloud:"


class Retrievers:
    """Loads each retriever once, when it is first needed.

    Args:
        default: What embeds queries, unless `by_collection` says otherwise: a FastEmbed name, the folder of an ONNX
            model, `cloud:<model>` for one that Qdrant Cloud runs, or `module:Class` for one of your own.
        by_collection: Collection -> the same, for that collection alone.
        load: Loads the first two kinds.
    """

    def __init__(self, default: str, by_collection: Mapping[str, str], load: Callable[[str], Retriever]) -> None:
        self._default = default
        self._by_collection = by_collection
        self._load = load
        self._made: dict[str, BackgroundEmbedder] = {}

    def start(self) -> None:
        """Begin to load the default one."""
        self._of(self._default).start()

    def of(self, collection: str) -> BackgroundEmbedder:
        """Give the one that a collection is searched with."""
        return self._of(self._by_collection.get(collection, self._default))

    def _of(self, spec: str) -> BackgroundEmbedder:
        if spec not in self._made:
            self._made[spec] = BackgroundEmbedder(cache(lambda: load_retriever(spec, self._load)))
        return self._made[spec]


def load_retriever(spec: str, load: Callable[[str], Retriever]) -> Retriever:
    """Load a retriever of any kind.

    Raises:
        EmbeddingError: There is none of that name, or it cannot embed.
    """
    if spec.startswith(_CLOUD):
        return CloudRetriever(spec.removeprefix(_CLOUD))
    return OwnRetriever(spec) if _OWN.fullmatch(spec) else load(spec)


class CloudRetriever:
    """A model that Qdrant Cloud runs: the query goes there as text."""

    dim = 0

    def __init__(self, model: str) -> None:
        self.name = model

    def embed_query(self, text: str) -> TextQuery:
        """Leave the embedding to the engine."""
        return TextQuery(text, self.name)


class OwnRetriever:
    """A class of the user's own with a method `embed_query(text)` that gives a list of numbers.

    Its attribute `name` says what the vectors are from, if it has one; otherwise it is `module:Class`.
    """

    def __init__(self, spec: str) -> None:
        module, _, name = spec.partition(":")
        try:
            self._retriever: Any = getattr(import_module(module), name)()
        except Exception as error:
            raise EmbeddingError(
                f"cannot load the retriever {spec}: {type(error).__name__}: {error}. It must be a class without "
                "arguments in a module on PYTHONPATH"
            ) from error
        self._spec = spec
        self.name = str(getattr(self._retriever, "name", spec))
        self.dim = self.embed_query("dimension").size

    def embed_query(self, text: str) -> Vector:
        """Embed a query.

        Raises:
            EmbeddingError: The class failed, or gave something else than numbers.
        """
        try:
            vector = np.asarray(self._retriever.embed_query(text), dtype=np.float32)
        except Exception as error:
            raise EmbeddingError(
                f"the retriever {self._spec} failed on {text[:60]!r}: {type(error).__name__}: {error}"
            ) from error
        if vector.ndim != 1 or not vector.size or not np.isfinite(vector).all():
            raise EmbeddingError(
                f"the retriever {self._spec} gave an array of shape {vector.shape} for {text[:60]!r}: embed_query must "
                "give a list of finite numbers"
            )
        return vector


def same_model(one: str, other: str) -> bool:
    """Tell whether two names are of one model; who published it and the letters' case do not matter."""
    return one == other or _bare(one) == _bare(other)


def _bare(name: str) -> str:
    return name.rsplit("/", 1)[-1].lower()
