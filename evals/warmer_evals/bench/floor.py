"""A minimal search server: the SDK, Edge and ONNX Runtime, with nothing checked, stored or explained.

Run as a script: `python floor.py SHARD MODEL TOKENIZER`.
"""

import sys
from functools import cache
from typing import Any

from mcp.server import MCPServer
from mcp.types import CallToolResult, TextContent

SHARD, MODEL, TOKENIZER = sys.argv[1:]


@cache
def _loaded() -> tuple[Any, Any, Any]:
    import onnxruntime  # noqa: PLC0415
    import qdrant_edge  # noqa: PLC0415
    from tokenizers import Tokenizer  # noqa: PLC0415

    options = onnxruntime.SessionOptions()
    options.enable_cpu_mem_arena = False
    session = onnxruntime.InferenceSession(MODEL, options, providers=["CPUExecutionProvider"])
    tokenizer = Tokenizer.from_file(TOKENIZER)
    tokenizer.no_padding()
    tokenizer.enable_truncation(256)
    return qdrant_edge.EdgeShard.load(SHARD), session, tokenizer


def _embed(text: str) -> list[float]:
    import numpy as np  # noqa: PLC0415

    _, session, tokenizer = _loaded()
    encoded = tokenizer.encode(text)
    inputs = {"input_ids": encoded.ids, "attention_mask": encoded.attention_mask, "token_type_ids": encoded.type_ids}
    wanted = {one.name for one in session.get_inputs()}
    tokens = session.run(None, {name: np.array([ids], np.int64) for name, ids in inputs.items() if name in wanted})[0]
    vector = np.asarray(tokens[0]).mean(axis=0)
    return (vector / np.linalg.norm(vector)).tolist()  # type: ignore[no-any-return]


server = MCPServer("floor", log_level="WARNING")


@server.tool()
async def search(query: str, limit: int = 10) -> CallToolResult:
    """Search by vectors alone."""
    import qdrant_edge as edge  # noqa: PLC0415

    nearest = edge.Query.Nearest(_embed(query), using="dense")
    points = _loaded()[0].query(edge.QueryRequest(limit=limit, query=nearest, with_payload=True))
    return CallToolResult(content=[TextContent(type="text", text=str(point.payload["text"])) for point in points])


if __name__ == "__main__":
    server.run("stdio")
