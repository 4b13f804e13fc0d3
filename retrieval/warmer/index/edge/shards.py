"""Opening and asking a shard of Qdrant Edge, whose errors are bare exceptions and panics."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import qdrant_edge as edge

from warmer.errors import CollectionError
from warmer.index.edge.checksums import damaged
from warmer.index.edge.generations import Generations, Manifest


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
        Exception: Whatever Edge raises, or ValueError where files are damaged or points missing.
    """
    manifest = Manifest.read(folder)
    if missing := set(manifest.files) - set(shard_files(folder)):
        raise ValueError(f"{min(missing)} is missing")
    if damage := damaged(folder / "shard", manifest.sums):
        raise ValueError(damage)
    shard = edge.EdgeShard.load(str(folder / "shard"))
    if (points := shard.info().points_count) != manifest.points:
        raise ValueError(f"it holds {points} points, not {manifest.points}")
    return manifest, shard


def verify(generations: Generations) -> str:
    """Read all of the published generation, however large; gives in words what was verified.

    Raises:
        CollectionError: It is damaged; the message names the file.
    """
    with readable(generations.folder):
        folder = generations.path(generations.current() or "")
        manifest = Manifest.read(folder)
        if damage := damaged(folder / "shard", manifest.sums, thorough=True):
            raise ValueError(damage)
        load(folder)
    if not manifest.sums:
        return "not verified: an earlier version built it, without checksums"
    return f"verified: {len(manifest.sums)} files are as they were written"


def shard_files(folder: Path) -> list[str]:
    """List the files of a generation's shard, but for those that a load takes away."""
    shard = folder / "shard"
    files = (path for path in shard.rglob("*") if path.is_file() and path.name != "tracker_journal.dat")
    return sorted(path.relative_to(shard).as_posix() for path in files)
