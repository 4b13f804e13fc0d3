"""`python -m warmer_evals.replay DATASET OUT`: make a fixed set of calls over MCP and write down the hits of each.

Comparing the output of two builds with `diff` shows whether a change moves any list. Each query is searched for and
gets two rounds of scores, which depend only on the documents of the hits.
"""

import asyncio
import json
import sys
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

from warmer.embedding.fastembedder import load as load_embedder
from warmer_evals import beir
from warmer_evals.agent.server import Server, serve
from warmer_evals.bars import Bars
from warmer_evals.collection import TITLE_AND_TEXT, build

_QUERIES, _HITS, _ROUNDS = 50, 10, 2


def main(dataset: Path, out: Path) -> None:
    """Search for the first queries of a dataset, and write a JSON line per call."""
    loaded, embedder = beir.load(dataset), load_embedder()
    data_dir = user_cache_path("warmer", appauthor=False)
    with Bars() as bars:
        name = build(loaded, TITLE_AND_TEXT, embedder, data_dir, bars.steps(f"{loaded.name}: documents"))
    out.write_text("".join(asyncio.run(_replay(loaded, data_dir, name, embedder.name))), encoding="utf-8")


async def _replay(dataset: beir.Dataset, data_dir: Path, collection: str, model: str) -> list[str]:
    lines = []
    async with serve(data_dir, collection, model) as server:
        for id_, query in list(dataset.queries.items())[:_QUERIES]:
            reply = await _call(server, "search", {"query": query, "limit": _HITS})
            lines.append(_json_line(id_, "search", reply))
            for number in range(1, _ROUNDS + 1):
                scores = {str(hit["hit"]): _score(hit["source"]) for hit in reply["hits"][:5]}
                arguments = {"search_id": reply["search_id"], "scores": scores, "limit": _HITS}
                reply = await _call(server, "give_feedback", arguments)
                lines.append(_json_line(id_, f"feedback {number}", reply))
    return lines


async def _call(server: Server, tool: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    content: dict[str, Any] | None = (await server.call(tool, arguments)).structured_content
    assert content is not None
    return content


def _json_line(query: str, call: str, reply: Mapping[str, Any]) -> str:
    return json.dumps([query, call, [[hit["hit"], hit["source"]] for hit in reply["hits"]]]) + "\n"


def _score(document: str) -> int:
    return zlib.crc32(document.encode()) % 11


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:3]))
