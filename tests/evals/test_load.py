"""Agents work at once for a moment; speed is not tested."""

import json
from pathlib import Path

from warmer_evals.load.__main__ import main


def test_agents_work_beside_trainings_and_commands(dataset: Path, tmp_path: Path) -> None:
    out = tmp_path / "load.md"
    arguments = [
        "--points",
        "80",
        "--agents",
        "2",
        "--workers",
        "1",
        "--seconds",
        "4",
        "--think",
        "0.01",
        "--pause",
        "1",
    ]
    beside = ["--beside", "train", "index", "prune", "import"]
    main([str(dataset), *arguments, *beside, "--work", str(tmp_path), "--out", str(out)])
    figures = json.loads(out.with_suffix(".json").read_text())
    assert figures["errors"] == {}
    assert all(tool["calls"] for tool in figures["tools"].values())
    assert set(figures["tools"]) == {"search", "give_feedback"}
    assert figures["calls of an agent"]["least"] > 0
    assert figures["resources"]["open files of each worker over time, at most"][0][0] > 0
    assert "| search |" in out.read_text()
    assert str(tmp_path) not in out.read_text()
