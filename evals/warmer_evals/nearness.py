"""Which threads ask for the same: groups of recorded wordings at several thresholds.

    python -m warmer_evals.nearness RECORDS

Of each recorded question two threads are made, of two wordings each: the question and one written before any search,
and two of those written besides. What is grouped is the first wording alone, or the mean direction of all wordings.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from warmer.embedding import Embedder
from warmer.embedding.fastembedder import load
from warmer.journal.nearness import groups
from warmer.journal.use import direction
from warmer.vectors import Vector

_THRESHOLDS = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8)
_QUESTIONS = 60  # of a collection


def main(records: Path) -> None:
    """Print, for each threshold, means over the collections."""
    embedder = load()
    found: dict[tuple[str, float], list[tuple[float, float, float]]] = {}
    for file in sorted(records.glob("*.jsonl")):
        lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()[:_QUESTIONS]]
        own, first, mean = _threads(lines, embedder)
        for name, vectors in (("first wording", first), ("all wordings", mean)):
            for near in _THRESHOLDS:
                found.setdefault((name, near), []).append(_figures(own, groups(vectors, near)))
    console = Console(highlight=False)
    console.print(
        "what is grouped, threshold: pairs of one question together, pairs together of one question, mixed groups"
    )
    for (name, near), figures in found.items():
        console.print(f"{name} {near:.2f}: " + ", ".join(f"{figure:.3f}" for figure in np.mean(figures, axis=0)))


def _threads(lines: Sequence[Mapping[str, Any]], embedder: Embedder) -> tuple[list[int], list[Vector], list[Vector]]:
    own, first, mean = [], [], []
    for number, line in enumerate(lines):
        for pair in _pairs(line):
            vectors = [embedder.embed_query(text) for text in pair]
            own.append(number)
            first.append(vectors[0])
            mean.append(direction(vectors))
    return own, first, mean


def _pairs(line: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    said = [line["query"], *line["before"]["wordings"], *line["after"]]
    yield said[0], said[1]
    if len(said) >= 4:  # noqa: PLR2004
        yield said[2], said[3]


def _figures(own: Sequence[int], found: Sequence[Sequence[int]]) -> tuple[float, float, float]:
    label = np.empty(len(own), dtype=int)
    for number, members in enumerate(found):
        label[list(members)] = number
    asked = np.array(own)
    pairs = np.triu_indices(len(own), 1)
    same, together = (asked[:, None] == asked)[pairs], (label[:, None] == label)[pairs]
    mixed = sum(len({own[position] for position in members}) > 1 for members in found)
    both = float((same & together).sum())
    return both / same.sum(), both / max(1, together.sum()), mixed / len(found)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
