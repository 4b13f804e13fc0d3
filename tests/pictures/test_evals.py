"""`warmer-evals run` on a data set whose documents are pictures."""

import json
from pathlib import Path

import pytest
from support import write_jsonl, write_qrels

from warmer_evals.cli import main
from warmer_evals.pictures.drawn import COLOURS, Drawing

Drawn = tuple[Path, list[Drawing]]
ASKED = [*COLOURS][:2]
PICTURES = 40


@pytest.fixture
def dataset(drawn: Drawn, tmp_path: Path) -> Path:
    folder = tmp_path / "drawings"
    folder.mkdir()
    (folder / "photos").mkdir()
    for file in sorted(drawn[0].glob("*.png"))[:PICTURES]:
        (folder / "photos" / file.name).write_bytes(file.read_bytes())
    write_jsonl(folder / "corpus.jsonl", {str(n): {"image": f"photos/{n:03}.png"} for n in range(PICTURES)})
    write_jsonl(folder / "queries.jsonl", {colour: {"text": f"a {colour} circle"} for colour in ASKED})
    fits = [(n, one.colour) for n, one in enumerate(drawn[1][:PICTURES]) if one.shape == "circle"]
    write_qrels(folder, "test", [f"{colour}\t{n}\t1" for n, colour in fits if colour in ASKED])
    return folder


def test_documents_may_be_pictures(dataset: Path, pair: Path, tmp_path: Path) -> None:
    where = ["--dataset", str(dataset), "--cache", str(tmp_path / "cache"), "--out", str(tmp_path / "out")]
    main(["run", *where, "--k", "2", "--n", "5", "--model", str(pair)])
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["methods"]["vanilla"]["ndcg"] > 0
    lines = (dataset / "corpus.jsonl").read_text()
    for named, problem in (("../../secret.png", "in the folder of the dataset"), ("photos/gone.png", "names the pict")):
        (dataset / "corpus.jsonl").write_text(lines.replace("photos/003.png", named))
        with pytest.raises(SystemExit, match=problem):
            main(["run", *where, "--model", str(pair)])
    (dataset / "corpus.jsonl").write_text(lines)
    (dataset / "photos" / "003.png").write_bytes(b"no picture")
    with pytest.raises(SystemExit, match=r"003\.png cannot be evaluated: is not a picture"):
        main(["run", *where, "--model", str(pair)])
