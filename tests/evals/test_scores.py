from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from support import write_qrels

from warmer.index import Hit
from warmer_evals import EvalError
from warmer_evals.beir import load
from warmer_evals.retrieval import DocumentHit, Query
from warmer_evals.scores import CachedJudge, Judgments, RecordedScores, load_scores

pytestmark = pytest.mark.anyio

VECTOR = np.ones(2, dtype=np.float32)


def found(*ids: str) -> list[DocumentHit]:
    return [DocumentHit(id_, Hit(id_, 0.0, {"text": f"text of {id_}", "title": ""}, VECTOR)) for id_ in ids]


def append_partial_line(folder: Path) -> None:
    """Append a partial line, as a process killed while writing leaves it."""
    (file,) = folder.iterdir()
    file.write_text(file.read_text() + '\n{"query": "words of r", "pass')


def query(id_: str) -> Query:
    return Query(id_, f"words of {id_}", VECTOR)


class RecordingJudge:
    """A judge that scores by length, records what it scores, and fails on the query `fails_at`."""

    name, rubric, workers = "counting", "v1", 1

    def __init__(self) -> None:
        self.scored: list[str] = []
        self.fails_at = ""

    def score(self, query: str, passages: Sequence[str]) -> list[float]:
        if query == self.fails_at:
            raise RuntimeError("out of tea")
        self.scored += [f"{query}/{passage}" for passage in passages]
        return [float(len(passage) % 11) for passage in passages]


async def test_judgments_are_shares_of_the_highest_grade(dataset: Path) -> None:
    write_qrels(dataset, "train", ["q1\td00\t4"])
    scores = Judgments(load(dataset), "test")
    assert (await scores.score(query("q0"), found("d00", "d01", "d09"))).tolist() == [0.25, 0.5, 0.0]
    assert scores.knows("q0")
    assert not scores.knows("q9")


@pytest.mark.parametrize("scale", [1, 10])
async def test_recorded_scores_are_looked_up(tmp_path: Path, scale: int) -> None:
    file = tmp_path / "scores.npz"
    stored = np.array([[0.1, 1.0], [-0.2, 0.6]], dtype=np.float16) * scale
    np.savez(file, scores=stored, query_ids=np.array(["q", "r"]), corpus_ids=np.array(["a", "b"]))
    scores = RecordedScores(file)
    assert await scores.score(query("q"), found("b", "a")) == pytest.approx([1.0, 0.1], abs=1e-3)
    assert await scores.score(query("r"), found("a", "b")) == pytest.approx([0.0, 0.6], abs=1e-3)
    assert scores.name == "scores:scores.npz"
    with pytest.raises(EvalError, match=r"has no score of document 'c' for query 'q'.*judge qrels"):
        await scores.score(query("q"), found("a", "c"))


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"scores": np.array([["high"]]), "query_ids": ["q"], "corpus_ids": ["a"]}, "cannot read"),
        ({"scores": np.ones((1, 1))}, "query_ids"),
        (
            {"scores": np.ones((2, 1)), "query_ids": ["q"], "corpus_ids": ["a"]},
            r"shape \(2, 1\) for 1 queries and 1 doc",
        ),
        ({"scores": np.full((1, 1), 11), "query_ids": ["q"], "corpus_ids": ["a"]}, "has a score of 11: scores go from"),
        ({"scores": np.array([[object()]]), "query_ids": ["q"], "corpus_ids": ["a"]}, "cannot read"),
    ],
)
def test_an_archive_without_valid_scores_is_refused(tmp_path: Path, arrays: dict[str, object], message: str) -> None:
    np.savez(tmp_path / "scores.npz", **arrays)  # type: ignore[arg-type]
    with pytest.raises(EvalError, match=message):
        RecordedScores(tmp_path / "scores.npz")


def test_a_file_that_is_not_an_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "scores.npz").write_text("no archive")
    np.save(tmp_path / "one.npy", np.ones(3))
    (tmp_path / "empty.npz").touch()
    for file in ("scores.npz", "nowhere.npz", "one.npy", "empty.npz"):
        with pytest.raises(EvalError, match=rf"cannot read .*{file}"):
            RecordedScores(tmp_path / file)


async def test_a_models_scores_are_cached(tmp_path: Path) -> None:
    judge = RecordingJudge()
    scores = CachedJudge(judge, tmp_path)
    first = await scores.score(query("q"), found("a", "bb"))
    assert first.tolist() == [len("text of a") / 10, len("text of bb") / 10]
    judge.fails_at = "words of r"
    with pytest.raises(EvalError, match=r"out of tea.*2 scores of this judge are kept: the same command goes on"):
        await scores.score(query("r"), found("a"))

    append_partial_line(tmp_path)
    second = RecordingJudge()
    resumed = CachedJudge(second, tmp_path)
    assert (await resumed.score(query("q"), found("a", "bb", "ccc"))).tolist()[:2] == first.tolist()
    assert second.scored == ["words of q/text of ccc"]
    assert len(await resumed.score(query("r"), found("a"))) == 1
    third = RecordingJudge()
    await CachedJudge(third, tmp_path).score(query("q"), found("a", "bb", "ccc"))
    assert third.scored == []


async def test_many_documents_are_scored_in_batches(tmp_path: Path) -> None:
    class Small(RecordingJudge):
        def score(self, query: str, passages: Sequence[str]) -> list[float]:
            assert len(passages) <= 25
            return super().score(query, passages)

    judge = Small()
    scores = await CachedJudge(judge, tmp_path).score(query("q"), found(*map(str, range(60)), "1"))
    assert len(scores) == 61
    assert len(judge.scored) == 60


def test_a_collection_has_no_judgments(tmp_path: Path) -> None:
    with pytest.raises(EvalError, match="a collection has no judgments: name another judge"):
        load_scores("qrels", None, "", tmp_path)
