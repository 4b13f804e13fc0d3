from pathlib import Path

import pytest

from warmer_evals import EvalError
from warmer_evals.beir import Document, load


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The smallest dataset."""
    (tmp_path / "qrels").mkdir()
    (tmp_path / "corpus.jsonl").write_text('{"_id": "a", "title": "T", "text": "one"}\n\n{"_id": 7, "text": "two"}\n')
    (tmp_path / "queries.jsonl").write_text('{"_id": "q", "text": "which"}\n{"_id": "r", "text": "what"}\n')
    (tmp_path / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq\ta\t2\nq\t7\t0\n")
    return tmp_path


def test_a_folder_is_read(folder: Path) -> None:
    found = load(folder)
    assert found.documents == {"a": Document("T", "one"), "7": Document("", "two")}
    assert found.queries == {"q": "which", "r": "what"}
    assert found.qrels == {"test": {"q": {"a": 2, "7": 0}}}
    assert (found.name, found.notes, found.pooled, found.split()) == (folder.name, (), True, "test")


def test_header_and_byte_order_mark_are_optional(folder: Path) -> None:
    (folder / "qrels" / "test.tsv").write_bytes(b"\xef\xbb\xbfq\ta\t1\r\n")
    assert load(folder).qrels == {"test": {"q": {"a": 1}}}
    assert not load(folder).pooled


def test_unknown_ids_are_left_out_with_a_note(folder: Path) -> None:
    with (folder / "qrels" / "test.tsv").open("a") as lines:
        lines.write("q\tnowhere\t1\nnobody\ta\t1\n")
    found = load(folder)
    assert found.qrels == {"test": {"q": {"a": 2, "7": 0}}}
    assert found.notes == (
        "2 judgments of qrels/test.tsv name unknown queries or documents and are left out (first: 'nowhere').",
    )


def test_judgments_of_another_dataset_are_refused(folder: Path) -> None:
    (folder / "qrels" / "test.tsv").write_text("q\tx1\t1\nq\tx2\t1\nq\ta\t1\n")
    with pytest.raises(EvalError, match=r"test\.tsv has 3 judgments, and 2 of them name .* \(first: 'x1'\)"):
        load(folder)


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("corpus.jsonl", "", r"corpus\.jsonl is empty"),
        ("corpus.jsonl", "\n \n", r"corpus\.jsonl is empty"),
        ("queries.jsonl", "", r"queries\.jsonl is empty"),
        ("corpus.jsonl", '{"_id": "a", "text": "one"}\n{"_id"', r"corpus\.jsonl, line 2, is '\{\"_id\"': each line is"),
        ("corpus.jsonl", '["a"]', r"line 1, is .*each line is JSON"),
        ("queries.jsonl", '{"_id": "q"}', r"line 1, is .*each line is JSON"),
        ("queries.jsonl", '{"_id": "q", "text": "a"}\n{"_id": "q", "text": "b"}', r"line 2, has the _id 'q' a second"),
        ("qrels/test.tsv", "query-id\tcorpus-id\tscore\n", r"has 0 judgments"),
        ("qrels/test.tsv", "q\ta\t1\nq a 1\n", r"test\.tsv, line 2, is 'q a 1': write query id, document id"),
        ("qrels/test.tsv", "q\ta\t1\nq\t7\t0.5\n", r"line 2, is .* and a whole number"),
        ("qrels/test.tsv", "q\ta\t1\nq\t7\tnan\n", r"line 2, is .* and a whole number"),
    ],
)
def test_a_malformed_file_is_named(folder: Path, file: str, content: str, message: str) -> None:
    (folder / file).write_text(content)
    with pytest.raises(EvalError, match=message):
        load(folder)


@pytest.mark.parametrize("file", ["corpus.jsonl", "queries.jsonl"])
def test_a_missing_file_is_named(folder: Path, file: str) -> None:
    (folder / file).unlink()
    with pytest.raises(EvalError, match=rf"cannot read .*{file}.*A dataset is a folder with corpus\.jsonl"):
        load(folder)


def test_text_that_is_not_utf8_is_named(folder: Path) -> None:
    (folder / "corpus.jsonl").write_bytes(b'{"_id": "a", "text": "\xff"}\n')
    with pytest.raises(EvalError, match=r"cannot read .*corpus\.jsonl.*utf-8"):
        load(folder)


def test_without_judgments_the_error_suggests_a_collection(folder: Path) -> None:
    (folder / "qrels" / "test.tsv").unlink()
    with pytest.raises(EvalError, match=r"has no judgments.*--collection NAME --queries FILE"):
        load(folder)


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EvalError, match="nowhere is not a folder"):
        load(tmp_path / "nowhere")


def test_a_split_is_chosen(folder: Path) -> None:
    (folder / "qrels" / "test.tsv").rename(folder / "qrels" / "dev.tsv")
    assert load(folder).split() == "dev"
    (folder / "qrels" / "train.tsv").write_text("q\ta\t1\n")
    with pytest.raises(EvalError, match=r"none is test\.tsv: choose with --split one of dev, train"):
        load(folder).split()
    assert load(folder).split("train") == "train"
    with pytest.raises(EvalError, match=r"no qrels/prod\.tsv: choose with --split one of dev, train"):
        load(folder).split("prod")


def test_a_malformed_split_that_is_not_evaluated_is_left_out(folder: Path) -> None:
    (folder / "qrels" / "dev.tsv").write_text("q\ta\t1\nq\ta\n")
    found = load(folder)
    assert set(found.qrels) == {"test"}
    assert "qrels/dev.tsv is left out" in found.notes[0] and "line 2" in found.notes[0]
    with pytest.raises(EvalError, match=r"no qrels/dev\.tsv"):
        found.split("dev")
