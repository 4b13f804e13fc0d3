"""`warmer-evals render`: the pages of a report again, without evaluating."""

import json
from pathlib import Path

import pytest
from evals.reports import run_report

from warmer_evals.beir import load
from warmer_evals.cli import main
from warmer_evals.report import write


def test_a_page_is_made_again_and_given_texts(
    tmp_path: Path, dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = run_report(2, skipped=0, texts=False)
    documents = list(load(dataset).documents)[:3]
    report["per_query"][0]["seeds"] = [[document, 0.5] for document in documents]
    write(report, tmp_path)
    before = (tmp_path / "report.html").read_bytes()
    (tmp_path / "report.html").unlink()
    main(["render", str(tmp_path)])
    assert capsys.readouterr().out == f"{tmp_path / 'report.html'}\n"
    assert (tmp_path / "report.html").read_bytes() == before
    main(["render", str(tmp_path), "--dataset", str(dataset)])
    assert sorted(json.loads((tmp_path / "report.json").read_text("utf-8"))["texts"]) == sorted(documents)


@pytest.mark.parametrize(
    ("content", "expected"),
    [(None, "cannot read"), ("{", "is not JSON"), ("[]", "not a report of"), ('{"kind": "x"}', "not a report of")],
)
def test_what_is_no_report_is_left_alone(content: str | None, expected: str, tmp_path: Path) -> None:
    if content:
        (tmp_path / "report.json").write_text(content, "utf-8")
    with pytest.raises(SystemExit, match=expected):
        main(["render", str(tmp_path)])
    assert [path.read_text("utf-8") for path in tmp_path.iterdir()] == [content] * bool(content)


def test_texts_come_from_the_reports_own_dataset(tmp_path: Path, dataset: Path) -> None:
    write(run_report(2, skipped=0, texts=False), tmp_path)
    before = (tmp_path / "report.json").read_bytes()
    with pytest.raises(SystemExit, match="no passage of the report on 'med' is in"):
        main(["render", str(tmp_path), "--dataset", str(dataset)])
    assert (tmp_path / "report.json").read_bytes() == before
