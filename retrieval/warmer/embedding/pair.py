"""Models that see: one for pictures and its twin for words, whose vectors are of one space, both through FastEmbed."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from warmer.embedding.weights import sha256
from warmer.errors import EmbeddingError
from warmer.vectors import Vector, unit

if TYPE_CHECKING:
    from fastembed import ImageEmbedding, TextEmbedding
    from PIL import Image

CLIP = "Qdrant/clip-ViT-B-32-vision"
PAIRS = {
    CLIP: "Qdrant/clip-ViT-B-32-text",
    "jinaai/jina-clip-v1": "jinaai/jina-clip-v1",
    "google/siglip2-base-patch16-224": "google/siglip2-base-patch16-224",
}
_VISION = ("vision/model.onnx", "vision/preprocessor_config.json")
_TEXT = ("text/model.onnx", "text/tokenizer.json", "text/tokenizer_config.json")


class PairEmbedder:
    """A loaded pair of models."""

    window = None

    def __init__(self, name: str, pictures: "ImageEmbedding", words: "TextEmbedding") -> None:
        self.name = name
        self._pictures = pictures
        self._words = words
        self.dim = len(self.embed_query("dimension"))

    def embed_query(self, text: str) -> Vector:
        """Embed words; shape (dim,), unit length."""
        return self.embed_batch([text], [])[0]

    def embed_batch(self, queries: Sequence[str], passages: Sequence[str]) -> list[Vector]:
        """Embed words, all alike; unit length."""
        return [_unit(vector) for vector in self._words.embed([*queries, *passages])]

    def embed_passages(self, texts: Sequence[str]) -> Iterator[tuple[int, Vector]]:
        """Embed words that describe pictures, as queries are."""
        yield from enumerate(self.embed_batch(texts, []) if texts else [])

    def embed_images(self, pictures: "Sequence[Image.Image]") -> list[Vector]:
        """Embed decoded pictures, in order; unit length."""
        return [_unit(vector) for vector in self._pictures.embed(list(pictures))]


def full_pair_name(model: str) -> str:
    """Return the name by which FastEmbed knows a pair's model of pictures, or an empty string."""
    return next((known for known in PAIRS if model.lower() in {known.lower(), PAIRS[known].lower()}), "")


def is_pair_folder(folder: Path) -> bool:
    """Tell whether a folder is one of a pair: with a folder `vision`."""
    return (folder / "vision").is_dir()


def load_pair(model: str) -> PairEmbedder:
    """Load a pair by the name of its model of pictures, or from a folder.

    A folder has CLIP's layout: `vision/` with model.onnx and preprocessor_config.json, `text/` with model.onnx,
    tokenizer.json and tokenizer_config.json. FastEmbed's classes of CLIP run both, of whatever dimensions.

    Raises:
        EmbeddingError: There is no such pair, a file is missing, or the two models give vectors of different lengths.
    """
    from fastembed import ImageEmbedding, TextEmbedding  # noqa: PLC0415

    try:
        if is_pair_folder(folder := Path(model).expanduser()):
            name = _local_name(folder)
            pictures = ImageEmbedding(CLIP, specific_model_path=str(folder / "vision"))
            words = TextEmbedding(PAIRS[CLIP], specific_model_path=str(folder / "text"), enable_cpu_mem_arena=False)
        elif name := full_pair_name(model):
            pictures = ImageEmbedding(name)
            words = TextEmbedding(PAIRS[name], enable_cpu_mem_arena=False)
        else:
            raise ValueError("there is no such pair")  # noqa: TRY301
        return _checked(PairEmbedder(name, pictures, words))
    except EmbeddingError:
        raise
    except Exception as error:
        raise EmbeddingError(
            f"cannot load the model of pictures {model!r}: {error}. Name one that FastEmbed can fetch "
            f"({', '.join(PAIRS)}), or a folder with the folders vision and text"
        ) from error


def _local_name(folder: Path) -> str:
    if missing := [name for name in (*_VISION, *_TEXT) if not (folder / name).is_file()]:
        raise EmbeddingError(f"the folder of the model of pictures {folder} lacks {', '.join(missing)}")
    sums = "".join(sha256(folder / name) for name in (_VISION[0], _TEXT[0]))
    return f"{folder.resolve().name}@{sums[:6]}{sums[64:70]}"


def _checked(pair: PairEmbedder) -> PairEmbedder:
    from PIL import Image  # noqa: PLC0415

    seen = pair.embed_images([Image.new("RGB", (64, 64), "white")])[0].size
    if seen != pair.dim:
        raise EmbeddingError(
            f"{pair.name} is not a pair: its vectors of pictures have {seen} dimensions, those of words {pair.dim}"
        )
    return pair


def _unit(vector: Any) -> Vector:  # noqa: ANN401
    return unit(np.asarray(vector)).astype(np.float32)
