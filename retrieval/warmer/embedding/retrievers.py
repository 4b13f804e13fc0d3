"""Choose and load the retriever that embeds the queries of a collection."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from warmer.embedding import DEFAULT_DIM, DEFAULT_MODEL, ImageEmbedder, Retriever
from warmer.embedding.background import BackgroundEmbedder
from warmer.errors import EmbeddingError
from warmer.vectors import TextQuery, Vector

if TYPE_CHECKING:
    from PIL import Image

_CUSTOM = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
_CLOUD = "cloud:"


class Retrievers:
    """Loads each retriever once, on first use.

    Args:
        default: The retriever of collections not in `by_collection`: a FastEmbed name, the folder of an ONNX model,
            `cloud:<model>` for a model that Qdrant Cloud runs, or `module:Class` for a custom class.
        by_collection: Collection -> its retriever, in the same forms.
        load: Loads a model by FastEmbed name or folder.
        pictures: The retriever of collections of pictures not in `by_collection`.
        load_pictures: Loads that.
    """

    def __init__(
        self,
        default: str,
        by_collection: Mapping[str, str],
        load: Callable[[str], Retriever],
        pictures: str = "",
        load_pictures: Callable[[str], Retriever] | None = None,
    ) -> None:
        self._default = default
        self._by_collection = by_collection
        self._load = load
        self._pictures = pictures or default
        self._load_pictures = load_pictures or load
        self._by_spec: dict[str, BackgroundEmbedder] = {}

    def start(self) -> None:
        """Start loading the default retriever."""
        self._load_once(self._default, self._load).start()

    def of(self, collection: str, *, pictures: bool = False) -> BackgroundEmbedder:
        """Return the retriever of a collection, which may be one of pictures."""
        if pictures and collection not in self._by_collection:
            return self._load_once(self._pictures, self._load_pictures)
        return self._load_once(self._by_collection.get(collection, self._default), self._load)

    def _load_once(self, spec: str, load: Callable[[str], Retriever]) -> BackgroundEmbedder:
        if spec not in self._by_spec:
            self._by_spec[spec] = BackgroundEmbedder(cache(lambda: load_retriever(spec, load)))
        return self._by_spec[spec]


def load_retriever(spec: str, load: Callable[[str], Retriever]) -> Retriever:
    """Load a retriever given in one of the forms that `Retrievers` takes.

    Raises:
        EmbeddingError: There is no such retriever, or it cannot embed.
    """
    if spec.startswith(_CLOUD):
        return CloudRetriever(spec.removeprefix(_CLOUD))
    return CustomRetriever(spec) if _CUSTOM.fullmatch(spec) else load(spec)


def load_image_embedder(spec: str, load: Callable[[str], ImageEmbedder]) -> ImageEmbedder:
    """Load a model of pictures: `module:Class`, or what `load` takes.

    Raises:
        EmbeddingError: There is no such model, or it cannot embed.
    """
    return CustomImageEmbedder(spec) if _CUSTOM.fullmatch(spec) else load(spec)


class CloudRetriever:
    """A model that Qdrant Cloud runs; queries are sent as text."""

    dim = 0

    def __init__(self, model: str) -> None:
        self.name = model

    def embed_query(self, text: str) -> TextQuery:
        """Wrap the text for the engine to embed."""
        return TextQuery(text, self.name)


class CustomRetriever:
    """A user-defined class with a method `embed_query(text)` that returns a list of numbers.

    Its name is the class's attribute `name`, or else `module:Class`.
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
            EmbeddingError: The class failed, or did not return a list of finite numbers.
        """
        try:
            vector = np.asarray(self._retriever.embed_query(text), dtype=np.float32)
        except Exception as error:
            raise EmbeddingError(
                f"the retriever {self._spec} failed on {text[:60]!r}: {type(error).__name__}: {error}"
            ) from error
        if vector.ndim != 1 or not vector.size or not np.isfinite(vector).all():
            raise EmbeddingError(
                f"the retriever {self._spec} returned an array of shape {vector.shape} for {text[:60]!r}: embed_query "
                "must return a list of finite numbers"
            )
        return vector


class CustomImageEmbedder(CustomRetriever):
    """A user-defined class that has a method `embed_images(pictures)` too, which returns a list of vectors.

    It gets decoded pictures (Pillow's, of mode RGB).
    """

    def embed_images(self, pictures: "Sequence[Image.Image]") -> list[Vector]:
        """Embed pictures, in order.

        Raises:
            EmbeddingError: The class has no such method, failed, or did not return a vector of finite numbers for each.
        """
        if not hasattr(self._retriever, "embed_images"):
            raise EmbeddingError(f"the retriever {self._spec} cannot embed pictures: give it embed_images(pictures)")
        try:
            vectors = np.asarray(list(self._retriever.embed_images(list(pictures))), dtype=np.float32)
        except Exception as error:
            raise EmbeddingError(
                f"the retriever {self._spec} failed on {len(pictures)} pictures: {type(error).__name__}: {error}"
            ) from error
        if vectors.shape != (len(pictures), self.dim) or not np.isfinite(vectors).all():
            raise EmbeddingError(
                f"the retriever {self._spec} returned an array of shape {vectors.shape} for {len(pictures)} pictures: "
                f"embed_images must return a list of {self.dim} finite numbers for each"
            )
        return list(vectors)


def same_model(one: str, other: str) -> bool:
    """Return whether two names mean the same model, regardless of publisher and case."""
    return one == other or _base_name(one) == _base_name(other)


def _base_name(name: str) -> str:
    return name.rsplit("/", 1)[-1].lower()


def full_name(name: str) -> str:
    """Return the name by which FastEmbed loads a model, from one without its publisher, as `bge-small-en` is."""
    if _base_name(DEFAULT_MODEL) == _base_name(name):
        return DEFAULT_MODEL
    return next((known for known in _dims() if _base_name(known) == _base_name(name)), name)


def dim_of(model: str) -> int:
    """Return the length of a model's vectors without loading it, or 0 if it is unknown."""
    return DEFAULT_DIM if same_model(model, DEFAULT_MODEL) else _dims().get(full_name(model), 0)


@cache
def _dims() -> dict[str, int]:
    """List FastEmbed's models with the length of their vectors. Importing it takes half a second."""
    from fastembed import TextEmbedding  # noqa: PLC0415

    return {str(known["model"]): int(known["dim"] or 0) for known in TextEmbedding.list_supported_models()}
