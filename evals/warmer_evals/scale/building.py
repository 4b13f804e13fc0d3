"""Build a collection as `warmer index` does, and measure time, memory and disk."""

import os
import resource
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from time import perf_counter

import numpy as np

from warmer.index.edge.catalog import Catalog
from warmer.passage import Passage
from warmer.publishing.embedded.publish import index_passages
from warmer.vectors import Vector
from warmer_evals.scale.lookalike import Lookalike

Figures = dict[str, float]

DIM = 384
_MB = 1e6


class _DrawingEmbedder:
    """Draws passages, writes their vectors to a file, and serves as the embedder that reads them back in order."""

    name, dim = "lookalike", DIM

    def __init__(self, source: Lookalike, file: Path) -> None:
        self._source, self._file = source, file
        self._next = 0
        self.seconds = 0.0

    def passages(self, count: int) -> Iterator[Passage]:
        started = perf_counter()
        with self._file.open("wb") as vectors:
            for passage, vector in self._source.draw(count):
                vectors.write(vector.tobytes())
                yield passage
        self.seconds = perf_counter() - started

    def embed_query(self, text: str) -> Vector:
        raise NotImplementedError(text)

    def embed_passages(self, texts: Sequence[str]) -> Iterator[tuple[int, Vector]]:
        vectors = np.memmap(self._file, np.float32, "r", offset=4 * DIM * self._next, shape=(len(texts), DIM))
        self._next += len(texts)
        yield from enumerate(vectors)


def build(source: Lookalike, work: Path, points: int) -> Figures:
    """Publish a collection of `points` passages in `work`, with their vectors in a file beside it."""
    catalog, name = Catalog(work), collection_name(points)
    embedder = _DrawingEmbedder(source, vectors_file(work, points))
    started = perf_counter()
    with _peak_of_children() as peak:
        index_passages(catalog.generations(name), embedder.passages(points), embedder, roots={})
    shard = next((work / "collections" / name / "generations").glob("*/shard"))
    blocks = sum(file.stat().st_blocks for file in shard.rglob("*"))
    children, own = resource.getrusage(resource.RUSAGE_CHILDREN), resource.getrusage(resource.RUSAGE_SELF)
    return {
        "build seconds": perf_counter() - started - embedder.seconds,
        "build child CPU seconds": children.ru_utime + children.ru_stime,
        "build child peak MB, own": peak[0] / _MB,
        "build child peak MB, mapped files": peak[1] / _MB,
        "build parent peak MB": 1024 * own.ru_maxrss / _MB,
        "disk MB": 512 * blocks / _MB,
    }


def collection_name(points: int) -> str:
    """Return the name of the collection of `points` passages."""
    return f"scale-{points}"


def vectors_file(work: Path, points: int) -> Path:
    """Return the file of a collection's vectors: float32, in the order in which passages were drawn."""
    return work / f"{collection_name(points)}.f32"


@contextmanager
def _peak_of_children() -> Iterator[list[float]]:
    """Sample the peak resident memory of child processes in bytes: [anonymous, mapped files]."""
    peak, done = [0.0, 0.0], Event()

    def watch() -> None:
        while not done.wait(0.2):
            for child in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split():
                peak[:] = map(max, peak, resident_bytes(child))

    watcher = Thread(target=watch, daemon=True)
    if sys.platform == "linux":
        watcher.start()
    try:
        yield peak
    finally:
        done.set()


def resident_bytes(process: str = "self") -> tuple[float, float]:
    """Return the resident memory of a process in bytes: (anonymous, mapped files); zeros without /proc."""
    try:
        status = dict(line.split(":", 1) for line in Path(f"/proc/{process}/status").read_text().splitlines())
        own, mapped = (1024.0 * int(status[key].split()[0]) for key in ("RssAnon", "RssFile"))
    except (OSError, KeyError):  # the process ended, or this is not Linux
        return 0.0, 0.0
    return own, mapped
