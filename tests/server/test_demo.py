import json
import os
import subprocess
import sys
from argparse import Namespace
from collections.abc import Mapping
from dataclasses import replace
from io import StringIO
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
from mcp import Client
from rich.console import Console
from support import Reference

from warmer.index.edge.catalog import Catalog
from warmer.index.edge.generations import Manifest
from warmer.ingest.pydocs import python_passages
from warmer_server.commands import demo
from warmer_server.settings import Settings

pytestmark = pytest.mark.anyio
RECORD = Path(__file__).parents[2] / "docs" / "loop.json"
RECORDED_WITH = (3, 11)  # README shows that run; another Python has other texts


async def printed(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("WARMER_DATA_DIR", str(data_dir))
    console = Console(file=StringIO(), width=100)
    await demo.demonstrate(Settings(), console)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_hits_and_scores_before_and_after_are_printed(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The second run indexes nothing, neither changes the user's own data directory, and README quotes them."""
    monkeypatch.setenv("WARMER_DATA_DIR", str(data_dir))
    monkeypatch.setenv("COLUMNS", "100")
    before = sorted(data_dir.rglob("*"))
    generations = Catalog(data_dir / "demo").generations(demo.COLLECTION)
    demo.run(Namespace(all=False))
    made, printed = generations.current(), capsys.readouterr()
    assert "Indexing the documentation of this Python" in printed.err
    demo.run(Namespace(all=False))
    assert generations.current() == made
    output, said = capsys.readouterr()
    assert said == ""
    assert (data_dir / "demo" / "journal.sqlite3").exists()
    assert sorted(path for path in data_dir.rglob("*") if not path.is_relative_to(data_dir / "demo")) == before
    assert "Its answers are recorded" in output
    assert "WARMER_DATA_DIR=" in output
    assert output.count("First list") == output.count("Next list") == 3
    plain = " ".join(output.split())
    for query in demo.recorded_scores():
        assert query in output
        assert " and ".join(f"“{text}”" for text in demo.recorded_rewordings()[query]) in plain
        assert f"a made-up passage: “{demo.recorded_passages()[query]}”" in plain
    if sys.version_info[:2] == RECORDED_WITH:
        assert "not scored" not in output
        for told in map(means, json.loads(RECORD.read_text(encoding="utf-8"))):
            assert told in plain


def means(run: Mapping[str, Any]) -> str:
    """Write what the demo says of a recorded run."""
    first, then, read_on, new = (
        fmean(hit["score"] for hit in run[name]) for name in ("before", "after", "read on", "new searches")
    )
    return (
        f"{first:.1f} the first five {then:.1f} the next five, after scores and rewordings {read_on:.1f} the next five "
        f"of the first list, without feedback {new:.1f} five new ones of separate searches with the same words, among "
        f"{run['shown by new searches']} that these showed"
    )


def test_a_part_of_the_documentation_is_read(tmp_path: Path) -> None:
    for name in ("copy", "json", "secrets"):
        (tmp_path / f"{name}.py").write_text(f'"""All about {name}."""\n')
    assert {passage.source for passage in python_passages(tmp_path, only=demo.SMALL)} == {"copy.py", "secrets.py"}
    assert len(list(python_passages(tmp_path))) == 3


async def test_unscored_passages_are_reported(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (data_dir / "collections" / "notes").rename(data_dir / "collections" / demo.COLLECTION)
    output = await printed(data_dir, monkeypatch)
    assert output.count("None of these passages was scored") == 3
    assert "Next list" not in output


async def test_hits_are_whole_and_described(
    data_dir: Path, reference: Reference, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each hit is keyed by its whole text under its whole title, even where several are of one section."""
    (data_dir / "collections" / "notes").rename(data_dir / "collections" / demo.COLLECTION)
    known = {demo.passage_key({"title": p.title, "text": p.text}) for p in reference.passages}
    monkeypatch.setenv("WARMER_DATA_DIR", str(data_dir))
    async with Client(demo.demo_server(Settings())) as client:
        monkeypatch.setattr(demo, "recorded_rewordings", lambda: {"bread": ["dough"]})
        monkeypatch.setattr(demo, "recorded_passages", lambda: {"bread": "Knead the dough and bake it."})
        rounds = await demo.play(client, demo.COLLECTION, "bread", dict.fromkeys(known, 5.0))
    lists = (rounds.first, rounds.next, rounds.read_on, rounds.ahead, rounds.reworded)
    assert [len(hits) for hits in lists[:4]] == [5, 5, 5, 5]
    assert {demo.passage_key(hit) for hits in lists for hit in hits} <= known
    first, reworded = ({demo.passage_key(hit) for hit in hits} for hits in (rounds.first, rounds.reworded))
    assert not first & reworded, "new searches count for what they add"


def test_each_query_is_reworded() -> None:
    rewordings = demo.recorded_rewordings()
    assert rewordings.keys() == demo.recorded_scores().keys() == demo.recorded_passages().keys()
    for query, said in rewordings.items():
        assert len({query, *said}) == 3


def test_scores_are_keyed_by_the_passage_and_in_range() -> None:
    for recorded in demo.recorded_scores().values():
        assert len(recorded) > 10
        assert all(len(key) == 16 and 0 <= score <= 10 for key, score in recorded.items())
    assert demo.passage_key({"text": "a", "title": "t"}) != demo.passage_key({"text": "a", "title": "u"})
    assert demo.passage_key({"text": "a"}) == demo.passage_key({"text": "a", "title": ""})


def test_an_error_inside_the_client_is_one_line(data_dir: Path) -> None:
    """A collection of another model cannot be searched, and the user sees no traceback of a task group."""
    pointer = data_dir / "collections" / "notes"
    generation = next(pointer.rglob("manifest.json")).parent
    replace(Manifest.read(generation), model="other/model").write(generation)
    (data_dir / "demo" / "collections").mkdir(parents=True)
    pointer.rename(data_dir / "demo" / "collections" / demo.COLLECTION)
    script = "import sys, warmer_server.commands.demo as d; d.build = lambda *a, **k: None\n"
    script += "d.python_passages = lambda **k: []\n"
    script += "from warmer_server.cli import main; main(['demo'])"
    environment = {**os.environ, "WARMER_DATA_DIR": str(data_dir)}
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "other/model" in done.stderr
    assert "Traceback" not in done.stderr


def test_hits_of_several_searches_are_all_averaged() -> None:
    """Their numbers repeat."""
    hits = [{"hit": 1, "text": "a"}, {"hit": 1, "text": "b"}, {"hit": 2, "text": "c"}]
    recorded = {demo.passage_key(hits[0]): 10.0, demo.passage_key(hits[1]): 4.0}
    assert demo._mean(hits, recorded) == "7.0 (1 not scored)"
