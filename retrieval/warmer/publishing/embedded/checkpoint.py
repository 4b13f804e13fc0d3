"""Vectors embedded for an unpublished generation, kept for the next run if this one is interrupted."""

import json
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import UUID
from zlib import crc32

import numpy as np

from warmer.vectors import Vector

_ID_BYTES, _CHECKSUM_BYTES = 16, 4


class EmbeddingCheckpoint:
    """A file of records (id, vector, CRC-32) beside the generations; a context manager.

    Opening the file drops everything from the first incomplete or damaged record on, and all records of another
    model. Ids are UUIDs from `warmer.passage.identify`, which depend on the embedded text.
    """

    def __init__(self, collection: Path, model: str, dim: int) -> None:
        self._path = collection / "unpublished.f32"
        self._vector_bytes = 4 * dim
        self._header = json.dumps([model, dim]).encode() + b"\n"
        self._records: dict[bytes, int] = {}
        self._file = self._path.open("a+b")

    def __enter__(self) -> Self:
        self._file.seek(0)
        if self._file.readline() != self._header:
            self._file.truncate(0)
            self._file.write(self._header)
        self._file.truncate(self._scan())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def vectors(self, ids: Iterable[str]) -> dict[str, Vector]:
        """Load the vectors, shape (dim,), of those ids that an earlier run embedded."""
        found = {}
        for id_ in ids if self._records else ():
            if offset := self._records.get(UUID(id_).bytes):
                self._file.seek(offset)
                found[id_] = np.frombuffer(self._file.read(self._vector_bytes), np.float32)
        return found

    def add(self, id: str, vector: Vector) -> None:  # noqa: A002
        """Append a vector."""
        record = UUID(id).bytes + vector.astype(np.float32, copy=False).tobytes()
        self._file.write(record + crc32(record).to_bytes(_CHECKSUM_BYTES, "little"))

    def forget(self) -> None:
        """Delete the file, after its vectors have been published."""
        self._path.unlink()

    def _scan(self) -> int:
        """Record the offset of each vector. Returns the end of the last valid record."""
        end = len(self._header)
        self._file.seek(end)
        size = _ID_BYTES + self._vector_bytes + _CHECKSUM_BYTES
        while len(record := self._file.read(size)) == size:
            if crc32(record[:-_CHECKSUM_BYTES]).to_bytes(_CHECKSUM_BYTES, "little") != record[-_CHECKSUM_BYTES:]:
                break
            self._records[record[:_ID_BYTES]] = end + _ID_BYTES
            end += size
        return end
