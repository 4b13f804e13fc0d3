"""`python -m warmer_evals.words DATASETS RECORDS`: what words give where a collection has no vector for them.

Recorded agents go through threads of fifteen passages, as in `warmer_evals.threads`, over the same passages and
vectors: with Warmer's own sparse vector, by vectors alone, and with words that are read from the texts, as of a
collection that somebody else made. Writes evals/results/words.md.
"""

import asyncio
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from warmer.embedding import Embedder
from warmer.embedding.fastembedder import load as load_embedder
from warmer.index import CANDIDATES, Candidates, DenseQuery, Filter, Index
from warmer.index.remote.words import Fetched, Words, find
from warmer.passage import embedded_text
from warmer.publishing.embedded.published import PublishedGeneration
from warmer.vectors import SparseVector
from warmer_evals import beir
from warmer_evals.bars import Bars
from warmer_evals.threads import MEASURED, SETS, Variant, indexed, play

_OUT = Path("evals/results/words.md")
_SPARSE, _DENSE = "a sparse vector", "vectors alone"
_READ = {"its texts, read whole": 1.0, "its texts, a tenth read": 0.1}


def main(datasets: Path, records: Path) -> None:
    """Measure all datasets; the table is written anew after each."""
    embedder = load_embedder()
    figures: dict[str, dict[str, tuple[float, float]]] = {}
    with Bars() as bars:
        for name in SETS:
            dataset = beir.load(datasets / name)
            figures[name] = asyncio.run(_measure(dataset, records / f"{name}.jsonl", embedder, bars))
            _OUT.write_text(_report(figures), encoding="utf-8")


async def _measure(dataset: beir.Dataset, path: Path, embedder: Embedder, bars: Bars) -> dict[str, tuple[float, float]]:
    catalog, name = await indexed(dataset, embedder, bars)
    stored = PublishedGeneration(catalog.generations(name))
    arms: dict[str, tuple[Index, Variant]] = {
        _SPARSE: (catalog.open(name), Variant()),
        _DENSE: (catalog.open(name), Variant(lexical=False)),
        **{arm: (ReadWords(catalog.open(name), stored, share), Variant()) for arm, share in _READ.items()},
    }
    return await play(dataset, path, embedder, bars, arms)


class ReadWords:
    """The protocol `Index` on an embedded collection whose sparse vector is left aside.

    Words are found as in a server's collection that has none: by the same code, over the same passages.
    """

    def __init__(self, index: Index, stored: PublishedGeneration, share: float) -> None:
        self._index = index
        passages = {id_: embedded_text(one.get("title") or "", one["text"]) for id_, one in stored.payloads()}
        self._texts = passages
        self._words = Words(len(passages), 0, len(passages))
        self._words.add(list(passages.items())[: max(1, round(share * len(passages)))])
        self._words.whole = share == 1

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  the rest of the protocol
        return getattr(self._index, name)

    async def candidates(
        self,
        query: DenseQuery,
        lexical: SparseVector | None = None,
        depth: int = CANDIDATES,
        *,
        where: Filter | None = None,
        without: Sequence[str] = (),
    ) -> Candidates:
        """Find the best points of each leg."""

        async def by_vector(depth: int, keep: Filter | None) -> dict[str, float]:
            found = await self._index.candidates(query, None, depth, where=keep, without=without)
            return dict(zip(found.ids, found.dense.tolist(), strict=True))

        async def search(depth: int, ids: Sequence[str]) -> dict[str, float]:
            named = {"must": [{"has_id": list(ids)}, *([where] if where else [])]}
            return await by_vector(depth, where) | (await by_vector(len(ids), named) if ids else {})

        async def fetch(_: Sequence[str], unread: Sequence[str]) -> Fetched:
            return [], {id_: self._texts[id_] for id_ in unread}

        if lexical is None or not lexical.indices:
            return await self._index.candidates(query, None, depth, where=where, without=without)
        return await find(self._words, lexical, depth, search, fetch, frozenset(without))


def _report(figures: Mapping[str, Mapping[str, tuple[float, float]]]) -> str:
    arms = [_SPARSE, _DENSE, *_READ]
    lines = [
        "# Words where there is no vector for them",
        "",
        "Recorded agents in threads of fifteen passages, over the same passages and vectors; made by",
        "`python -m warmer_evals.words DATASETS RECORDS`. The last column is the share of what a sparse vector gains.",
    ]
    for at, title in enumerate(MEASURED):
        means = {arm: float(np.mean([found[arm][at] for found in figures.values()])) for arm in arms}
        gained = means[_SPARSE] - means[_DENSE]
        rows = [
            [
                arm,
                *(f"{found[arm][at]:.3f}" for found in figures.values()),
                f"{means[arm]:.3f}",
                f"{(means[arm] - means[_DENSE]) / gained:.0%}",
            ]
            for arm in arms
        ]
        columns = ["words from", *figures, "mean", "of the gain"]
        lines += ["", f"## {title[0].upper()}{title[1:]}", ""]
        lines += [f"| {' | '.join(row)} |" for row in [columns, ["---"] * len(columns), *rows]]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:3]))
