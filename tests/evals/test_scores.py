from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from support import write_qrels

from warmer.index import Hit
from warmer_evals import EvalError
from warmer_evals.beir import load
from warmer_evals.retrieval import Found, Query
from warmer_evals.scores import Asked, Judgments, Recorded, load_scores

pytestmark = pytest.mark.anyio

VECTOR = np.ones(2, dtype=np.float32)


def found(*ids: str) -> list[Found]:
    return [Found(id_, Hit(id_, 0.0, {"text": f"text of {id_}", "title": ""}, VECTOR)) for id_ in ids]


def cut_short(folder: Path) -> None:
    """Leave what a process leaves that is killed while it writes."""
    (file,) = folder.iterdir()
    file.write_text(file.read_text() + '\n{"query": "words of r", "pass')


def query(id_: str) -> Query:
    return Query(id_, f"words of {id_}", VECTOR)


class Counting:
    """A judge that scores by length, counts its calls, and dies when told to."""

    name, rubric, workers = "counting", "v1", 1

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.dies_at = ""

    def score(self, query: str, passages: Sequence[str]) -> list[float]:
        if query == self.dies_at:
            raise RuntimeError("out of tea")
        self.asked += [f"{query}/{passage}" for passage in passages]
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
    kept = np.array([[0.1, 1.0], [-0.2, 0.6]], dtype=np.float16) * scale
    np.savez(file, scores=kept, query_ids=np.array(["q", "r"]), corpus_ids=np.array(["a", "b"]))
    scores = Recorded(file)
    assert await scores.score(query("q"), found("b", "a")) == pytest.approx([1.0, 0.1], abs=1e-3)
    assert await scores.score(query("r"), found("a", "b")) == pytest.approx([0.0, 0.6], abs=1e-3)
    assert scores.name == "scores:scores.npz"
    with pytest.raises(EvalError, match=r"has no score of document 'c' for query 'q'.*judge qrels"):
        await scores.score(query("q"), found("a", "c"))


@pytest.mark.parametrize(
    ("arrays", "said"),
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
def test_a_file_that_holds_no_scores_is_refused(tmp_path: Path, arrays: dict[str, object], said: str) -> None:
    np.savez(tmp_path / "scores.npz", **arrays)  # type: ignore[arg-type]
    with pytest.raises(EvalError, match=said):
        Recorded(tmp_path / "scores.npz")


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "scores.npz").write_text("no archive")
    np.save(tmp_path / "one.npy", np.ones(3))
    (tmp_path / "empty.npz").touch()
    for file in ("scores.npz", "nowhere.npz", "one.npy", "empty.npz"):
        with pytest.raises(EvalError, match=rf"cannot read .*{file}"):
            Recorded(tmp_path / file)


async def test_what_a_model_scored_is_not_asked_again(tmp_path: Path) -> None:
    judge = Counting()
    scores = Asked(judge, tmp_path)
    first = await scores.score(query("q"), found("a", "bb"))
    assert first.tolist() == [len("text of a") / 10, len("text of bb") / 10]
    judge.dies_at = "words of r"
    with pytest.raises(EvalError, match=r"out of tea.*2 scores of this judge are kept: the same command goes on"):
        await scores.score(query("r"), found("a"))

    cut_short(tmp_path)
    again = Counting()
    resumed = Asked(again, tmp_path)
    assert (await resumed.score(query("q"), found("a", "bb", "ccc"))).tolist()[:2] == first.tolist()
    assert again.asked == ["words of q/text of ccc"]
    assert len(await resumed.score(query("r"), found("a"))) == 1
    third = Counting()
    await Asked(third, tmp_path).score(query("q"), found("a", "bb", "ccc"))
    assert third.asked == []


async def test_many_documents_are_asked_about_in_batches(tmp_path: Path) -> None:
    class Small(Counting):
        def score(self, query: str, passages: Sequence[str]) -> list[float]:
            assert len(passages) <= 25
            return super().score(query, passages)

    judge = Small()
    scores = await Asked(judge, tmp_path).score(query("q"), found(*map(str, range(60)), "1"))
    assert len(scores) == 61
    assert len(judge.asked) == 60


def test_a_collection_has_no_judgments(tmp_path: Path) -> None:
    with pytest.raises(EvalError, match="a collection has no judgments: name another judge"):
        load_scores("qrels", None, "", tmp_path)
