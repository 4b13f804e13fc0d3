import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from warmer_evals import EvalError, beir
from warmer_evals.agent.budgets import MOST, Budget, Ledger
from warmer_evals.agent.records import Record, load_records
from warmer_evals.agent.scoring import ModelScores, load_scores
from warmer_evals.cli import main

SHARED = Path(__file__).parents[3] / "shared"
WHOLE = ("search", "reword", "feedback", "thread", "fused")
ROUNDS = ("reword", "feedback", "thread")
BUDGET = 900

Play = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def lines(dataset: Path) -> list[dict[str, Any]]:
    """Records of all six queries: each wording is about another's subject too, and three of five hits were scored."""
    loaded = beir.load(dataset)
    texts = list(loaded.queries.values())
    ids = list(loaded.documents)
    return [
        {
            "id": id_,
            "query": query,
            "before": {"ideal": f"This passage answers it. {query}", "wordings": [query.upper(), texts[at - 1]]},
            "hits": ids[3 * at : 3 * at + 3],
            "scores": [9, 4, 0],
            "after": [f"more of this: {query}", texts[at - 2]],
        }
        for at, (id_, query) in enumerate(loaded.queries.items())
    ]


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def write(*lines: object) -> Path:
        path = tmp_path / "records.jsonl"
        path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
        return path

    return write


@pytest.fixture
def play(dataset: Path, lines: list[dict[str, Any]], write: Callable[..., Path], cache: Path, tmp_path: Path) -> Play:
    records = write(*lines)

    def play(*arguments: str) -> dict[str, Any]:
        out = tmp_path / "report"
        where = ["--dataset", str(dataset), "--cache", str(cache), "--out", str(out)]
        main(["agent", *where, "--agent", f"recorded:{records}", *arguments])
        report: dict[str, Any] = json.loads((out / "report.json").read_text(encoding="utf-8"))
        return report

    return play


def of_arm(report: dict[str, Any], arm: str) -> list[dict[str, Any]]:
    return [entry["arms"][arm] for entry in report["per_query"]]


def test_every_arm_shows_as_many_passages(play: Play, dataset: Path, tmp_path: Path) -> None:
    report = play()
    assert [report[key] for key in ("kind", "agent", "scores")] == ["agent", "recorded:records.jsonl", "recorded"]
    assert [report[key] for key in ("budget", "unit", "n")] == [15, "passages", 10]
    assert tuple(report["arms"]) == WHOLE
    texts = beir.load(dataset).documents
    for arm, told in report["arms"].items():
        assert (told["queries"], told["hits_read"]) == (6, 15)
        for figure in "ndcg", "first5", "characters":
            assert told["ci"][figure][0] <= told[figure] <= told["ci"][figure][1]
        for played in of_arm(report, arm):
            shown = [document for hits in played["rounds"] for document, _ in hits]
            assert len(set(shown)) == 15
            assert played["characters"] == sum(len(texts[document].text) for document in shown)
    for arm in "feedback", "thread":
        assert {tuple(map(len, played["rounds"])) for played in of_arm(report, arm)} == {(5, 5, 5)}
    assert {len(played["rounds"]) for arm in ("search", "fused") for played in of_arm(report, arm)} == {1}
    assert {arm: report["arms"][arm]["calls"] for arm in WHOLE} == dict(zip(WHOLE, (1, 3, 3, 3, 4), strict=True))
    for arm in WHOLE:
        compared = report["comparison"].get(arm, {})
        assert sum(compared.get(f"ndcg_{side}", 0) for side in ("wins", "losses", "ties")) == (arm != "thread") * 6
    scores = report["recorded"]
    assert (scores["records"], scores["not_judged"]) == (6, 0)
    assert 0 < scores["scores_recorded"] <= 18
    assert scores["scores_drawn"] > 0
    assert "Thread or rewording on subjects?" in (tmp_path / "report" / "report.md").read_text("utf-8")
    assert play() == report


def test_no_arm_shows_more_characters_and_none_stops_before(play: Play, dataset: Path) -> None:
    report = play("--characters", str(BUDGET), "--limit", "3", "--ids-only")
    assert set(report["arms"]) == {*WHOLE, "reword_skim"}
    longest = max(len(document.text) for document in beir.load(dataset).documents.values())
    assert report["texts"] == {}
    for arm in report["arms"]:
        for played in of_arm(report, arm):
            assert BUDGET - longest < played["characters"] <= BUDGET
    assert all(len(played["rounds"]) >= 2 for played in of_arm(report, "thread"))


def test_where_nobody_scores_words_alone_steer(play: Play) -> None:
    report = play("--scores", "none", "--limit", "2")
    assert tuple(report["arms"]) == WHOLE
    assert {len(played["rounds"]) for arm in ROUNDS for played in of_arm(report, arm)} == {3}
    shown = [hit for arm in WHOLE for played in of_arm(report, arm) for hits in played["rounds"] for hit in hits]
    assert {score for _, score in shown} == {None}
    assert (report["recorded"]["scores_recorded"], report["recorded"]["scores_drawn"]) == (0, 0)


