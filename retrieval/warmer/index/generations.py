"""Immutable builds of an embedded collection: one writer, many readers, an atomic switch.

A collection is a folder:

    CURRENT                  the name of the published generation
    generations/000007/      manifest.json and shard/, written once and never changed
    writer.lock              held by the one process that builds the next generation

A crash at any instant leaves the published generation whole: what CURRENT does not name is refuse, and
the next writer deletes it.
"""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self

from filelock import FileLock, Timeout

from warmer.errors import CollectionError, StorageError

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a generation holds.

    Attributes:
        model: Name of the embedding model.
        dim: Length of a dense vector.
        points: Number of points.
        fields: Payload fields and the JSON type of their values.
        digest: Hash over every id and payload; equal digests mean equal content.
        roots: What was indexed: label of each folder or file, and its absolute path.
        created: When it was built, in UTC, ISO 8601.
        format: Version of this layout.
    """

    model: str
    dim: int
    points: int
    fields: dict[str, str]
    digest: str
    created: str
    roots: dict[str, str] = field(default_factory=dict)
    format: int = FORMAT

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read the manifest of a generation; raises OSError or ValueError where it is damaged."""
        raw = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        if raw.get("format") != FORMAT:
            raise CollectionError(
                f"{folder} has layout {raw.get('format')!r}, this version reads {FORMAT}: index it again"
            )
        return cls(**raw)

    def write(self, folder: Path) -> None:
        """Write the manifest into a generation's folder."""
        (folder / "manifest.json").write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")


class Generations:
    """The generations of one collection, by its folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._pointer = folder / "CURRENT"

    def current(self) -> str | None:
        """Name the published generation; None where nothing was published yet."""
        try:
            return self._pointer.read_text(encoding="ascii").strip() or None
        except FileNotFoundError:
            return None

    def path(self, generation: str) -> Path:
        """Locate a generation's folder."""
        return self.folder / "generations" / generation

    @contextmanager
    def writer(self) -> Iterator[Path]:
        """Lock the collection and yield the empty folder of the next generation.

        Raises:
            StorageError: Another process is writing, or the folder cannot be written.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.folder / "writer.lock", timeout=0)
            with lock:
                self._sweep()
                ahead = self.path(f"{int(self.current() or 0) + 1:06d}")
                ahead.mkdir(parents=True)
                try:
                    yield ahead
                finally:
                    self._sweep()
        except Timeout as error:
            raise StorageError(
                f"another process is indexing {self.folder.name!r}: wait until it is done, then try again"
            ) from error
        except OSError as error:
            raise StorageError(f"cannot write {self.folder}: {error.strerror or error}") from error

    def delete(self) -> None:
        """Delete everything, the pointer first, so that readers find nothing rather than a part; call as the writer."""
        self._pointer.unlink()
        _sync(self.folder)
        shutil.rmtree(self.folder)

    def publish(self, ahead: Path) -> None:
        """Make a finished generation the one that readers see."""
        _sync_tree(ahead)
        _sync(ahead.parent)
        beside = self._pointer.with_suffix(".next")
        beside.write_text(ahead.name + "\n", encoding="ascii")
        _sync(beside)
        beside.replace(self._pointer)
        _sync(self.folder)

    def _sweep(self) -> None:
        """Delete all but the published generation and the one before it."""
        current = self.current()
        published = int(current or 0)
        for old in (self.folder / "generations").glob("*"):
            if not (old.name.isdigit() and published - 1 <= int(old.name) <= published):
                shutil.rmtree(old, ignore_errors=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_tree(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        _sync(path)
    _sync(folder)
