"""Fill the collection of mcp-server-qdrant: `python peer_fill.py PASSAGES.jsonl VECTORS.npy FOLDER NAME`.

Runs in the peer's own environment and writes, in qdrant-client's local mode, what the peer would have written.
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
    """Write all passages with their vectors in batches."""
    matrix = np.load(vectors)
    client = QdrantClient(path=folder)
    config = models.VectorParams(size=matrix.shape[1], distance=models.Distance.COSINE)
    client.create_collection(name, {_VECTOR: config})
    payloads = [
        {"document": passage.pop("text"), "metadata": passage}
        for passage in map(json.loads, Path(passages).read_text(encoding="utf-8").splitlines())
    ]
    for start in range(0, len(payloads), _BATCH):
        batch = zip(payloads[start : start + _BATCH], matrix[start : start + _BATCH], strict=True)
        points = [models.PointStruct(id=uuid4().hex, vector={_VECTOR: row.tolist()}, payload=p) for p, row in batch]
        client.upsert(name, points)
    client.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
