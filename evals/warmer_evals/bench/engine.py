"""Time spent in the engine: opening, the first list, Qdrant's feedback query alone and as served."""

import asyncio
from collections.abc import Awaitable, Sequence
from pathlib import Path
from time import perf_counter
from typing import TypeVar

from warmer.embedding import Embedder
from warmer.index import DenseQuery
from warmer.index.edge.catalog import Catalog
from warmer.steering.feedback import steer
from warmer.steering.params import Params
from warmer.steering.ranking import rank
from warmer_evals.bench import Row
from warmer_evals.bench.collection import NAME

EDGE = "Edge alone"
_SCORE_COUNTS = 5, 15
Answer = TypeVar("Answer")


def measure(data_dir: Path, embedder: Embedder, queries: Sequence[str], *, opens: int, calls: int) -> list[Row]:
    """Measure in this process, without a server.

    Args:
        data_dir: Data directory of the collection.
        embedder: Embedder of the collection.
        queries: Queries, used in turn.
        opens: How often to open the collection.
        calls: How many queries to make.
    """
    return asyncio.run(_measure(data_dir, embedder, queries, opens, calls))


async def _measure(data_dir: Path, embedder: Embedder, queries: Sequence[str], opens: int, calls: int) -> list[Row]:
    clock = _Clock()
    for _ in range(opens):
        index = Catalog(data_dir).open(NAME)
        await clock.time("open the collection", index.info())
    for call in range(calls):
        text = queries[call % len(queries)]
        vector = embedder.embed_query(text)
        first = await clock.time("first list, 15 hits", index.search(vector, max(_SCORE_COUNTS), text=text))
        passages = {hit.id: hit.passage for hit in first}
        for scores in _SCORE_COUNTS:
            scored = [(hit.id, hit.vector, n % 10 / 10) for n, hit in enumerate(first[:scores])]
            if steering := steer(vector, scored, Params()):
                seen = [id_ for id_, *_ in scored]
                query = DenseQuery(vector, steering.items, steering.coefficients)
                words, share = steering.lexical(text, passages), steering.share
                for what, lexical, near in (("vectors alone", None, 0.0), ("as served", words, steering.neighbours)):
                    ranking = rank(index, query, 5, lexical=lexical, share=share, neighbours=near, without=seen)
                    await clock.time(f"feedback, {scores} scores, {what}", ranking)
    return list(clock.rows.values())


class _Clock:
    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}

    async def time(self, what: str, call: Awaitable[Answer]) -> Answer:
        started = perf_counter()
        answer = await call
        row = self.rows.setdefault(what, Row(f"engine: {what}", "ms", {EDGE: []}))
        row.values[EDGE].append(1000 * (perf_counter() - started))
        return answer
