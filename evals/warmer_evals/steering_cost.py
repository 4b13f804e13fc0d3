"""What a second retrieval costs in the engine: `python -m warmer_evals.steering_cost [POINTS]`.

It makes a collection of clustered random vectors and texts of random words, in a temporary folder, and prints medians
in milliseconds, as JSON: the first list, Qdrant's feedback query alone, and feedback as it is served, on vectors and
words, with 5 and with 15 scores.
"""

import asyncio
import json
import sys
import tempfile
from collections.abc import Awaitable, Iterator, Sequence
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np

from warmer.embedding import Embedder
from warmer.index import Hit, Vector
from warmer.index.catalog import Catalog
from warmer.indexing import index_passages
from warmer.passage import Passage
from warmer.steering import Params, steer

_DIM, _CLUSTERS, _VOCABULARY, _WORDS = 384, 200, 20_000, 40
_CALLS = 30


class _Clustered:
    """Vectors around random centres: no model is needed to measure an engine."""

    name, dim = "clustered", _DIM

    def __init__(self) -> None:
        self._rng = np.random.default_rng(0)
        self._centres = self._rng.normal(size=(_CLUSTERS, _DIM))

    def embed_query(self, text: str) -> Vector:  # noqa: ARG002
        vector = self._centres[self._rng.integers(_CLUSTERS)] + self._rng.normal(size=_DIM)
        return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)

    def embed_passages(self, texts: Sequence[str]) -> Iterator[tuple[int, Vector]]:
        for position, text in enumerate(texts):
            yield position, self.embed_query(text)


def main(points: int) -> dict[str, Any]:
    """Make the collection and measure."""
    rng, embedder = np.random.default_rng(1), _Clustered()
    vocabulary = np.minimum(rng.zipf(1.3, size=(points, _WORDS)), _VOCABULARY)
    passages = [Passage(" ".join(f"word{n}" for n in row), "", f"{n}.md", 1) for n, row in enumerate(vocabulary)]
    with tempfile.TemporaryDirectory() as folder:
        catalog = Catalog(Path(folder))
        index_passages(catalog.generations("cost"), passages, embedder, roots={})
        return {"points": points, **asyncio.run(_measure(catalog, embedder, passages))}


async def _measure(catalog: Catalog, embedder: Embedder, passages: Sequence[Passage]) -> dict[str, float]:
    index, figures = catalog.open("cost"), dict[str, list[float]]()

    async def timed(what: str, asked: Awaitable[list[Hit]]) -> list[Hit]:
        begun = perf_counter()
        hits = await asked
        figures.setdefault(what, []).append(1000 * (perf_counter() - begun))
        return hits

    for passage in passages[:_CALLS]:
        vector, text = embedder.embed_query(""), " ".join(passage.text.split()[:6])
        first = await timed("first list, 15 hits", index.search(vector, 15, text=text))
        for scores in (5, 15):
            seen = [hit.id for hit in first[:scores]]
            scored = [(hit.id, hit.vector, n % 10 / 10) for n, hit in enumerate(first[:scores])]
            steering = steer(vector, scored, Params())
            assert steering
            words = steering.lexical(text, {hit.id: hit.passage for hit in first})
            items, coefficients = steering.items, steering.coefficients
            for what, leg, near in (("vectors alone", None, 0.0), ("as served", words, steering.neighbours)):
                asked = index.feedback(vector, items, coefficients, 5, words=leg, neighbours=near, without=seen)
                await timed(f"feedback, {scores} scores, {what}", asked)
    return {what: round(median(times), 2) for what, times in figures.items()}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(int(sys.argv[1]) if sys.argv[1:] else 100_000), indent=1) + "\n")
