"""The command line, as a user runs it."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event

import pytest
from qdrant_server import QdrantServer

from warmer_server.cli import main
from warmer_server.settings import Settings


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {**os.environ, "WARMER_DATA_DIR": str(tmp_path / "data")}


def warmer(environment: dict[str, str], *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "warmer_server.cli", *map(str, arguments)]
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )


def refused(environment: dict[str, str], *arguments: object) -> str:
    done = warmer(environment, *arguments)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    return done.stderr


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "bread.md").write_text("# Bread\n\nKnead the dough.\n\n## Crust\n\nTrap the steam.\n")
    (folder / "boats.rst").write_text("Boats\n=====\n\nReef early.\n")
    (folder / "tool.py").write_text('"""A tool."""\n\n\ndef run(fast=True):\n    """Run the tool."""\n')
    (folder / "plain.txt").write_text("Plain words.\n")
    return folder


def test_index_then_status(environment: dict[str, str], docs: Path) -> None:
    done = warmer(environment, "index", docs, "--collection", "mine")
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert "mine: 6 passages, 4 files read, 6 embedded\nfiles: 4 added\n" in done.stderr
    again = warmer(environment, "index", docs, "--collection", "mine")
    assert "nothing had changed" in again.stderr
    (docs / "plain.txt").write_text("Other words.\n")
    changed = warmer(environment, "index", docs, "--collection", "mine")
    assert "mine: 6 passages, 4 files read, 1 embedded\nfiles: 1 changed\n" in changed.stderr
    status = warmer(environment, "status", "--verify")
    assert status.returncode == 0
    for part in (
        "mine: 6 passages",
        "verified: 22 files",
        "all-MiniLM-L6-v2",
        "384 dimensions",
        "(default)",
        environment["WARMER_DATA_DIR"],
    ):
        assert part in status.stdout


def test_status_reports_a_collection_of_another_model(environment: dict[str, str], data_dir: Path) -> None:
    environment["WARMER_DATA_DIR"] = str(data_dir)
    assert "was embedded by" not in warmer(environment, "status").stdout
    said = warmer({**environment, "EMBEDDING_MODEL": "BAAI/bge-small-en-v1.5"}, "status").stdout
    assert "collection 'notes' was embedded by 'sentence-transformers/all-MiniLM-L6-v2', but queries" in said


def test_unreadable_files_are_reported_and_left_out(environment: dict[str, str], docs: Path) -> None:
    (docs / "binary.txt").write_bytes(b"\x00\x01\x02")
    (docs / "broken.py").write_text("def (:\n")
    (docs / "huge.txt").touch()
    os.truncate(docs / "huge.txt", 200_000_000)
    os.mkfifo(docs / "pipe.txt")
    done = warmer(environment, "index", docs, "--collection", "mine")
    assert done.returncode == 0, done.stderr
    assert "6 passages" in done.stderr
    for name in ("binary.txt", "broken.py", "huge.txt", "pipe.txt"):
        assert any("left out:" in line and name in line for line in done.stderr.splitlines()), name


def test_passages_of_unreadable_files_are_kept(environment: dict[str, str], docs: Path) -> None:
    warmer(environment, "index", docs, "--collection", "mine")
    (docs / "tool.py").write_text("def (:\n")
    (docs / "plain.txt").unlink()
    done = warmer(environment, "index", docs, "--collection", "mine")
    assert "mine: 5 passages, 2 files read" in done.stderr
    assert "that could not be read is kept." in done.stderr
    replaced = warmer(environment, "index", docs, "--collection", "mine", "--replace")
    assert "mine: 3 passages" in replaced.stderr


def test_patterns_and_sizes_select_files(environment: dict[str, str], docs: Path) -> None:
    (docs / "picture.png").touch()
    (docs / ".gitignore").write_text("boats.rst\n")
    (docs / "blank.txt").touch()
    whole = warmer(environment, "index", docs, "--collection", "mine")
    assert "mine: 5 passages, 4 files read" in whole.stderr
    for line in ("1 ignored: docs/boats.rst", "1 of an unsupported kind: *.png", "1 without text: docs/blank.txt"):
        assert f"left out: {line}" in whole.stderr
    assert "is kept" not in whole.stderr
    narrowed = warmer(
        environment, "index", docs, "--collection", "mine", "--include", "*.md", "--include=*.txt", "--exclude=plain*"
    )
    assert "mine: 2 passages" in narrowed.stderr
    small = warmer(environment, "index", docs, "--collection", "mine", "--max-size", "0.00002")
    assert "2 too large" in small.stderr
    assert "mine: 3 passages" in small.stderr
    assert "not a file pattern" in refused(environment, "index", docs, "--collection", "mine", "--exclude", "!")
    assert warmer(environment, "index", docs, "--collection", "mine", "--max-size", "-1").returncode == 2


def test_a_collection_can_be_deleted(environment: dict[str, str], docs: Path) -> None:
    warmer(environment, "index", docs, "--collection", "mine")
    assert str(docs) in warmer(environment, "status").stdout
    assert warmer(environment, "delete", "mine").returncode == 0
    assert "none: make one with" in warmer(environment, "status").stdout
    assert "there is no collection" in refused(environment, "delete", "mine")
    assert warmer(environment, "index", docs, "--collection", "mine").returncode == 0


def test_ctrl_c_stops_indexing_and_the_next_run_completes_it(environment: dict[str, str], docs: Path) -> None:
    arrived, go = Event(), Event()

    def upsert(method: str, path: str) -> bool:
        found = method == "PUT" and path.endswith("/points")
        if found:
            arrived.set()
        return found

    with QdrantServer() as server:
        server.fail(stall=go, when=upsert)
        index = ("index", str(docs), "--collection", "mine", "--url", server.url)
        command = [sys.executable, "-m", "warmer_server.cli", *index]
        with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as run:
            assert arrived.wait(60)
            run.send_signal(signal.SIGINT)
            said = run.communicate(timeout=60)[1]
        go.set()
        assert run.returncode == 130
        assert "Traceback" not in said
        assert "mine: 6 passages" in warmer(environment, *index).stderr


def test_bad_paths_and_names_are_refused(environment: dict[str, str], docs: Path, tmp_path: Path) -> None:
    assert "nowhere" in refused(environment, "index", docs / "nowhere", "--collection", "mine")
    assert "cannot name a collection" in refused(environment, "index", docs, "--collection", "a/b")
    (docs / "inner").mkdir()
    assert "files in common" in refused(environment, "index", docs, docs / "inner", "--collection", "mine")
    (tmp_path / "empty").mkdir()
    said = refused(environment, "index", tmp_path / "empty", "--collection", "mine")
    assert f"there is nothing to index in {tmp_path / 'empty'}: no passage was found, and nothing was changed" in said
    assert "none: make one with" in warmer(environment, "status").stdout


def test_a_new_empty_folder_is_refused_but_an_emptied_one_is_not(
    docs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Run in one process, so that the model is loaded once."""
    monkeypatch.setenv("WARMER_DATA_DIR", str(tmp_path / "data"))

    def index(*paths: Path) -> str:
        refusal = ""
        try:
            main(["index", *map(str, paths), "--collection", "mine"])
        except SystemExit as end:
            refusal = str(end.code)
        return capsys.readouterr().err + refusal

    nothing = tmp_path / "nothing"
    nothing.mkdir()
    (nothing / "binary.md").write_bytes(b"\x00\x01\x02")
    (nothing / "picture.png").touch()
    said = index(nothing)
    assert "left out: 1 of an unsupported kind: *.png" in said
    assert any("left out:" in line and "binary.md" in line for line in said.splitlines())
    assert said.endswith(f"there is nothing to index in {nothing}: no passage was found, and nothing was changed")
    assert "mine: 6 passages" in index(docs)
    assert "left out:" in index(docs, nothing)
    main(["status"])
    assert str(nothing) not in capsys.readouterr().out
    (nothing / "boats.md").write_text("Reef early.\n")
    assert "mine: 7 passages" in index(nothing)
    for file in nothing.iterdir():
        file.unlink()
    assert "mine: 6 passages, 0 files read" in index(nothing)
    for file in docs.iterdir():
        file.unlink()
    assert "The collection is as it was" in index(docs)


