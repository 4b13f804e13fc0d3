"""Give mcp-server-qdrant its collection: `python peer_fill.py PASSAGES.jsonl VECTORS.npy FOLDER NAME`.

It runs in the peer's own environment, and writes by qdrant-client's local mode what the peer would have written.
"""

import json
import sys
from pathlib import Path
from uuid import uuid4

import numpy as np
from qdrant_client import QdrantClient, models

_VECTOR = "fast-all-minilm-l6-v2"
_BATCH = 500


def main(passages: str, vectors: str, folder: str, name: str) -> None:
    """Fill it."""
    matrix = np.load(vectors)
    client = QdrantClient(path=folder)
    config = models.VectorParams(size=matrix.shape[1], distance=models.Distance.COSINE)
    client.create_collection(name, {_VECTOR: config})
    payloads = [
        {"document": passage.pop("text"), "metadata": passage}
        for passage in map(json.loads, Path(passages).read_text(encoding="utf-8").splitlines())
    ]
    for begin in range(0, len(payloads), _BATCH):
        some = zip(payloads[begin : begin + _BATCH], matrix[begin : begin + _BATCH], strict=True)
        points = [models.PointStruct(id=uuid4().hex, vector={_VECTOR: row.tolist()}, payload=p) for p, row in some]
        client.upsert(name, points)
    client.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
