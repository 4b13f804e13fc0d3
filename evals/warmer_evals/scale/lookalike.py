"""Synthetic passages, in any number, whose vectors and texts are drawn from those of real collections."""

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
_NOISE = 0.6  # times differences between neighbours; gives the distances and the intrinsic dimension of real vectors
_TEXT_LENGTH = 1000  # characters of a text
_QUERIES = 100  # maximum per dataset
_BATCH = 10_000


@dataclass(frozen=True, slots=True)
class Source:
    """Real passages with vectors of shape (n, dim), and queries with vectors of shape (m, dim)."""

    vectors: Vector
    texts: list[str]
    query_vectors: Vector
    queries: list[str]


def load_source(datasets: Path, cache: Path) -> Source:
    """Read all datasets in a folder, and embed them unless the file `cache` has their vectors."""
    loaded = [load(folder) for folder in sorted(datasets.iterdir()) if (folder / "corpus.jsonl").exists()]
    texts = [f"{one.title}\n{one.text}".strip() for dataset in loaded for one in dataset.documents.values()]
    queries = [query for dataset in loaded for query in list(dataset.queries.values())[:_QUERIES]]
    if not cache.exists():
        embedder = load_embedder()
        vectors = np.zeros((len(texts), embedder.dim), np.float32)
        for position, vector in embedder.embed_passages(texts):
            vectors[position] = vector
        np.savez(cache, vectors=vectors, queries=np.stack([embedder.embed_query(query) for query in queries]))
    stored = np.load(cache)
    return Source(stored["vectors"], texts, stored["queries"], queries)


class Lookalike:
    """Draws passages; equal seeds give equal passages."""

    def __init__(self, source: Source, seed: int = 0) -> None:
        self._vectors = source.vectors
        self._neighbours = neighbours(source.vectors, _NEIGHBOURS)
        self._sentences = [re.split(r"(?<=[.!?])\s+|\n+", text) for text in source.texts]
        self._rng = np.random.default_rng(seed)

    def draw(self, count: int) -> Iterator[tuple[Passage, Vector]]:
        """Yield `count` passages with their vectors, which have unit length."""
        for start in range(0, count, _BATCH):
            size = min(_BATCH, count - start)
            ones, others = self._draw_pairs(size)
            vectors = self._mix(ones, others)
            for n in range(size):
                yield Passage(self._text(ones[n], others[n]), "", f"{start + n}.md", 1), vectors[n]

    def _draw_pairs(self, size: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        ones = self._rng.integers(len(self._neighbours), size=size)
        return ones, self._neighbours[ones, self._rng.integers(_NEIGHBOURS, size=size)]

    def _mix(self, ones: NDArray[np.intp], others: NDArray[np.intp]) -> Vector:
        """Interpolate between vectors and neighbours, and add noise along differences between neighbours.

        Half of those differences are from the same neighbourhood, half from anywhere; shape (len(ones), dim).
        """
        size, source = len(ones), self._vectors
        mixed = source[ones] + self._rng.random((size, 1)) * (source[others] - source[ones])
        for origin in (self._neighbours[ones, self._rng.integers(_NEIGHBOURS, size=size)], self._draw_pairs(size)[0]):
            neighbour = self._neighbours[origin, self._rng.integers(_NEIGHBOURS, size=size)]
            mixed += _NOISE * self._rng.normal(size=(size, 1)) * (source[neighbour] - source[origin])
        return np.asarray(mixed / np.linalg.norm(mixed, axis=1, keepdims=True), dtype=np.float32)

    def _text(self, one: int, other: int) -> str:
        """Join random sentences of both passages and of others."""
        pool = self._sentences[one] + self._sentences[other]
        picked: list[str] = []
        length = 0
        while length < _TEXT_LENGTH:
            if self._rng.random() < 0.2:  # noqa: PLR2004
                pool = self._sentences[self._rng.integers(len(self._sentences))]
            picked.append(pool[self._rng.integers(len(pool))])
            length += len(picked[-1]) + 1
        return " ".join(picked)[:_TEXT_LENGTH]


def neighbours(vectors: Vector, count: int) -> NDArray[np.intp]:
    """Return the positions of each vector's nearest neighbours, nearest first; shape (n, count)."""
    found = []
    for start in range(0, len(vectors), 1000):
        similarity = vectors[start : start + 1000] @ vectors.T
        similarity[np.arange(len(similarity)), np.arange(start, start + len(similarity))] = -np.inf
        nearest = np.argpartition(-similarity, count, axis=1)[:, :count]
        order = np.argsort(-np.take_along_axis(similarity, nearest, 1), axis=1)
        found.append(np.take_along_axis(nearest, order, 1))
    return np.vstack(found)
