#!/usr/bin/env bash
# Guess, written down before this was run: an index on a payload field, other than for full text, makes a filter faster
# and does not change what it finds.
#
# What happens: it changes what is found wherever a value is not of the index's kind, in either direction. Times kept as
# whole seconds match no range of dates, but with an integer index they are taken for microseconds since 1970, so that
# every time of ours is "before 2021" and none after. `except` on a field with a keyword index leaves out the values
# that are numbers. 2020.0, which pandas makes of 2020 in a column with a gap, is not 2020 until there is an integer
# index; and such an index hides 4.5 from every range. All points are still there, and nothing is said.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check qdrant-edge-py==0.9.0
"$folder/venv/bin/python" - "$folder" <<'PYTHON'
import sys
from importlib.metadata import version
from pathlib import Path

import qdrant_edge as edge

print("qdrant-edge-py", version("qdrant-edge-py"))
KINDS = edge.PayloadSchemaType
cases = {
    "whole seconds of 2019 and 2023, until 2021": (
        [1560000000, 1700000000], KINDS.Integer, {"range": edge.RangeDateTime(lt="2021-01-01T00:00:00Z")},
        ([], [1560000000, 1700000000]),
    ),
    "whole seconds of 2019 and 2023, from 2021": (
        [1560000000, 1700000000], KINDS.Integer, {"range": edge.RangeDateTime(gte="2021-01-01T00:00:00Z")}, ([], []),
    ),
    "editions except 'first'": (
        ["first", "second", 3, 2021], KINDS.Keyword, {"match": edge.MatchExcept(["first"])},
        (["second", 3, 2021], ["second"]),
    ),
    "years = 2020": ([2020.0, 2021.0], KINDS.Integer, {"match": edge.MatchValue(2020)}, ([], [2020.0])),
    "ratings of 4 and more": ([3, 4, 4.5, 5], KINDS.Integer, {"range": edge.RangeFloat(gte=4)}, ([4, 4.5, 5], [4, 5])),
}
changed = False
for number, (name, (values, kind, condition, expected)) in enumerate(cases.items()):
    folder = Path(sys.argv[1]) / f"shard{number}"
    folder.mkdir()
    vectors = {"v": edge.EdgeVectorParams(size=1, distance=edge.Distance.Dot)}
    shard = edge.EdgeShard.create(str(folder), edge.EdgeConfig(vectors=vectors))
    points = [edge.Point(n, {"v": [1.0]}, {"field": value}) for n, value in enumerate(values)]
    shard.update(edge.UpdateOperation.upsert_points(points))
    request = edge.ScrollRequest(filter=edge.Filter(must=[edge.FieldCondition("field", **condition)]))
    without = [values[point.id] for point in shard.scroll(request)[0]]
    shard.update(edge.UpdateOperation.create_field_index("field", kind))
    with_index = [values[point.id] for point in shard.scroll(request)[0]]
    print(f"{name}, of {values}: without an index {without}, with the index {kind} {with_index}")
    changed |= (without, with_index) != expected
if changed:
    sys.exit("the behaviour has changed")
PYTHON
