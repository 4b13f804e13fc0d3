"""Time spent in the engine: opening, the first list, Qdrant's feedback query alone and as served."""

import asyncio
from collections.abc import Awaitable, Sequence
from pathlib import Path
from time import perf_counter
from typing import TypeVar

from warmer.embedding import Embedder
from warmer.index.edge.catalog import Catalog
from warmer.steering.feedback import Example
from warmer.steering.params import Params
from warmer.steering.ranking import nearest, rank
from warmer.steering.thread import compose
from warmer.steering.wording import Wording
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
        wordings = [Wording("query", text, vector)]
        plain = compose(wordings, Params())
        first = await clock.time("first list, 15 hits", rank(index, plain, max(_SCORE_COUNTS)))
        for scores in _SCORE_COUNTS:
            seen = first[:scores]
            examples = [Example(hit.id, hit.vector, n % 10 / 10, hit.passage) for n, hit in enumerate(seen)]
            query, without = compose(wordings, Params(), examples), [hit.id for hit in seen]
            await clock.time(
                f"feedback, {scores} scores, vectors alone", nearest(index, query.dense, 5, without=without)
            )
            await clock.time(f"feedback, {scores} scores, as served", rank(index, query, 5, without=without))
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
