"""Vectors that were embedded for a generation that is not published yet: a run that breaks off keeps them."""

import json
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import UUID
from zlib import crc32

import numpy as np

from warmer.vectors import Vector

_ID, _CHECK = 16, 4  # bytes


class EmbeddingCheckpoint:
    """A file of records (id, vector, checksum) beside the generations, of one model.

    What a process that was killed wrote is good up to the first record that is torn. A file of another model is
    begun anew. Ids are UUIDs that say what was embedded, as `warmer.passage.identify` gives them.
    """

    def __init__(self, collection: Path, model: str, dim: int) -> None:
        self._path = collection / "unpublished.f32"
        self._width = 4 * dim
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
        """Fetch those vectors that an earlier run embedded."""
        found = {}
        for id_ in ids if self._records else ():
            if offset := self._records.get(UUID(id_).bytes):
                self._file.seek(offset)
                found[id_] = np.frombuffer(self._file.read(self._width), np.float32)
        return found

    def add(self, id: str, vector: Vector) -> None:  # noqa: A002
        """Append a vector."""
        record = UUID(id).bytes + vector.astype(np.float32, copy=False).tobytes()
        self._file.write(record + crc32(record).to_bytes(_CHECK, "little"))

    def forget(self) -> None:
        """Delete the file, once its vectors are published."""
        self._path.unlink()

    def _scan(self) -> int:
        """Note where each vector is; gives the end of the last whole record."""
        end = len(self._header)
        self._file.seek(end)
        size = _ID + self._width + _CHECK
        while len(record := self._file.read(size)) == size:
            if crc32(record[:-_CHECK]).to_bytes(_CHECK, "little") != record[-_CHECK:]:
                break
            self._records[record[:_ID]] = end + _ID
            end += size
        return end
