"""Builds the shard of a generation, in a process of its own.

Qdrant Edge holds the GIL and much memory while it builds, so the parent stages the points as files and
starts `python -m warmer.publishing.embedded.build FOLDER DIM BEGIN END`, once for each segment.
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
from warmer.publishing.spool import Spool, spooled

SEGMENT = 500_000  # points: what is built at once must fit into memory
_BATCH = 1000


class Stage:
    """Points on their way into a generation: a spool, and their vectors in the same order as raw float32."""

    def __init__(self, folder: Path) -> None:
        self.points = Spool(folder / "points.jsonl")
        self._vectors = (folder / "vectors.f32").open("wb")

    def add(self, id: str, payload: dict[str, Any], vector: np.typing.NDArray[np.float32]) -> None:  # noqa: A002
        """Append one point."""
        self.points.add(id, payload)
        self.add_vector(vector)

    def add_vector(self, vector: np.typing.NDArray[np.float32]) -> None:
        """Append the vector of the next point that was added to `points` alone."""
        self._vectors.write(vector.astype(np.float32, copy=False).tobytes())

    def close(self) -> None:
        """Flush both files."""
        self.points.close()
        self._vectors.close()


def build_in_child(folder: Path, dim: int, *, segment: int = SEGMENT) -> None:
    """Turn the staged points of a generation's folder into its shard.

    Edge gives memory back when its process ends, so each segment of at most `segment` points has one of its own.

    Raises:
        StorageError: A child failed, with what it said.
    """
    points = (folder / "vectors.f32").stat().st_size // (4 * dim)
    segments = max(1, math.ceil(points / segment))
    ends = [points * n // segments for n in range(segments + 1)]
    for begin, end in pairwise(ends):
        _child(folder, dim, begin, end)
    for staged in ("points.jsonl", "vectors.f32"):
        (folder / staged).unlink()


def _child(folder: Path, dim: int, begin: int, end: int) -> None:
    # -P: a numpy.py in the current folder is data here, never code.
    command = [sys.executable, "-P", "-m", "warmer.publishing.embedded.build", *map(str, (folder, dim, begin, end))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:  # noqa: S603
        assert child.stderr
        lines = child.stderr.read().strip().splitlines()
    if child.returncode:
        said = lines[-1:] or ["it said nothing; is the disk full?"]
        raise StorageError(f"building {folder} failed (exit status {child.returncode}): {said[0]}")


def _build(folder: Path, dim: int, begin: int, end: int) -> None:
    shard_folder = folder / "shard"
    if begin:
        shard = edge.EdgeShard.load(str(shard_folder))
    else:
        shard_folder.mkdir()
        shard = edge.EdgeShard.create(str(shard_folder), _config(dim, end))
    points = _points(folder, dim, begin, end)
    while batch := list(islice(points, _BATCH)):
        shard.update(edge.UpdateOperation.upsert_points(batch))
    shard.optimize()
    shard.flush()
    shard.close()


def _config(dim: int, segment: int) -> edge.EdgeConfig:
    """Map vectors and words into memory, and read no more of them than queries need.

    The graph is built and walked on vectors of a byte a number; what it finds is scored by the vectors themselves.
    """
    cold = edge.Memory.Cold
    bytes_ = edge.ScalarQuantizationConfig(type=edge.ScalarType.Int8, quantile=0.99, memory=cold)
    return edge.EdgeConfig(
        vectors={
            DENSE: edge.EdgeVectorParams(
                size=dim, distance=edge.Distance.Cosine, memory=cold, quantization_config=bytes_
            )
        },
        sparse_vectors={LEXICAL: edge.EdgeSparseVectorParams(modifier=edge.Modifier.Idf, memory=cold)},
        optimizers=edge.EdgeOptimizersConfig(max_segment_size=max(1, segment * dim * 4 // 1024)),
        wal_enabled=False,
    )


def _points(folder: Path, dim: int, begin: int, end: int) -> Iterator[edge.Point]:
    with (folder / "vectors.f32").open("rb") as raw:
        raw.seek(4 * dim * begin)
        for id_, payload in islice(spooled(folder / "points.jsonl"), begin, end):
            dense = np.frombuffer(raw.read(4 * dim), dtype=np.float32)
            sparse = document_words(embedded_text(payload["title"], payload["text"]))
            yield edge.Point(native_id(id_), {DENSE: dense.tolist(), LEXICAL: edge.SparseVector(*sparse)}, payload)


def _end_with_parent() -> None:
    sys.stdin.read()
    os._exit(1)


if __name__ == "__main__":
    Thread(target=_end_with_parent, daemon=True).start()
    _build(Path(sys.argv[1]), *map(int, sys.argv[2:]))
