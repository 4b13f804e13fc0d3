import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mcp import Client
from support import Reference, ask, write_qrels

from warmer.embedding import Embedder
from warmer.index import Coefficients
from warmer.index.edge.catalog import Catalog
from warmer.steering.params import Params
from warmer_evals.cli import main
from warmer_evals.methods import Learned, make_methods
from warmer_evals.retrieval import Query, Retriever, ScoredHit
from warmer_evals.rocchio import Weights
from warmer_server.app import build_server
from warmer_server.settings import Settings

METHODS = [
    "vanilla",
    "vanilla_hybrid",
    "feedback",
    "feedback_dense",
    "feedback_default",
    "feedback_reference",
    "rocchio",
    "rerank_only",
]


@pytest.fixture(scope="module")
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache shared by the tests of this module."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def evaluate(tmp_path: Path, dataset: Path, shared_cache: Path) -> Callable[..., dict[str, Any]]:
    """A function that runs `warmer-evals run` on the dataset of three dozen passages and returns the report."""

    def run(
        *arguments: str, out: str = "out", subject: tuple[str, ...] = ("--dataset", str(dataset))
    ) -> dict[str, Any]:
        where = ["--cache", str(shared_cache), "--out", str(tmp_path / out)]
        main(["run", *subject, *where, "--k", "3", "--n", "5", "--budget", "9", *arguments])
        report: dict[str, Any] = json.loads((tmp_path / out / "report.json").read_text(encoding="utf-8"))
        return report

    return run


