"""Finding and naming files."""

import os
from pathlib import Path

import pytest

from warmer.errors import IngestError
from warmer.ingest import SUFFIXES, Skipped, SourceFile, find_files, root_labels


def _touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def _sources(root: Path) -> list[str]:
    return [file.source for file in find_files(root, "docs")]


def test_files_of_a_folder_are_sorted_and_named_below_the_label(tmp_path: Path) -> None:
    _touch(tmp_path, "b.md", "a/z.rst", "a/b/c.PY", "a.txt", "data.csv", "README")
    assert _sources(tmp_path) == ["docs/a.txt", "docs/a/b/c.PY", "docs/a/z.rst", "docs/b.md"]
    assert next(find_files(tmp_path, "docs")) == SourceFile(tmp_path / "a.txt", "docs/a.txt")


def test_hidden_cached_and_installed_files_are_skipped(tmp_path: Path) -> None:
    _touch(tmp_path, ".git/a.md", "x/.b.md", "__pycache__/c.py", "node_modules/d.md", "kept.md")
    _touch(tmp_path, "env/pyvenv.cfg", "env/lib/e.py")
    assert _sources(tmp_path) == ["docs/kept.md"]


def test_a_hidden_root_is_listed(tmp_path: Path) -> None:
    _touch(tmp_path, ".notes/a.md")
    assert _sources(tmp_path / ".notes") == ["docs/a.md"]


def test_links_are_followed_once_and_only_within_the_folder(tmp_path: Path) -> None:
    _touch(tmp_path, "outside.md", "elsewhere/b.md", "root/sub/a.md")
    root = tmp_path / "root"
    (root / "sub" / "loop").symlink_to(root)
    (root / "up").symlink_to(tmp_path)
    (root / "self.md").symlink_to("self.md")
    (root / "out").symlink_to(tmp_path / "elsewhere")
    (root / "out.md").symlink_to(tmp_path / "outside.md")
    (root / "twice").symlink_to(root / "sub")
    (root / "b.md").symlink_to(root / "sub" / "a.md")
    skipped = Skipped()
    assert [file.source for file in find_files(root, "docs", skipped)] == ["docs/self.md", "docs/sub/a.md"]
    assert set(skipped.lines()) == {
        "3 a link to what is there already: docs/b.md, docs/sub/loop/, docs/twice/",
        "3 a link to elsewhere: docs/out/, docs/out.md, docs/up/",
    }


def test_a_link_to_what_is_not_found_itself_is_followed(tmp_path: Path) -> None:
    _touch(tmp_path, ".hidden/a.md", ".hidden/deep/b.md", "notes/c.dat")
    (tmp_path / "shown").symlink_to(tmp_path / ".hidden")
    (tmp_path / "c.md").symlink_to("notes/c.dat")
    assert _sources(tmp_path) == ["docs/c.md", "docs/shown/a.md", "docs/shown/deep/b.md"]


def test_a_link_that_git_wrote_as_a_file_is_one(tmp_path: Path) -> None:
    _touch(tmp_path, "docs/index.md")
    (tmp_path / "README.md").write_text("docs/index.md")
    (tmp_path / "text.md").write_text("docs/missing.md")
    assert _sources(tmp_path) == ["docs/docs/index.md", "docs/text.md"]


def test_known_labels_are_kept_and_not_reused(tmp_path: Path) -> None:
    for name in ("p/docs", "q/docs", "r/docs/api"):
        (tmp_path / name).mkdir(parents=True)
    known = {"p/docs": str(tmp_path / "p/docs"), "docs/api": str(tmp_path / "r/docs/api")}
    labels = root_labels([tmp_path / "p/docs", tmp_path / "q/docs"], known)
    assert labels == {"p/docs": tmp_path / "p/docs", "q/docs": tmp_path / "q/docs"}
    for root in (tmp_path / "p", tmp_path / "r/docs/api/inner"):
        with pytest.raises(IngestError, match="files in common"):
            root_labels([root], known)


def test_the_source_of_a_file_root_is_its_label(tmp_path: Path) -> None:
    _touch(tmp_path, "a.md")
    [(label, root)] = root_labels([tmp_path / "a.md"]).items()
    assert list(find_files(root, label)) == [SourceFile(root, "a.md")]


def test_a_file_name_that_is_not_utf8_gives_a_utf8_source(tmp_path: Path) -> None:
    try:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.md")).touch()
    except OSError:
        pytest.skip("the file system takes no such name")
    assert _sources(tmp_path) == ["docs/?.md"]


@pytest.mark.parametrize("name", ["missing", "missing/a.md", "a.md/b", "nul\0.md"])
def test_a_root_that_cannot_be_read_is_refused(tmp_path: Path, name: str) -> None:
    _touch(tmp_path, "a.md")
    with pytest.raises(IngestError, match="cannot be read"):
        find_files(tmp_path / name, "docs")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may list every folder")
def test_a_folder_that_cannot_be_listed(tmp_path: Path) -> None:
    _touch(tmp_path, "kept.md", "closed/a.md")
    (tmp_path / "closed").chmod(0)
    assert _sources(tmp_path) == ["docs/kept.md"]
    with pytest.raises(IngestError, match="closed cannot be listed"):
        find_files(tmp_path / "closed", "docs")


def test_a_file_root_of_an_unsupported_kind_is_refused(tmp_path: Path) -> None:
    _touch(tmp_path, "a.png")
    with pytest.raises(IngestError, match=r"a\.png") as refused:
        find_files(tmp_path / "a.png", "a.png")
    assert all(suffix in str(refused.value) for suffix in SUFFIXES)


@pytest.mark.parametrize(
    ("roots", "labels"),
    [
        (["/x/docs"], ["docs"]),
        (["/x/a/docs", "/x/b/docs", "/x/src"], ["a/docs", "b/docs", "src"]),
        (["/x/a/docs", "/y/a/docs", "/y/b/docs"], ["x/a/docs", "y/a/docs", "b/docs"]),
        (["/x/docs", "/x/other/../docs", "/x/docs/"], ["docs"]),
        (["/docs", "/a/docs"], ["docs", "a/docs"]),
        (["/"], ["root"]),
        ([], []),
    ],
)
def test_labels_are_the_shortest_unique_suffixes(roots: list[str], labels: list[str]) -> None:
    assert list(root_labels([Path(root) for root in roots])) == labels


def test_a_link_is_labelled_by_its_target(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "link").symlink_to("docs")
    assert root_labels([tmp_path / "link", tmp_path / "docs"]) == {"docs": (tmp_path / "docs").resolve()}