def test_a_data_directory_that_is_a_file_is_refused(environment: dict[str, str], docs: Path, tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    assert str(tmp_path / "data") in refused(environment, "serve")
    assert str(tmp_path / "data") in refused(environment, "index", docs, "--collection", "mine")


def test_a_full_disk_is_reported_and_loses_nothing(environment: dict[str, str], docs: Path, tmp_path: Path) -> None:
    with small_disk(tmp_path) as disk:
        environment["WARMER_DATA_DIR"] = str(disk / "data")
        assert warmer(environment, "index", docs, "--collection", "mine").returncode == 0
        with suppress(OSError), (disk / "filler").open("wb", buffering=0) as filler:
            while True:
                filler.write(b"x" * 4096)
        (docs / "plain.txt").write_text("Other words.\n")
        assert "No space left" in refused(environment, "index", docs, "--collection", "mine")
        (disk / "filler").unlink()
        assert "generation 000001-" in warmer(environment, "status").stdout
        assert warmer(environment, "index", docs, "--collection", "mine").returncode == 0


def test_a_read_only_disk_is_reported(environment: dict[str, str], docs: Path, tmp_path: Path) -> None:
    with small_disk(tmp_path) as disk:
        environment["WARMER_DATA_DIR"] = str(disk / "data")
        assert warmer(environment, "index", docs, "--collection", "mine").returncode == 0
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        assert "Read-only file system" in refused(environment, "index", docs, "--collection", "mine")
        assert "WARMER_DATA_DIR names another folder" in refused(environment, "serve")


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """Mount an ext4 disk of 64 MB."""
    image, disk = folder / "image", folder / "disk"
    disk.mkdir()
    image.touch()
    os.truncate(image, 64 * 2**20)
    make, mount = ["mkfs.ext4", "-q", str(image)], ["mount", "-o", "loop", str(image), str(disk)]
    tools = {"PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"}
    try:
        made = [subprocess.run(c, env=tools, capture_output=True, check=False).returncode for c in (make, mount)]
    except FileNotFoundError:
        made = [1]
    if any(made):
        pytest.skip("to mount a small disk takes root, mkfs.ext4 and a loop device")
    try:
        yield disk
    finally:
        subprocess.run(["umount", disk], check=True)


def test_settings_are_listed_and_checked(environment: dict[str, str]) -> None:
    listed = warmer(environment, "serve", "--help").stdout
    for field in Settings.model_fields.values():
        assert str(field.validation_alias) in listed
    assert "WARMER_TEXT_LIMIT is 'many'" in refused({**environment, "WARMER_TEXT_LIMIT": "many"}, "serve")
    lonely = {**environment, "WARMER_VECTOR": "dense"}
    assert "QDRANT_URL is not set" in refused(lonely, "status")
    assert "QDRANT_URL is not set" in refused(lonely, "serve", "--http", "--port", "0")
    assert "QDRANT_URL is not set" in warmer(lonely, "serve").stderr  # and the tools say so


def test_version_and_help(environment: dict[str, str]) -> None:
    assert warmer(environment, "--version").stdout.startswith("warmer ")
    assert "give_feedback" not in warmer(environment, "--help").stdout
    assert warmer(environment, "nonsense").returncode == 2


JUDGE = """
class Outdoors:  # wants two subjects whatever is asked, which feedback can learn
    def score(self, query, passages):
        return [9.0 if passage.startswith(("space", "sailing")) else 0.0 for passage in passages]
"""


def test_train_then_export_and_load(environment: dict[str, str], data_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "judge_of_a_test.py").write_text(JUDGE)
    queries = tmp_path / "queries.txt"
    queries.write_text(
        "\n".join(f"what about {word}" for word in ["bread", "boats", "code", "gardens", "stars", "data"] * 2)
    )
    python_path = f"{os.environ.get('PYTHONPATH', '')}:{tmp_path}"
    environment = {**environment, "WARMER_DATA_DIR": str(data_dir), "PYTHONPATH": python_path}
    few = warmer(environment, "train", "--queries", queries, "--judge", "judge_of_a_test:Outdoors")
    assert "needs_queries" in few.stdout
    assert "next        `warmer train --queries FILE`, with about 50 queries" in few.stdout
    assert few.stderr == ""
    shallow = warmer(environment, "train", "--queries", queries, "--limit", "3")
    assert shallow.returncode == 1
    assert shallow.stderr == "warmer: --limit is 3: 5 to 50 hits of a query can be scored\n"
    queries.write_text(
        "\n".join(f"{a} {b}" for a in ("how", "why") for b in ["bread", "boats", "code", "garden", "stars", "data"])
    )
    done = warmer(environment, "train", "--queries", queries, "--judge", "judge_of_a_test:Outdoors")
    assert done.returncode == 0, done.stderr
    assert "held out    12 queries" in done.stdout
    assert "status      applied" in done.stdout
    assert re.search(r"^parameters  c=[\d.]+ neutral=[\d.]+ share=[\d.]+$", done.stdout, re.MULTILINE)
    assert done.stderr == ""
    assert "judge_of_a_test:Outdoors, 12 queries" in warmer(environment, "status").stdout
    exported = warmer(environment, "params").stdout
    assert {"a", "b", "c"} <= json.loads(exported)[0].keys()
    (tmp_path / "params.json").write_text(exported)
    elsewhere = {**environment, "WARMER_DATA_DIR": str(tmp_path / "elsewhere")}
    assert warmer(elsewhere, "params").stdout == "[]\n"
    assert warmer(elsewhere, "params", "--load", tmp_path / "params.json").returncode == 0
    assert warmer(elsewhere, "params").stdout == exported
    (tmp_path / "params.json").write_text("[{}]")
    assert "not exported parameters" in refused(elsewhere, "params", "--load", tmp_path / "params.json")
    assert "cannot read" in refused(elsewhere, "params", "--load", tmp_path / "nothing")
    assert "there is no judge 'gpt'" in refused(environment, "train", "--judge", "gpt")
    assert "cannot read queries" in refused(environment, "train", "--queries", tmp_path / "nothing")


def test_a_journal_is_exported_imported_and_pruned(environment: dict[str, str], tmp_path: Path) -> None:
    warmer(environment, "journal", "export", tmp_path / "f")
    assert "imported 0 searches, 0 hits" in warmer(environment, "journal", "import", tmp_path / "f").stderr
    (tmp_path / "f").write_text("\x1b[2Jno journal")
    assert "not an exported journal" in refused(environment, "journal", "import", tmp_path / "f")
    assert "0 searches deleted" in warmer(environment, "journal", "prune", "--older-than", "30").stderr
