"""Any number of passages that look real: vectors and texts drawn from those of real collections."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from warmer.embedding.fastembedder import load as load_embedder
from warmer.passage import Passage
from warmer.vectors import Vector
from warmer_evals.beir import load

_NEIGHBOURS = 10
_NOISE = 0.6  # of differences between neighbours: as far from each other, in as many dimensions, as real vectors are
_LENGTH = 1000  # characters of a text
_QUERIES = 100  # of a data set at most
_BATCH = 10_000


@dataclass(frozen=True, slots=True)
class Real:
    """What is drawn from: passages with vectors, shape (n, dim), and queries with theirs, shape (m, dim)."""

    vectors: Vector
    texts: list[str]
    query_vectors: Vector
    queries: list[str]


def real(datasets: Path, cache: Path) -> Real:
    """Read all data sets in a folder, and embed them unless the file `cache` holds their vectors."""
    sets = [load(folder) for folder in sorted(datasets.iterdir()) if (folder / "corpus.jsonl").exists()]
    texts = [f"{one.title}\n{one.text}".strip() for set_ in sets for one in set_.documents.values()]
    queries = [query for set_ in sets for query in list(set_.queries.values())[:_QUERIES]]
    if not cache.exists():
        embedder = load_embedder()
        vectors = np.zeros((len(texts), embedder.dim), np.float32)
        for position, vector in embedder.embed_passages(texts):
            vectors[position] = vector
        np.savez(cache, vectors=vectors, queries=np.stack([embedder.embed_query(query) for query in queries]))
    kept = np.load(cache)
    return Real(kept["vectors"], texts, kept["queries"], queries)


class Lookalike:
    """Draws passages; equal seeds draw equal ones."""

    def __init__(self, source: Real, seed: int = 0) -> None:
        self._vectors = source.vectors
        self._near = neighbours(source.vectors, _NEIGHBOURS)
        self._sentences = [re.split(r"(?<=[.!?])\s+|\n+", text) for text in source.texts]
        self._rng = np.random.default_rng(seed)

    def draw(self, count: int) -> Iterator[tuple[Passage, Vector]]:
        """Draw passages and their vectors, of unit length."""
        for begin in range(0, count, _BATCH):
            size = min(_BATCH, count - begin)
            ones, others = self._pairs(size)
            vectors = self._mix(ones, others)
            for n in range(size):
                yield Passage(self._text(ones[n], others[n]), "", f"{begin + n}.md", 1), vectors[n]

    def _pairs(self, size: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        ones = self._rng.integers(len(self._near), size=size)
        return ones, self._near[ones, self._rng.integers(_NEIGHBOURS, size=size)]

    def _mix(self, ones: NDArray[np.intp], others: NDArray[np.intp]) -> Vector:
        """Go some of the way from one vector to a neighbour, then aside as neighbours differ: here, and elsewhere."""
        size, known = len(ones), self._vectors
        mixed = known[ones] + self._rng.random((size, 1)) * (known[others] - known[ones])
        for place in (self._near[ones, self._rng.integers(_NEIGHBOURS, size=size)], self._pairs(size)[0]):
            aside = self._near[place, self._rng.integers(_NEIGHBOURS, size=size)]
            mixed += _NOISE * self._rng.normal(size=(size, 1)) * (known[aside] - known[place])
        return np.asarray(mixed / np.linalg.norm(mixed, axis=1, keepdims=True), dtype=np.float32)

    def _text(self, one: int, other: int) -> str:
        """Join sentences of both passages, and of others, in any order."""
        pool = self._sentences[one] + self._sentences[other]
        picked: list[str] = []
        length = 0
        while length < _LENGTH:
            if self._rng.random() < 0.2:  # noqa: PLR2004
                pool = self._sentences[self._rng.integers(len(self._sentences))]
            picked.append(pool[self._rng.integers(len(pool))])
            length += len(picked[-1]) + 1
        return " ".join(picked)[:_LENGTH]


def neighbours(vectors: Vector, count: int) -> NDArray[np.intp]:
    """Find each vector's nearest others, nearest first; shape (n, count)."""
    found = []
    for begin in range(0, len(vectors), 1000):
        similarity = vectors[begin : begin + 1000] @ vectors.T
        similarity[np.arange(len(similarity)), np.arange(begin, begin + len(similarity))] = -np.inf
        nearest = np.argpartition(-similarity, count, axis=1)[:, :count]
        order = np.argsort(-np.take_along_axis(similarity, nearest, 1), axis=1)
        found.append(np.take_along_axis(nearest, order, 1))
    return np.vstack(found)
