#!/usr/bin/env bash
# Guess, written down before this was run: a number in a payload comes back as it was. A double has a shortest decimal
# form that reads back as the same double, so that it does not matter that Qdrant keeps payloads as JSON.
#
# What happens: of times in seconds since 1970, as Python's time.time() gives them, about one in five comes back changed
# in its last bit, so that `stored == sent` and "newer than" between equal times are wrong now and then. Rounded to
# microseconds, 16 digits, all come back; so do short decimals. Qdrant reads JSON with serde_json without its feature
# `float_roundtrip`, which is exact for up to 15 to 17 digits only, depending on the number.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check qdrant-edge-py==0.9.0
"$folder/venv/bin/python" - "$folder/shard" <<'PYTHON'
import random
import sys
from importlib.metadata import version
from pathlib import Path

import qdrant_edge as edge

print("qdrant-edge-py", version("qdrant-edge-py"), "on Python", sys.version.split()[0])
folder = Path(sys.argv[1])
folder.mkdir()
vectors = {"v": edge.EdgeVectorParams(size=1, distance=edge.Distance.Dot)}
shard = edge.EdgeShard.create(str(folder), edge.EdgeConfig(vectors=vectors))
random.seed(1)
whole = [random.uniform(1.5e9, 2e9) for _ in range(5000)]
kinds = {
    "times as time.time() gives them": whole,
    "times rounded to microseconds": [round(one, 6) for one in whole],
    "scores with two decimals": [round(random.uniform(0, 10), 2) for _ in range(5000)],
}
changed = {}
for kind, numbers in kinds.items():
    points = [edge.Point(n, {"v": [1.0]}, {"at": number}) for n, number in enumerate(numbers)]
    shard.update(edge.UpdateOperation.upsert_points(points))
    found = {int(point.id): point.payload["at"] for point in shard.retrieve(list(range(5000)), True, False)}
    different = [(numbers[n], found[n]) for n in range(5000) if found[n] != numbers[n]]
    changed[kind] = len(different)
    print(f"{kind}: {len(different)} of 5000 came back changed", *(f"(sent {a!r}, read {b!r})" for a, b in different[:1]))
if not (changed.pop("times as time.time() gives them") and not any(changed.values())):
    sys.exit("the behaviour has changed")
PYTHON