def test_a_report_has_the_documented_names(evaluate: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    report = evaluate()
    assert (report["dataset"], report["judge"], report["k"], report["n"]) == ("subjects", "qrels", 3, 5)
    assert list(report["methods"]) == METHODS
    for figures in report["methods"].values():
        assert figures["queries"] + figures["skipped"] == 6
        assert figures["dcg_wins"] + figures["dcg_losses"] + figures["dcg_ties"] == pytest.approx(1)
        assert set(figures["ci"]) == {"relevance_gain", "dcg_wins", "ndcg", "vs_same_list"}
    assert {len(spent["rounds"]) for spent in report["budget"].values()} == {3}
    assert [at["k"] for at in report["by_k"]] == [1, 3, 5, 10]
    assert report["by_k"][1]["methods"]["feedback"]["ndcg"] == report["methods"]["feedback"]["ndcg"]
    assert report["methods"]["vanilla"]["relevance_gain"] == 0
    assert report["methods"]["rerank_only"] == report["methods"]["vanilla"]
    assert report["params"]["feedback"][0]["source"] == "default"
    assert "at least 10 must" in report["params"]["feedback"][0]["reason"]
    assert {file.name for file in (tmp_path / "out").iterdir()} == {
        "report.json",
        "report.md",
        "report.html",
        "run.json",
    }


def test_the_same_evaluation_twice_is_the_same_report(evaluate: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    evaluate(out="one")
    evaluate(out="two")
    for name in ("report.json", "report.md", "report.html"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_figures_follow_from_the_rows(evaluate: Callable[..., dict[str, Any]]) -> None:
    """Recompute the figures from the report's rows."""
    report = evaluate()
    compared = [row for row in report["per_query"] if not row["skipped"]]
    for name, figures in report["methods"].items():
        above = [sum(row["methods"][m]["above"] for row in compared) for m in (name, "vanilla")]
        assert figures["relevant_new"] == above[0]
        assert figures["relevance_gain"] == pytest.approx(above[0] / above[1] - 1, abs=1e-4)
        wins = sum(row["methods"][name]["outcome"] == "win" for row in compared)
        assert figures["dcg_wins"] == pytest.approx(wins / len(compared), abs=1e-4)
        ndcg = [row["methods"][name]["ndcg"] for row in report["per_query"]]
        assert figures["ndcg"] == pytest.approx(np.mean([x for x in ndcg if x is not None]), abs=1e-4)
    for row in compared:
        best = max(score for _, score in row["seeds"])
        for name, hits in row["hits"].items():
            assert row["methods"][name]["above"] == sum(score >= best for _, score in hits)
            assert not {id_ for id_, _ in hits} & {id_ for id_, _ in row["seeds"]}


@pytest.mark.anyio
async def test_feedback_retrieves_what_the_server_retrieves(
    data_dir: Path, embedder: Embedder, reference: Reference
) -> None:
    index = Catalog(data_dir).open("notes")
    learned = Learned(Params(), "", Coefficients(1, 1, 1), Weights(1, 0))
    feedback = make_methods(Retriever(index, lambda hit: hit.id), learned)["feedback"]
    async with Client(build_server(Settings(WARMER_DATA_DIR=data_dir))) as client:
        for text in reference.queries:
            first = await ask(client, "search", query=text, limit=4, include_ids=True)
            ids = [hit["id"] for hit in first["hits"]]
            arguments = {
                "search_id": first["search_id"],
                "scores": {"1": 9, "2": 0, "3": 4, "4": 1},
                "limit": 8,
                "detail": "full",
            }
            second = await ask(client, "give_feedback", **arguments)
            hits = await index.retrieve(ids)
            scored = [ScoredHit(hit.id, hit, score) for hit, score in zip(hits, [0.9, 0.0, 0.4, 0.1], strict=True)]
            found = await feedback.retrieve(Query("q", text, embedder.embed_query(text)), scored, 8)
            assert [one.hit.payload["text"] for one in found] == [hit["text"] for hit in second["hits"]]


def test_training_queries_are_used_if_there_are_any(evaluate: Callable[..., dict[str, Any]], dataset: Path) -> None:
    with (dataset / "queries.jsonl").open("a") as lines:
        lines.write('{"_id": "t0", "text": "yeast"}\n{"_id": "t1", "text": "anchors"}\n')
    write_qrels(dataset, "train", ["t0\td00\t1", "t1\td08\t2"])
    report = evaluate()
    assert report["about"]["trained_on"] == "train qrels"
    assert len(report["params"]["feedback"]) == 1
    assert evaluate("--split", "train")["about"]["queries"] == 2


def test_a_query_in_both_splits_does_not_train_and_keeps_the_grades_of_the_evaluated_split(
    evaluate: Callable[..., dict[str, Any]], dataset: Path
) -> None:
    alone = evaluate()
    write_qrels(dataset, "train", ["q0\td20\t2", "q1\td20\t2"])
    report = evaluate()
    assert report["about"]["trained_on"] == "two folds"
    assert "2 queries of qrels/train.tsv are evaluated too and do not train." in report["about"]["notes"]
    assert report["per_query"] == alone["per_query"]


def test_limit_reduces_the_queries(evaluate: Callable[..., dict[str, Any]]) -> None:
    assert [row["id"] for row in evaluate("--limit", "4")["per_query"]] == ["q0", "q1", "q2", "q3"]


def test_ids_only_leaves_texts_out(
    evaluate: Callable[..., dict[str, Any]], tmp_path: Path, reference: Reference
) -> None:
    evaluate("--ids-only")
    for file in (tmp_path / "out").iterdir():
        content = file.read_text(encoding="utf-8")
        assert not [p for p in reference.passages if p.text[:40] in content]
        assert not [query for query in reference.queries if query in content]


def test_an_evaluation_resumes_after_its_judge_failed(
    evaluate: Callable[..., dict[str, Any]],
    tmp_path: Path,
    shared_cache: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    calls = tmp_path / "calls"
    (tmp_path / "dying_judge.py").write_text(
        "import pathlib\n"
        f"calls = pathlib.Path({str(calls)!r})\n"
        "class Judge:\n"
        "    def score(self, query, passages):\n"
        "        count = len(calls.read_text().splitlines()) if calls.exists() else 0\n"
        "        if count == 4:\n"
        "            calls.write_text('\\n' * 5)\n"
        "            raise RuntimeError('no more credit')\n"
        "        calls.write_text('\\n' * (count + 1))\n"
        "        return [len(set(query.split()) & set(p.split())) % 11 for p in passages]\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(SystemExit) as stopped:
        evaluate("--judge", "dying_judge:Judge", "--train-limit", "12")
    assert "no more credit" in str(stopped.value)
    assert "48 scores of this judge are kept: the same command goes on from there" in str(stopped.value)
    resumed = evaluate("--judge", "dying_judge:Judge", "--train-limit", "12")
    (shared_cache / "scores").rename(tmp_path / "elsewhere")
    calls.write_text("\n" * 5)
    assert "━" not in capsys.readouterr().err, "progress bars are for terminals"
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert evaluate("--judge", "dying_judge:Judge", "--train-limit", "12") == resumed
    assert resumed["methods"]["feedback"]["ndcg"] is not None
    assert "━" in capsys.readouterr().err


def test_a_collection_is_evaluated_with_a_file_of_queries(
    evaluate: Callable[..., dict[str, Any]], data_dir: Path, tmp_path: Path, reference: Reference
) -> None:
    queries = tmp_path / "queries.txt"
    queries.write_text("\n\n".join([*reference.queries, reference.queries[0]]), encoding="utf-8")
    subject = ("--collection", "notes", "--queries", str(queries), "--data-dir", str(data_dir))
    report = evaluate("--judge", "fastembed:sentence-transformers/all-MiniLM-L6-v2", subject=subject)
    assert (report["dataset"], report["about"]["queries"], report["about"]["qrels"]) == ("notes", 6, False)
    assert report["budget"] == {}
    assert [at["k"] for at in report["by_k"]] == [3]
    feedback = report["methods"]["feedback"]
    assert (feedback["ndcg"], feedback["unjudged"], feedback["vs_same_list"]) == (None, None, None)
    assert feedback["queries"] == 6


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--judge", "qrels"], "a collection has no judgments"),
        (["--judge", "fastembed:all-minilm-l6-v2", "--queries", "nowhere.txt"], "cannot read queries from nowhere.txt"),
        (["--judge", "fastembed:all-minilm-l6-v2", "--queries", os.devnull], "needs two at least"),
        (["--judge", "nobody"], "there is no judge 'nobody'"),
    ],
)
def test_a_collection_that_cannot_be_evaluated(
    evaluate: Callable[..., dict[str, Any]], data_dir: Path, arguments: list[str], message: str
) -> None:
    queries = data_dir / "queries.txt"
    queries.write_text("who are you\nwhere are you\n")
    with pytest.raises(SystemExit) as stopped:
        evaluate("--queries", str(queries), *arguments, subject=("--collection", "notes", "--data-dir", str(data_dir)))
    assert message in str(stopped.value)


@pytest.mark.parametrize("wrong", [["--k", "101"], ["--n", "0"], ["--budget", "many"], ["--queries", "some.txt"]])
def test_an_invalid_option_is_refused(
    evaluate: Callable[..., dict[str, Any]], capsys: pytest.CaptureFixture[str], wrong: list[str]
) -> None:
    with pytest.raises(SystemExit):
        evaluate(*wrong)
    assert f"argument {wrong[0]}" in capsys.readouterr().err or wrong[0] == "--queries"


def test_queries_without_a_relevant_document_are_named(evaluate: Callable[..., dict[str, Any]], dataset: Path) -> None:
    with (dataset / "qrels" / "test.tsv").open("a") as lines:
        lines.write("q9\td00\t0\n")
    with (dataset / "queries.jsonl").open("a") as lines:
        lines.write('{"_id": "q9", "text": "who wrote this"}\n')
    report = evaluate()
    message = "1 queries have no relevant document and do not count in measures from judgments."
    assert message in report["about"]["notes"]
    row = report["per_query"][-1]
    assert (row["id"], row["skipped"], row["methods"]["feedback"]["ndcg"]) == ("q9", True, None)


def test_an_error_is_one_line_without_a_traceback(tmp_path: Path, dataset: Path) -> None:
    (dataset / "corpus.jsonl").write_text("")
    command = [sys.executable, "-m", "warmer_evals.cli", "run", "--dataset", str(dataset), "--out", str(tmp_path / "o")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 1
    assert done.stderr.startswith("warmer-evals: ")
    assert "corpus.jsonl is empty" in done.stderr
    assert "Traceback" not in done.stderr


def test_whether_to_index_titles_is_decided_from_the_judgments(
    evaluate: Callable[..., dict[str, Any]], dataset: Path, embedder: Embedder
) -> None:
    """Judgments that are a pool retrieved by text alone lead to an index of texts alone."""
    lines = [json.loads(line) for line in (dataset / "corpus.jsonl").read_text().splitlines()]
    others = [line["text"] for line in lines[17:] + lines[:17]]
    for line, other in zip(lines, others, strict=True):
        line["title"] = other  # a misleading title
    (dataset / "corpus.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert evaluate()["about"]["indexed"] == "title and text"
    vectors = np.stack([embedder.embed_query(line["text"]) for line in lines])
    pool = []
    for query in map(json.loads, (dataset / "queries.jsonl").read_text().splitlines()):
        best = np.argsort(-(vectors @ embedder.embed_query(query["text"])))[:8]
        pool += [f"{query['_id']}\t{lines[n]['_id']}\t{10 - rank if rank < 3 else 0}" for rank, n in enumerate(best)]
    write_qrels(dataset, "test", pool)
    assert evaluate()["about"]["indexed"] == "text"
    assert evaluate("--text", "title and text")["about"]["indexed"] == "title and text"


def test_a_missing_extra_is_named_with_its_installation(tmp_path: Path) -> None:
    hidden = "import sys; sys.modules['ir_measures'] = None; from warmer_evals.cli import main; main()"
    command = [sys.executable, "-c", hidden, "run", "--dataset", str(tmp_path), "--out", str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.endswith("the clone of Warmer, pip install -c constraints.txt '.[evals]'\n")
