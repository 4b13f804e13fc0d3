"""`warmer index` over folders that change, and `warmer search`: in one process, so that the model is loaded once."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from warmer.index.edge.catalog import Catalog
from warmer.publishing.embedded.published import PublishedGeneration
from warmer_server.cli import main

Index = Callable[..., str]


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WARMER_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def index(data: Path, capsys: pytest.CaptureFixture[str]) -> Index:
    def index(*arguments: object) -> str:
        main(["index", *map(str, arguments), "--collection", "mine"])
        return capsys.readouterr().err

    assert data
    return index


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    for name, text in (
        ("bread.md", "# Bread\n\nKnead the dough.\n\n## Crust\n\nTrap the steam.\n"),
        ("boats/reef.md", "---\ntags: [sea]\n---\n# Boats\n\nReef early.\n"),
        ("boats/knots.md", "# Knots\n\nTie a bowline.\n"),
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def stored(data: Path) -> dict[str, tuple[str, str]]:
    """Map the text of each passage to its id and source."""
    generation = PublishedGeneration(Catalog(data).generations("mine"))
    return {payload["text"]: (id_, payload["source"]) for id_, payload in generation.payloads()}


def test_files_that_move_change_and_go(index: Index, notes: Path, data: Path) -> None:
    assert "4 embedded\nfiles: 3 added\n" in index(notes)
    first = stored(data)
    (notes / "boats").rename(notes / "ships")
    (notes / "bread.md").write_text("# Bread\n\nKnead the dough.\n\n## Crust\n\nKeep the steam in.\n")
    said = index(notes)
    assert "mine: 4 passages, 3 files read, 1 embedded\nfiles: 1 changed, 2 moved\n" in said
    moved = stored(data)
    for text in ("Reef early.", "Tie a bowline."):
        assert moved[text] == (first[text][0], first[text][1].replace("boats", "ships"))
    assert "nothing had changed" in index(notes)
    (notes / "ships" / "knots.md").unlink()
    assert "mine: 3 passages, 2 files read, 0 embedded\nfiles: 1 removed\n" in index(notes)
    (notes / "ships" / "reef.md").rename(notes / "reef.md")
    (notes / "ships" / "reef.md").write_text("# Boats\n\nReef early.\n")
    assert "files: 1 added\n" in index(notes)
    assert len(stored(data)) == 3


def test_a_folder_with_another_name_does_not_double(index: Index, notes: Path, data: Path) -> None:
    index(notes)
    first = stored(data)
    renamed = notes.rename(notes.with_name("docs"))
    said = index(renamed)
    assert "mine: 4 passages, 3 files read, 0 embedded\nfiles: 3 moved\n" in said
    assert f"notes: {notes} is no longer there" in said
    assert {text: id_ for text, (id_, _) in stored(data).items()} == {text: id_ for text, (id_, _) in first.items()}
    assert all(source.startswith("docs/") for _, source in stored(data).values())
    assert "nothing had changed" in index(renamed)


def test_a_vanished_folder_goes_unless_its_disk_may_be_missing(index: Index, notes: Path, tmp_path: Path) -> None:
    more, far = tmp_path / "more", tmp_path / "disk" / "far"
    for folder, text in ((more, "More."), (far, "Far.")):
        folder.mkdir(parents=True)
        (folder / "a.md").write_text(text)
    index(notes, more, far)
    (more / "a.md").unlink()
    more.rmdir()
    (tmp_path / "disk").rename(tmp_path / "unmounted")
    said = index(notes)
    assert "mine: 5 passages, 3 files read, 0 embedded\nfiles: 1 removed\n" in said
    assert f"more: {more} is no longer there" in said
    assert f"far: {far} is not there; what was indexed of it is kept. --replace drops it" in said
    assert "mine: 4 passages" in index(notes, "--replace")


def test_kinds_and_encodings_by_option(index: Index, notes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (notes / "README").write_text("About it.")
    (notes / "run.log").write_bytes("Ошибка насоса".encode("cp1251"))
    (notes / "settings.yaml").write_text("pump:\n  speed: 9\n")
    assert "3 of an unsupported kind: README (1), *.log (1), *.yaml (1)" in index(notes)
    said = index(notes, "--as", "text=.log,README", "--as", "data=.yaml", "--encoding", "cp1251")
    assert "mine: 7 passages" in said
    main(["search", "насоса", "--collection", "mine", "--limit", "1"])
    assert "Ошибка насоса" in capsys.readouterr().out
    for wrong, message in (
        (["--as", "text"], "--as 'text' cannot be used"),
        (["--encoding", "klingon"], "not a text encoding"),
    ):
        with pytest.raises(SystemExit, match=message):
            index(notes, *wrong)


def test_search_in_the_terminal(index: Index, notes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    index(notes)
    main(["search", "how to tie a rope", "--reword", "which knot holds", "--limit", "2"])
    first, text, *_ = capsys.readouterr().out.split("\n")
    assert first == " 1  Knots  notes/boats/knots.md"
    assert text == "    Tie a bowline."
    parts = ("The eye splice makes a loop at the end", "A short splice joins two ropes", "A back splice ends one")
    (notes / "rope.md").write_text("# Splices of rope\n\n" + "\n\n".join(f"{part}. " * 12 for part in parts))
    index(notes)
    main(["search", "splice a rope", "--limit", "2"])
    places = [line[4:] for line in capsys.readouterr().out.split("\n") if line[:4].strip()]
    assert [place.partition(":")[0] for place in places] == ["Splices of rope  notes/rope.md"] * 2, "each in full"
    only = json.dumps({"must": [{"key": "tags", "match": {"value": "sea"}}]})
    main(["search", "how to tie a rope", "--filter", only, "--json"])
    reply = json.loads(capsys.readouterr().out)
    assert [hit["source"] for hit in reply["hits"]] == ["notes/boats/reef.md"]
    assert reply["search_id"]
    for wrong, message in (
        (["search", " "], "the query is empty"),
        (["search", "x", "--filter", "[]"], "is not a filter"),
        (["search", "x", "--filter", "{"], "is not JSON"),
        (["search", "x", "--collection", "other"], "other"),
    ):
        with pytest.raises(SystemExit, match=message):
            main(wrong)


def test_indexing_does_not_import_the_mcp_sdk() -> None:
    """It takes a second, which is most of the time of a run that finds nothing new."""
    script = "import sys, warmer_server.commands.index; assert 'mcp' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], check=True)
