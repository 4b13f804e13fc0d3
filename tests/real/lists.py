"""Whether a server gives the lists that the embedded engine gives, and how long each takes."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import anyio
import numpy as np

from real import Result
from real.nodes import Node
from warmer.index import Hit, Index
from warmer.index.edge.catalog import Catalog
from warmer.index.remote.client import Connection, connect
from warmer.index.remote.engine import QdrantIndex
from warmer.steering.feedback import Example
from warmer.steering.params import Params
from warmer.steering.ranking import rank
from warmer.steering.thread import compose
from warmer.steering.wording import Wording
from warmer_server.models import load_embedder
from warmer_server.settings import read_settings

_ROOT = Path(__file__).parents[2]
_QUERIES, _ROUNDS, _SHOWN = 50, 3, 15
_NAME = "lists"


def compare(node: Node) -> Iterator[Result]:
    """Index this repository's documentation in both, then search and score in rounds."""
    with TemporaryDirectory(prefix="warmer-lists-") as folder:
        sources = [str(path) for path in (_ROOT / "README.md", _ROOT / "docs", _ROOT / "evals" / "results")]
        for url in ("embedded", node.url):
            command = [
                sys.executable,
                "-m",
                "warmer_server.cli",
                "index",
                *sources,
                "--collection",
                _NAME,
                "--url",
                url,
            ]
            subprocess.run(command, env={"WARMER_DATA_DIR": folder, "PATH": ""}, check=True, capture_output=True)
        yield from anyio.run(_compare, node, Path(folder))


async def _compare(node: Node, folder: Path) -> list[Result]:
    remote = connect(Connection(node.url, grpc_port=node.grpc_port))
    here, there = Catalog(folder).open(_NAME), QdrantIndex(remote, _NAME)
    info = await here.info()
    sample = sorted({str(one["title"] or one["text"])[:80] for one in await here.sample()})[:_QUERIES]
    embedder = load_embedder(read_settings().embedding_model)
    same = {0: 0, **dict.fromkeys(range(1, _ROUNDS + 1), 0)}
    took = {"embedded": [0.0, 0.0], "server": [0.0, 0.0]}
    for number, text in enumerate(sample):
        wording = Wording("query", text, embedder.embed_query(text))
        scored: list[Example] = []
        random = np.random.default_rng(number)
        for turn in range(_ROUNDS + 1):
            lists = []
            for kind, index in (("embedded", here), ("server", there)):
                began = perf_counter()
                lists.append(await _listed(index, wording, scored))
                took[kind][min(turn, 1)] += perf_counter() - began
            same[turn] += [hit.id for hit in lists[0]] == [hit.id for hit in lists[1]]
            scores = random.integers(0, 11, len(lists[0])) / 10
            scored += [Example(h.id, h.vector, float(s), h.passage) for h, s in zip(lists[0][:5], scores, strict=False)]
    again = {tuple(hit.id for hit in await _listed(there, wording, ())) for _ in range(12)}
    await remote.close()
    count = len(sample)
    results = [
        Result(
            f"{count} searches of {info.points} passages: lists as embedded", f"{same[0]} of {count}", same[0] == count
        )
    ]
    steered = sum(same[turn] for turn in range(1, _ROUNDS + 1))
    whole = count * _ROUNDS
    results.append(Result("three rounds of feedback: lists as embedded", f"{steered} of {whole}", steered == whole))
    results.append(Result("twelve equal searches", f"{len(again)} list(s)", len(again) == 1))
    for kind, (search, feedback) in took.items():
        said = f"search {search / count * 1000:.1f} ms, feedback {feedback / whole * 1000:.1f} ms"
        results.append(Result(f"time, {kind}", said))
    return results


async def _listed(index: Index, wording: Wording, scored: Sequence[Example]) -> list[Hit]:
    query = compose([wording], Params(), scored)
    return await rank(index, query, _SHOWN, without=[one.id for one in scored])