def test_perfect_scores_are_the_judgments(play: Play, dataset: Path) -> None:
    report = play("--scores", "perfect", "--limit", "2", "--passages", "9")
    qrels = beir.load(dataset).qrels["test"]
    for entry in report["per_query"]:
        *scored, last = entry["arms"]["thread"]["rounds"]
        assert [len(hits) for hits in scored] == [3, 3]
        assert all(score == 5 * qrels[entry["id"]].get(document, 0) for hits in scored for document, score in hits)
        assert {score for _, score in last} == {None}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("no json", "line 2 is not a record: not JSON"),
        ([], "line 2 is not a record: record: "),
        ({"before": {"ideal": "", "wordings": []}}, r"line 2 is not a record: before\.ideal: .*at least 1 character"),
        ({"scores": [11, 4, 0]}, r"line 2 is not a record: scores\.0: .*less than or equal to 10"),
        ({"scores": [9]}, "line 2 is not a record: .*3 hits have 1 scores"),
        ({"after": None}, r"line 2 is not a record: after: "),
        ({"id": "q99"}, r"line 2: subjects has no query 'q99'\. Choose the records of this dataset"),
        ({"id": "q0"}, "line 2: the query 'q0' appears a second time"),
    ],
)
def test_what_is_no_record_is_told_with_its_line(
    dataset: Path, lines: list[dict[str, Any]], write: Callable[..., Path], change: Any, said: str
) -> None:
    second = lines[1] | change if isinstance(change, dict) else change
    with pytest.raises(EvalError, match=said):
        load_records(write(lines[0], second), beir.load(dataset))


def test_records_that_are_not_there_are_told(
    dataset: Path, write: Callable[..., Path], tmp_path: Path, lines: list[dict[str, Any]], cache: Path
) -> None:
    with pytest.raises(EvalError, match=r"cannot read the records .*none\.jsonl"):
        load_records(tmp_path / "none.jsonl", beir.load(dataset))
    with pytest.raises(EvalError, match="is empty"):
        load_records(write(), beir.load(dataset))
    (dataset / "qrels" / "other.tsv").write_text("query\tdocument\tscore\nq5\td00\t1\n")
    where = ["--dataset", str(dataset), "--cache", str(cache), "--out", str(tmp_path), "--split", "other"]
    with pytest.raises(SystemExit) as ended:
        main(["agent", *where, "--agent", f"recorded:{write(*lines[:5])}"])
    assert "qrels/other.tsv judges none of the 5 queries" in str(ended.value)


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["--passages", "9", "--characters", "900"], 2, "not allowed with argument"),
        (["--characters", "0"], 2, "'0' is not a whole number from 1"),
        (["--scores", "some"], 2, "invalid choice: 'some'"),
        (["--agent", "scripted", "--scores", "none"], 1, "'scripted' scores by itself"),
        (["--passages", "51"], 1, "the budget is 51: let the agent read 1 to 50 passages"),
    ],
)
def test_what_cannot_be_asked_for_is_told(
    play: Play, capsys: pytest.CaptureFixture[str], arguments: list[str], status: int, said: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        play(*arguments)
    told = capsys.readouterr().err if status == 2 else str(ended.value.code)
    assert said in told


def test_scores_are_recorded_or_drawn_once_for_all(dataset: Path, lines: list[dict[str, Any]]) -> None:
    loaded = beir.load(dataset)
    record = Record.model_validate(lines[0])
    documents = list(loaded.documents)
    scores = load_scores("recorded", loaded, "test")
    given = scores.of(record, documents)
    assert [given[document] for document in record.hits] == record.scores
    assert scores.recorded == {("q0", document) for document in record.hits}
    assert len(scores.drawn) == len(documents) - 3
    assert ModelScores(loaded, "test").of(record, documents[::-1]) == given
    assert set(given.values()) <= set(map(float, range(11)))
    relevant = [given[document] for document in documents if document in loaded.qrels["test"]["q0"]]
    others = [given[document] for document in documents if document not in loaded.qrels["test"]["q0"]]
    assert sum(relevant) / len(relevant) > sum(others) / len(others) + 1


def test_where_a_model_made_the_judgments_scores_follow_their_grades(
    dataset: Path, lines: list[dict[str, Any]]
) -> None:
    loaded = beir.load(dataset)
    record = Record.model_validate(lines[0] | {"hits": [], "scores": []})
    documents = list(loaded.documents)

    def mean(grade: int) -> float:
        grades = dict.fromkeys(documents, grade) | {documents[0]: 10, documents[1]: 0}
        graded = replace(loaded, qrels={"test": {"q0": grades}})
        drawn = ModelScores(graded, "test").of(record, documents[2:])
        return sum(drawn.values()) / len(drawn)

    low, middle, high = mean(0), mean(5), mean(10)
    assert 1.5 < low < 4 < middle < 7 < high < 9.5


def test_a_ledger_counts_documents_once_and_characters_each_time() -> None:
    hits = [{"source": f"d{number}", "text": "x" * 8, "title": "ab"} for number in range(6)]
    passages = Ledger(Budget(4))
    assert passages.share(2) == 2
    assert passages.show(hits[:3], new=2) == hits[:2]
    assert passages.show([hits[0], *hits[2:]]) == [hits[0], *hits[2:4]]
    assert (passages.left, passages.documents, passages.characters) == (0, ["d0", "d1", "d2", "d3"], 50)
    assert passages.show(hits) == []
    assert passages.reread(hits[:1]) == hits[:1]

    counted = Ledger(Budget(35, "characters"), expected=1)
    assert counted.share(1) == MOST
    assert counted.show(hits[:1]) == hits[:1]
    assert counted.share(5) == 5
    assert counted.show([hits[0], *hits]) == hits[:1] * 2
    assert (counted.left, counted.characters, counted.documents) == (0, 30, ["d0"])


@pytest.mark.skipif(not SHARED.is_dir(), reason=f"{SHARED} with recorded agents is not there")
def test_what_was_recorded_can_be_read() -> None:
    for path in sorted((SHARED / "agents").glob("*.jsonl")):
        assert load_records(path, beir.load(SHARED / "datasets" / path.stem)).of
