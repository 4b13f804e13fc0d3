"""What a loop costs is counted and written down; how much it is, is nothing for a test."""

import re
import sys
from pathlib import Path

import pytest

from warmer_evals.tokens import main


def test_every_part_of_the_loop_is_counted(dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "tokens.md"
    arguments = [str(dataset), "--points", "36", "--queries", "1", "--work", str(tmp_path), "--out", str(out)]
    main(arguments)
    rows = re.findall(r"^\| (.+?) \| ([\d,]+) \| ([\d,]+) \|$", out.read_text(), re.MULTILINE)
    counted = {row: (int(text.replace(",", "")), int(structured.replace(",", ""))) for row, text, structured in rows}
    assert len(counted) == 9
    parts = [
        counts for row, counts in counted.items() if re.match("scores of|give_feedback|search, 15|two of them", row)
    ]
    loop = counted["the loop: search, scores, 15 new hits, two read whole"]
    assert loop == tuple(sum(column) + 3 for column in zip(*parts, strict=True))
    assert str(tmp_path) not in out.read_text()
    capsys.readouterr()
    with pytest.raises(SystemExit, match=r"cannot count tokens .* pip install bpe-openai"):
        main([*arguments, "--tokenizer", sys.executable])
