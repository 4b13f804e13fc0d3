"""Immutable builds of an embedded collection: one writer, many readers, an atomic switch.

A collection is a folder:

    CURRENT                  the name of the published generation
    generations/000007-1f3c9a04/   manifest.json and shard/; what they hold never changes
    writer.lock              held by the one process that builds the next generation

A crash at any instant leaves the published generation whole: what CURRENT does not name is refuse, and the next
writer deletes it. Names are never used again: a build that outlives its writer can only write into its own folder.
"""

import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from secrets import token_hex
from typing import Any, Self
from zlib import crc32

from filelock import FileLock, Timeout

from warmer.errors import CollectionError, StorageError
from warmer.index.edge.checksums import Sums

FORMAT = 1
_NAME = re.compile(r"\d{6}-[0-9a-f]{8}")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a generation holds.

    Attributes:
        model: Name of the embedding model.
        dim: Length of a dense vector.
        points: Number of points.
        fields: Payload fields and the JSON type of their values.
        digest: Hash over every id and payload; equal digests mean equal content. Empty: it was not computed.
        roots: What was indexed: label of each folder or file, and its absolute path.
        created: When it was built, in UTC, ISO 8601.
        files: The shard's files, to tell a damaged one.
        sums: Size and checksum of those that stay as they are; empty where an earlier version built it.
        format: Version of this layout.
    """

    model: str
    dim: int
    points: int
    fields: dict[str, str]
    digest: str
    created: str
    files: list[str]
    roots: dict[str, str] = field(default_factory=dict)
    sums: Sums = field(default_factory=dict)
    format: int = FORMAT

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read the manifest of a generation; raises OSError or ValueError where it is damaged."""
        raw = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        if raw.get("format") != FORMAT:
            raise CollectionError(
                f"{folder} has layout {raw.get('format')!r}, this version reads {FORMAT}: index it again"
            )
        checksum = raw.pop("checksum", None)
        if checksum not in {None, _checksum(raw)}:
            raise ValueError("the contents of manifest.json are not what was written")
        return cls(**raw)

    def write(self, folder: Path) -> None:
        """Write the manifest into a generation's folder."""
        raw = asdict(self)
        text = json.dumps({**raw, "checksum": _checksum(raw)}, indent=1)
        (folder / "manifest.json").write_text(text, encoding="utf-8")


class Generations:
    """The generations of one collection, by its folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._pointer = folder / "CURRENT"

    def current(self) -> str | None:
        """Name the published generation; None where nothing was published yet.

        Raises:
            CollectionError: The pointer is damaged.
        """
        try:
            name = self._pointer.read_bytes().strip().decode("ascii", "replace")
        except FileNotFoundError:
            return None
        except OSError as error:
            raise CollectionError(f"cannot read {self._pointer}: {error.strerror or error}") from error
        if not _NAME.fullmatch(name):
            raise CollectionError(f"{self._pointer} is damaged: index all files of the collection again with --replace")
        return name

    def manifest(self) -> Manifest | None:
        """Read the published generation's manifest; None where nothing was published yet."""
        current = self.current()
        return Manifest.read(self.path(current)) if current else None

    def path(self, generation: str) -> Path:
        """Locate a generation's folder."""
        return self.folder / "generations" / generation

    @contextmanager
    def writer(self, *, forget: bool = False) -> Iterator[Path]:
        """Lock the collection and yield the empty folder of the next generation.

        Args:
            forget: Whether to go on where the pointer is damaged.

        Raises:
            CollectionError: The pointer is damaged.
            StorageError: Another process is writing, or the folder cannot be written.
        """
        with self._locked():
            published = self._published(forget)
            with self._written():
                self._sweep(published)
                last = max((_number(path.name) for path in self._all()), default=0)
                ahead = self.path(f"{last + 1:06d}-{token_hex(4)}")
                ahead.mkdir(parents=True)
            try:
                with self._written():
                    yield ahead
            finally:
                self._sweep(self._published(forget=True))

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

    def _published(self, forget: bool) -> str | None:
        try:
            return self.current()
        except CollectionError:
            if not forget:
                raise
            return None

    def _all(self) -> list[Path]:
        return [path for path in (self.folder / "generations").glob("*") if _NAME.fullmatch(path.name)]

    def _sweep(self, published: str | None) -> None:
        """Delete all but the published generation and the one before it; nothing where the pointer misleads."""
        if published is None or not self.path(published).is_dir():
            return
        whole = [path for path in self._all() if (path / "manifest.json").exists()]
        before = [path for path in whole if _number(path.name) < _number(published)]
        kept = {published} | {path.name for path in sorted(before, key=lambda path: _number(path.name))[-1:]}
        for path in self._all():
            if path.name not in kept:
                shutil.rmtree(path, ignore_errors=True)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        lock = FileLock(self.folder / "writer.lock", timeout=0)
        with self._written():
            self.folder.mkdir(parents=True, exist_ok=True)
            try:
                lock.acquire()
            except Timeout as error:
                raise StorageError(
                    f"another process is indexing {self.folder.name!r}: wait until it is done, then try again"
                ) from error
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def _written(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StorageError(f"cannot write {self.folder}: {error.strerror or error}") from error


def _checksum(raw: Mapping[str, Any]) -> int:
    return crc32(json.dumps(raw, sort_keys=True).encode())


def _number(name: str) -> int:
    return int(name[:6])


def _sync(path: Path) -> None:
    if os.name == "nt" and path.is_dir():
        return  # Windows opens no folder, and syncs no file that is open for reading alone
    descriptor = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_tree(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        _sync(path)
    _sync(folder)
