"""All measurements are taken and reported; their values are not tested."""

import json
from pathlib import Path

from warmer_evals.bench.__main__ import main


def test_every_measurement_is_taken_and_reported(dataset: Path, tmp_path: Path) -> None:
    out = tmp_path / "bench.md"
    arguments = ["--points", "80", "--starts", "1", "--calls", "1", "--work", str(tmp_path), "--out", str(out)]
    main([str(dataset), *arguments])
    rows = {row["what"]: row for row in json.loads(out.with_suffix(".json").read_text())["rows"]}
    assert {server for row in rows.values() for server in row["values"]} == {"warmer", "floor", "Edge alone"}
    assert all(value > 0 for row in rows.values() for values in row["values"].values() for value in values)
    text = out.read_text()
    assert all(f"| {what} |" in text for what in rows)
    assert "80 passages, 36 of them documents of subjects" in text
    assert str(tmp_path) not in text
