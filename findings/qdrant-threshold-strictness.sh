#!/usr/bin/env bash
# Guess, written down before this was run: `score_threshold`, which for a plain search leaves out a point whose score
# equals it (Qdrant's reference says "better than this threshold"), does so for every kind of query.
#
# What happens: a plain search, one that rescores what was prefetched, MMR and recommendations leave the equal score
# out; fusion and formulas keep it. The same points with the same scores, 1, 0.75, 0.5 and 0.25, come back as two from a
# search with the threshold 0.5 and as three from the formula `$score` over that search. Scores of fusion are few round
# fractions, so that a threshold often is one of them. Engine and local mode of the client agree.
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
scores = {1: 1.0, 2: 0.75, 3: 0.5, 4: 0.25}
folder = Path(sys.argv[1])
folder.mkdir()
vectors = {"v": edge.EdgeVectorParams(size=1, distance=edge.Distance.Dot)}
shard = edge.EdgeShard.create(str(folder), edge.EdgeConfig(vectors=vectors))
points = [edge.Point(n, {"v": [score]}, {}) for n, score in scores.items()]
shard.update(edge.UpdateOperation.upsert_points(points))
client = QdrantClient(":memory:")
client.create_collection("c", vectors_config={"v": models.VectorParams(size=1, distance=models.Distance.DOT)})
client.upsert("c", [models.PointStruct(id=n, vector={"v": [score]}) for n, score in scores.items()])

nearest, near = edge.Query.Nearest([1.0], "v"), models.NearestQuery(nearest=[1.0])
ours, theirs = [edge.Prefetch(limit=4, query=nearest)], [models.Prefetch(limit=4, query=near, using="v")]
like, alike = edge.RecommendQuery([[1.0]], []), models.RecommendInput(positive=[[1.0]], strategy="sum_scores")
# name: the engine's query, its prefetches, the client's query, its prefetches, the threshold
kinds = {
    "search": (nearest, [], near, None, 0.5),
    "search over a search": (nearest, ours, near, theirs, 0.5),
    "recommendation": (
        edge.Query.RecommendSumScores(like, "v"), [], models.RecommendQuery(recommend=alike), None, 0.5,
    ),
    "formula $score over a search": (
        edge.Formula(edge.Expression.Variable("$score")), ours, models.FormulaQuery(formula="$score"), theirs, 0.5,
    ),
    "fusion by rank of one search": (edge.Fusion.Rrf(2), ours, models.RrfQuery(rrf=models.Rrf(k=2)), theirs, 0.25),
}
seen = {}
for name, (by_engine, prefetches, by_client, prefetch, threshold) in kinds.items():
    request = edge.QueryRequest(limit=4, query=by_engine, prefetches=prefetches, score_threshold=threshold)
    found = [(point.id, round(point.score, 3)) for point in shard.query(request)]
    using = None if name.startswith(("formula", "fusion")) else "v"
    local = client.query_points("c", by_client, using=using, prefetch=prefetch, score_threshold=threshold).points
    print(f"{name}, threshold {threshold}: the engine finds {found}, the local mode", [point.id for point in local])
    seen[name] = len(found), len(local), found[-1][1] == threshold
strict, inclusive = (2, 2, False), (3, 3, True)
if list(seen.values()) != [strict, strict, strict, inclusive, inclusive]:
    sys.exit("the behaviour has changed")
PYTHON
