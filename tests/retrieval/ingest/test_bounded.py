"""No file ends a run: what takes too long, takes too much memory or ends its reader is left out by name."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from warmer.errors import IngestError
from warmer.ingest import SourceFile, bounded, find_files, read_passages, split_sections
from warmer.ingest.bounded import Limits, read_files


def errors(folder: Path, limits: Limits | None = None) -> dict[str, str]:
    read = read_files(list(find_files(folder, "docs")), limits)
    return {file.path.name: answer.reason for file, answer in read if isinstance(answer, IngestError)}


def test_children_read_what_this_process_reads(tmp_path: Path) -> None:
    for number in range(20):
        (tmp_path / f"{number}.md").write_text(f"---\ntags: [a]\n---\n# Title\n\nText {number}.\n\n## More\n\nWords.\n")
    (tmp_path / "a.html").write_text("<h1>A</h1><p>b<p>c")
    files = list(find_files(tmp_path, "docs"))
    read = [
        (file, split_sections(sections, file)) for file, sections in read_files(files) if isinstance(sections, list)
    ]
    assert [file for file, _ in read] == files
    assert [list(passages) for _, passages in read] == [list(read_passages(file)) for file in files]


def test_a_file_that_takes_too_long_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "slow.md").write_text("* a\n> b\n" * 400_000)
    (tmp_path / "quick.md").write_text("Quick.")
    assert errors(tmp_path, Limits(seconds=3)) == {"slow.md": "takes too long"}


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere memory is not limited")
def test_a_file_that_takes_too_much_memory_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "large.md").write_text("* a\n> b\n" * 1_000_000)
    (tmp_path / "small.md").write_text("Small.")
    assert errors(tmp_path, Limits(memory=400 * 2**20)) == {"large.md": "takes too much memory"}


def test_a_reader_that_ends_is_started_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.md", "b.md"):
        (tmp_path / name).write_text("Text.")
    start = bounded._Child._start
    broken = [[sys.executable, "-c", "import sys; sys.stdin.readline(); sys.exit(3)"]]

    def first_broken(child: bounded._Child) -> object:
        if broken:
            return subprocess.Popen(broken.pop(), stdin=-1, stdout=-1)
        return start(child)

    monkeypatch.setattr(bounded._Child, "_start", first_broken)
    answers = dict(read_files([SourceFile(tmp_path / name, name) for name in ("a.md", "b.md")]))
    assert [str(answer) for answer in answers.values() if isinstance(answer, IngestError)] == [
        f"{tmp_path / 'a.md'}: its reader ended with exit status 3"
    ]
    assert len(answers) == 2


def test_what_is_no_regular_file_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.md")
    (tmp_path / "device.md").symlink_to("/dev/zero")
    (tmp_path / "A.JAVA").write_text("/** Adds. */\nint add(int a) { }\n")
    assert errors(tmp_path) == {"pipe.md": "unreadable"}
    assert errors(tmp_path / "A.JAVA") == {}
