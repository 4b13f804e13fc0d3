"""A test set and a report from threads that the real server kept."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from mcp import Client
from qdrant_client import models
from qdrant_server import QdrantServer
from support import ask

from warmer.index import Hit
from warmer.index.edge.catalog import Catalog
from warmer.journal import AGENT, Search, new_search_id
from warmer.journal.nearness import groups
from warmer.journal.transfer.records import HitRecord, ScoreRecord, SearchRecord, WordingRecord
from warmer.journal.use import Selection, direction
from warmer.passage import Passage
from warmer.steering.wording import Wording
from warmer_evals import beir
from warmer_server.app import build_server
from warmer_server.cli import main
from warmer_server.commands.journal import transfer_of
from warmer_server.engine import open_engine
from warmer_server.settings import Settings
from warmer_server.use.missing import Group
from warmer_server.use.page import page
from warmer_server.use.reading import read_threads
from warmer_server.use.showing import view

pytestmark = pytest.mark.anyio
ASKED = {
    "how is bread baked": ("baking a loaf", 9),
    "tax forms <b>": ("how do I file taxes", 2),
    "taxes": ("tax return", 3),
}


@pytest.fixture
async def played(data_dir: Path, monkeypatch: pytest.MonkeyPatch, anyio_backend: str) -> Path:  # noqa: ARG001
    """A data directory with three scored threads, the first of which was scored twice."""
    monkeypatch.setenv("WARMER_DATA_DIR", str(data_dir))
    monkeypatch.setenv("WARMER_REMEMBER", "off")
    async with Client(build_server(Settings())) as client:
        for query, (wording, best) in [*ASKED.items(), ("how is bread baked", ("bread", 6))]:
            found = await ask(client, "search", query=query, limit=5)
            scores = {"1": best, "2": 0, "3": 1}
            await ask(
                client, "give_feedback", search_id=found["search_id"], scores=scores, rewordings=[wording], limit=2
            )
    return data_dir


def warmer(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "warmer_server.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=os.environ, check=False)


@pytest.mark.usefixtures("played")
def test_scored_threads_become_a_test_set(tmp_path: Path) -> None:
    out = tmp_path / "set"
    first = warmer("journal", "qrels", "--out", str(out))
    assert "3 queries" in first.stderr
    assert first.stdout == ""
    dataset = beir.load(out)
    assert set(dataset.queries.values()) == set(ASKED)
    bread = next(id_ for id_, text in dataset.queries.items() if text == "how is bread baked")
    assert sorted(dataset.qrels["test"][bread].values()) == [0, 1, 8], "two scorers are averaged"
    table = [line.split("\t") for line in (out / "judgments.tsv").read_text(encoding="utf-8").splitlines()]
    assert {row[3] for row in table if row[0] == bread} == {"2"}
    assert dataset.pooled
    (out / "notes.txt").write_text("mine")
    assert "3 queries" in warmer("journal", "qrels", "--out", str(out), "--wordings").stderr
    assert "baking a loaf" in beir.load(out).queries.values()
    assert (out / "notes.txt").read_text() == "mine", "what the export did not write stays"
    refused = warmer("journal", "qrels", "--out", str(tmp_path))
    assert refused.returncode == 1
    assert "is not empty, and not an earlier export" in refused.stderr


def test_passages_that_changed_are_left_out(played: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from warmer.embedding.fastembedder import load
    from warmer.publishing.embedded.publish import index_passages

    kept = [Passage("Knead the dough.", "Bread", "notes/Bread.md", 1)]
    index_passages(Catalog(played).generations("notes"), kept, load(), roots={"notes": Path("/notes")}, replace=True)
    with pytest.raises(SystemExit) as ended:
        main(["journal", "qrels", "--out", str(tmp_path / "set")])
    assert "no thread of collection 'notes' has scores" in str(ended.value)
    assert not (tmp_path / "set").exists()
    capsys.readouterr()


@pytest.mark.usefixtures("played")
def test_what_stayed_without_a_good_hit_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["journal", "report", "--json", "--html", str(tmp_path / "r.html")])
    told = json.loads(capsys.readouterr().out)
    assert told["threads"] == 4
    questions = {text for group in told["missing"] for text in (group["question"], *group["wordings"])}
    assert questions == {"tax forms <b>", "how do I file taxes", "taxes", "tax return"}
    assert sum(group["threads"] for group in told["missing"]) == 2
    html = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "tax forms &lt;b&gt;" in html
    main(["journal", "report"])
    assert "tax" in capsys.readouterr().out


def test_text_of_others_cannot_leave_its_place_on_the_page() -> None:
    bad = "</span><script>alert(1)</script>\x1b[2J\u202e"
    html = page(bad, [Group(bad, 1, 2.0, 0.0, (bad,), "id", bad, bad)], 5)
    assert "<script" not in html
    assert "\x1b" not in html
    assert "\u202e" not in html
    assert "default-src 'none'" in html


def test_vectors_are_grouped_by_their_mean_cosine() -> None:
    one, other = np.array([1, 0], np.float32), np.array([0, 1], np.float32)
    assert groups([one, other, one * 2, np.empty(0, np.float32), other], 0.9) == [[0, 2], [1, 4], [3]]
    assert np.allclose(direction([one * 2, other, np.zeros(2, np.float32)]), [0.5, 0.5])
    assert direction([np.empty(0, np.float32)]).size == 0
    assert groups([], 0.9) == []
    assert groups([np.empty(0, np.float32)] * 2) == [[0], [1]]


@pytest.fixture
def server() -> Iterator[QdrantServer]:
    with QdrantServer(version="1.18.3") as served:
        size = models.VectorParams(size=2, distance=models.Distance.COSINE)
        served.store.create_collection("docs", vectors_config=size)
        yield served


async def test_threads_are_read_from_a_journal_on_a_server(server: QdrantServer, tmp_path: Path) -> None:
    settings = Settings.model_construct(qdrant_url=server.url, journal="qdrant", data_dir=tmp_path)
    vector = np.ones(2, dtype=np.float32)
    hits = [Hit("1", 1.0, {"text": "one", "title": "t", "source": "s"}, vector)]
    async with open_engine(settings) as engine:
        for owner in ("ann", "bob"):
            said = (Wording("rewording", "again", vector, 2),)
            search = Search(new_search_id(owner), "docs", "m", "q", vector, {}, lexical=False, more=said)
            await engine.journal.begin(search, hits)
            await engine.journal.score(search.id, {1: 4}, AGENT, "0-10 v1")
    everybody = await read_threads(settings, transfer_of(settings), Selection("docs"))
    (anns,) = await read_threads(settings, transfer_of(settings), Selection("docs", owner="ann"))
    assert len(everybody) == 2
    assert (anns.query, anns.wordings, anns.scored[0].scores) == ("q", ("again",), (4.0,))
    assert await read_threads(settings, transfer_of(settings), Selection("docs", judge="client")) == []


@pytest.mark.usefixtures("played")
async def test_an_owner_is_forgotten_from_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    async with open_engine(Settings()) as engine:
        before = await engine.journal.counts()
        owned = Search(new_search_id("ann"), "notes", "m", "bread", np.ones(384, np.float32), {}, False)
        await engine.journal.begin(owned, [])
    for owner, said in (("ann", "1 searches of 'ann' deleted"), ("bob", "0 searches of 'bob' deleted")):
        forgotten = warmer("journal", "forget", owner)
        assert (forgotten.returncode, said in forgotten.stderr) == (0, True), forgotten
    async with open_engine(Settings()) as engine:
        assert await engine.journal.counts() == before
    with pytest.raises(SystemExit):
        main(["journal", "forget", ""])
    assert "it is empty: name a token" in capsys.readouterr().err


@pytest.mark.usefixtures("played")
def test_a_test_set_from_use_is_evaluated_by_the_commands_of_the_docs(tmp_path: Path) -> None:
    assert warmer("journal", "qrels", "--collection", "notes", "--out", str(tmp_path / "testset")).returncode == 0
    command = [sys.executable, "-m", "warmer_evals.cli", "run", "--dataset", str(tmp_path / "testset")]
    command += ["--relevant-from", "5", "--out", str(tmp_path / "report"), "--cache", str(tmp_path / "cache")]
    run = subprocess.run(command, capture_output=True, text=True, env=os.environ, check=False)
    assert run.returncode == 0, run.stderr
    report = json.loads((tmp_path / "report" / "report.json").read_text(encoding="utf-8"))
    assert 0 < report["methods"]["vanilla"]["ndcg"] <= 1


@pytest.mark.usefixtures("played")
def test_a_thread_is_shown(tmp_path: Path) -> None:
    listed = warmer("journal", "show")
    rows = [line.split() for line in listed.stdout.splitlines() if line.strip().startswith("s_")]
    assert (len(rows), listed.returncode) == (4, 0)
    shown = warmer("journal", "show", rows[0][0])
    assert "how is bread baked" in shown.stdout
    assert "call 2, reworded: bread" in shown.stdout
    assert "Scored first: 3, mean 2.3 of 10" in shown.stdout
    assert "place: 1 has the best score" in shown.stdout
    assert "7 shown, 3 scored, best 9" in listed.stdout
    assert warmer("journal", "show", "--last", "1").stdout.count("s_") == 1
    for wrong, said in (("s_", "4 threads begin with"), ("s_nothing", "no thread 's_nothing' is in the journal")):
        refused = warmer("journal", "show", wrong)
        assert (refused.returncode, said in refused.stderr) == (1, True)
    file = tmp_path / "threads.html"
    assert warmer("journal", "show", "--html", str(file)).stderr == f"wrote {file}\n"
    text = file.read_text(encoding="utf-8")
    assert "tax forms &lt;b&gt;" in text
    assert "<b>" not in text
    assert text.count("<section>") == 4
    assert "value=2>" in text, "the second call is numbered"
    assert "<details>" in text, "texts of passages are there"
    assert rows[0][0] not in text, "a handle gives access"


def test_passages_are_placed_by_their_scores() -> None:
    def hit(point: str, **scores: float) -> HitRecord:
        given = [ScoreRecord(judge=judge, rubric="r", score=score, created=score) for judge, score in scores.items()]
        return HitRecord(point=point, engine_score=0, vector=b"", title=point, source="", scores=given)

    hits = [hit("a", agent=1.0), hit("b"), hit("c", agent=8.0, other=6.0)]
    record = SearchRecord(
        id=new_search_id(), collection="c", model="m", query="q", vector=b"", where={}, lexical=True, created=0,
        expires=0, hits=hits, wordings=[WordingRecord(wording="rewording", text="w", vector=b"", turn=1)],
    )  # fmt: skip
    told = view(record, {"a": "text"})
    assert [(line.hit, line.score, line.place, line.moved) for line in told.lines] == [
        (1, 1.0, 2, -1),
        (2, None, 0, 0),
        (3, 7.0, 1, 2),
    ]
    assert [line.title for line in told.ranking] == ["c", "a"]
    assert told.means == [(1, 1.0), (1, 7.0)]
    assert told.said == {1: [("query", "q")], 2: [("rewording", "w")]}


def test_an_empty_journal_has_nothing_to_show(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WARMER_DATA_DIR", str(data_dir))
    for shown in (warmer("journal", "show"), warmer("journal", "show", "--html", "never.html")):
        assert (shown.returncode, "The journal is empty" in shown.stderr) == (0, True)
    refused = warmer("journal", "show", "s_nothing")
    assert (refused.returncode, "no thread 's_nothing'" in refused.stderr) == (1, True)
