#!/usr/bin/env bash
# Guess, written down before this was run: of Qdrant in the process (qdrant-edge-py, the engine in Rust) and the local
# mode of qdrant-client (in Python, where True == 1), the engine keeps true and 1 apart, and the local mode may not.
#
# What happens: it is the other way round. `MatchValue(True)` of qdrant-edge-py, whose signature has `bool`, becomes
# `MatchValue(1)`: a filter for true finds the points whose payload is the number 1, and none whose payload is true,
# with an index for booleans as well. `must_not` lets all points through. The local mode answers as the server does.
# There is no error, and no points is what a filter may well find.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check qdrant-edge-py==0.9.0 qdrant-client==1.20.0
"$folder/venv/bin/python" - "$folder/shard" <<'PYTHON'
import sys
from importlib.metadata import version
from pathlib import Path

import qdrant_edge as edge
from qdrant_client import QdrantClient, models

print("qdrant-edge-py", version("qdrant-edge-py"), "qdrant-client", version("qdrant-client"))
values = [True, False, 1, 0]
folder = Path(sys.argv[1])
folder.mkdir()
vectors = {"v": edge.EdgeVectorParams(size=1, distance=edge.Distance.Dot)}
shard = edge.EdgeShard.create(str(folder), edge.EdgeConfig(vectors=vectors))
points = [edge.Point(n, {"v": [1.0]}, {"public": value}) for n, value in enumerate(values)]
shard.update(edge.UpdateOperation.upsert_points(points))
client = QdrantClient(":memory:")
client.create_collection("c", vectors_config=models.VectorParams(size=1, distance=models.Distance.DOT))
client.upsert("c", [models.PointStruct(id=n, vector=[1.0], payload={"public": one}) for n, one in enumerate(values)])


def engine(clause, value):
    condition = edge.FieldCondition("public", match=edge.MatchValue(value))
    found, _ = shard.scroll(edge.ScrollRequest(filter=edge.Filter(**{clause: [condition]})))
    return [values[point.id] for point in found]


def local(clause, value):
    condition = models.FieldCondition(key="public", match=models.MatchValue(value=value))
    found, _ = client.scroll("c", scroll_filter=models.Filter(**{clause: [condition]}))
    return [values[point.id] for point in found]


print("edge.MatchValue(True).value is", repr(edge.MatchValue(True).value))
plain, expected = [], []
for clause, value in (("must", True), ("must", False), ("must_not", True)):
    by_engine, by_local = engine(clause, value), local(clause, value)
    print(f"{clause} public = {value}, of {values}: the engine finds {by_engine}, the local mode {by_local}")
    plain.append((by_engine, by_local))
schema = edge.PayloadSchemaType.Bool
shard.update(edge.UpdateOperation.create_field_index("public", schema))
indexed = engine("must", True)
print(f"must public = True with an index for booleans: the engine finds {indexed}")
# repr, since 1 == True here too
seen = repr([*plain, indexed])
if seen != "[([1], [True]), ([0], [False]), ([True, False, 0], [False, 1, 0]), [1]]":
    sys.exit("the behaviour has changed")
PYTHON
