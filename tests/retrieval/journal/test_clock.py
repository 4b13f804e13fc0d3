"""Times that come back from Qdrant as they were."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import qdrant_edge as edge

from warmer.journal.clock import exact


def test_times_to_the_microsecond_survive_the_engine(tmp_path: Path) -> None:
    times = np.random.default_rng(0).uniform(1.5e9, 4e9, 2000).tolist()
    assert read_back(tmp_path / "whole", times) != times, "rounding is needed no more"
    rounded = [exact(one) for one in times]
    assert read_back(tmp_path / "rounded", rounded) == rounded


def read_back(folder: Path, times: Sequence[float]) -> list[float]:
    folder.mkdir()
    size = edge.EdgeVectorParams(size=1, distance=edge.Distance.Dot)
    shard = edge.EdgeShard.create(str(folder), edge.EdgeConfig(vectors={"v": size}))
    points = [edge.Point(n, {"v": [1.0]}, {"at": at}) for n, at in enumerate(times)]
    shard.update(edge.UpdateOperation.upsert_points(points))
    found = shard.retrieve(list(range(len(times))), True, False)
    return [(point.payload or {})["at"] for point in sorted(found, key=lambda point: int(point.id))]
