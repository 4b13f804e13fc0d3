"""Opening and asking a shard of Qdrant Edge, whose errors are bare exceptions and panics."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import qdrant_edge as edge

from warmer.errors import CollectionError
from warmer.index import DENSE
from warmer.index.generations import Manifest


@contextmanager
def readable(collection: Path) -> Iterator[None]:
    """Say of which collection an error is, and what to do; a panic must not end the process."""
    try:
        yield
    except CollectionError:
        raise
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        raise CollectionError(
            f"collection {collection.name!r} in {collection} cannot be read ({type(error).__name__}: {error}): its "
            "disk must be writable and have room; if it is damaged, index all its files again with --replace"
        ) from error


def load(folder: Path) -> tuple[Manifest, edge.EdgeShard]:
    """Load a generation.

    Raises:
        Exception: Whatever Edge raises, or ValueError where files or points are missing.
    """
    manifest = Manifest.read(folder)
    if missing := set(manifest.files) - set(shard_files(folder)):
        raise ValueError(f"{min(missing)} is missing")
    shard = edge.EdgeShard.load(str(folder / "shard"))
    if (points := shard.info().points_count) != manifest.points:
        raise ValueError(f"it holds {points} points, not {manifest.points}")
    return manifest, shard


def warm(folder: Path) -> None:
    """Read a generation's vectors and words, so that the system has them in its cache.

    Edge drops them from it whenever it closes a shard, so that the next process would wait for the disk at each step.
    """
    segments, block = folder / "shard" / "segments", bytearray(1 << 20)
    for part in ("vector_index-*", f"vector_storage-{DENSE}"):
        for file in segments.glob(f"*/{part}/*.*"):
            with suppress(OSError), file.open("rb", buffering=0) as opened:  # the generation may be gone already
                while opened.readinto(block):
                    pass


def shard_files(folder: Path) -> list[str]:
    """List the files of a generation's shard, but for those that a load takes away."""
    shard = folder / "shard"
    files = (path for path in shard.rglob("*") if path.is_file() and path.name != "tracker_journal.dat")
    return sorted(path.relative_to(shard).as_posix() for path in files)
