"""Builds the shard of a generation in child processes.

Qdrant Edge holds the GIL and much memory while it builds. So the parent stages the points as files and runs
`python -m warmer.publishing.embedded.build FOLDER DIM BEGIN END` once per segment.
"""

import math
import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice, pairwise
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import qdrant_edge as edge

from warmer.errors import StorageError
from warmer.index import DENSE, LEXICAL
from warmer.index.bm25 import document_words
from warmer.passage import embedded_text, native_id
from warmer.publishing.spool import Spool, read_spool

SEGMENT = 500_000  # points built at once, which must fit into memory
_BATCH = 1000


class Stage:
    """Files with the points of a generation to build: a spool, and the vectors as raw float32 in the same order.

    Attributes:
        points: Ids and payloads.
    """

    def __init__(self, folder: Path) -> None:
        self.points = Spool(folder / "points.jsonl")
        self._vectors = (folder / "vectors.f32").open("wb")

    def add(self, id: str, payload: dict[str, Any], vector: np.typing.NDArray[np.float32]) -> None:  # noqa: A002
        """Append a point."""
        self.points.add(id, payload)
        self.add_vector(vector)

    def add_vector(self, vector: np.typing.NDArray[np.float32]) -> None:
        """Append the vector of the next point that was added to `points` only."""
        self._vectors.write(vector.astype(np.float32, copy=False).tobytes())

    def close(self) -> None:
        """Flush and close both files."""
        self.points.close()
        self._vectors.close()


def build_in_child(folder: Path, dim: int, *, segment: int = SEGMENT) -> None:
    """Build the shard from the staged points in a generation's folder, and delete the staged files.

    Each segment of at most `segment` points is built by its own process, since Edge frees memory only on exit.

    Raises:
        StorageError: A child failed; the message has the last line of its stderr.
    """
    points = (folder / "vectors.f32").stat().st_size // (4 * dim)
    segments = max(1, math.ceil(points / segment))
    ends = [points * n // segments for n in range(segments + 1)]
    for begin, end in pairwise(ends):
        _run_child(folder, dim, begin, end)
    for name in ("points.jsonl", "vectors.f32"):
        (folder / name).unlink()


def _run_child(folder: Path, dim: int, begin: int, end: int) -> None:
    # -P keeps a numpy.py in the current folder from being imported.
    command = [sys.executable, "-P", "-m", "warmer.publishing.embedded.build", *map(str, (folder, dim, begin, end))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:  # noqa: S603
        assert child.stderr
        lines = child.stderr.read().strip().splitlines()
    if child.returncode:
        reason = lines[-1] if lines else "it said nothing; is the disk full?"
        raise StorageError(f"building {folder} failed (exit status {child.returncode}): {reason}")


def _build(folder: Path, dim: int, begin: int, end: int) -> None:
    shard_folder = folder / "shard"
    if begin:
        shard = edge.EdgeShard.load(str(shard_folder))
    else:
        shard_folder.mkdir()
        shard = edge.EdgeShard.create(str(shard_folder), _shard_config(dim, end))
    points = _read_points(folder, dim, begin, end)
    while batch := list(islice(points, _BATCH)):
        shard.update(edge.UpdateOperation.upsert_points(batch))
    shard.optimize()
    shard.flush()
    shard.close()


def _shard_config(dim: int, segment: int) -> edge.EdgeConfig:
    """Map vectors and words into memory on demand, and search an HNSW graph of int8 vectors with exact rescoring."""
    cold = edge.Memory.Cold
    int8 = edge.ScalarQuantizationConfig(type=edge.ScalarType.Int8, quantile=0.99, memory=cold)
    return edge.EdgeConfig(
        vectors={
            DENSE: edge.EdgeVectorParams(size=dim, distance=edge.Distance.Cosine, memory=cold, quantization_config=int8)
        },
        sparse_vectors={LEXICAL: edge.EdgeSparseVectorParams(modifier=edge.Modifier.Idf, memory=cold)},
        optimizers=edge.EdgeOptimizersConfig(max_segment_size=max(1, segment * dim * 4 // 1024)),
        wal_enabled=False,
    )


def _read_points(folder: Path, dim: int, begin: int, end: int) -> Iterator[edge.Point]:
    with (folder / "vectors.f32").open("rb") as raw:
        raw.seek(4 * dim * begin)
        for id_, payload in islice(read_spool(folder / "points.jsonl"), begin, end):
            dense = np.frombuffer(raw.read(4 * dim), dtype=np.float32)
            sparse = document_words(embedded_text(payload["title"], payload["text"]))
            yield edge.Point(native_id(id_), {DENSE: dense.tolist(), LEXICAL: edge.SparseVector(*sparse)}, payload)


def _exit_with_parent() -> None:
    """Exit once stdin is closed, which happens when the parent ends."""
    sys.stdin.read()
    os._exit(1)


if __name__ == "__main__":
    Thread(target=_exit_with_parent, daemon=True).start()
    _build(Path(sys.argv[1]), *map(int, sys.argv[2:]))
