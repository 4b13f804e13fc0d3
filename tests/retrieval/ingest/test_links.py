"""URLs of files in checkouts, and ignored files."""

import shutil
import subprocess
from pathlib import Path

import pytest

from warmer.errors import IngestError
from warmer.ingest import Skipped, SourceFile, find_files, read_passages
from warmer.passage import Passage, identify
from warmer.publishing import payload_of

GIT = shutil.which("git")


def write(root: Path, *names: str, **texts: str) -> None:
    for name, text in {**dict.fromkeys(names, "text"), **texts}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def check_out(root: Path, remote: str, head: str = "ref: refs/heads/topic", more: str = "") -> None:
    """Write the `.git` of a clone whose branch `topic` has the upstream `main`."""
    upstream = '[branch "topic"]\n\tremote = origin\n\tmerge = refs/heads/main\n'
    write(
        root,
        **{
            ".git/HEAD": head + "\n",
            ".git/config": f'[core]\n\tbare = false\n[remote "origin"]\n\turl = {remote}\n{more or upstream}',
            ".git/refs/remotes/origin/HEAD": "ref: refs/remotes/origin/trunk\n",
        },
    )


def urls(root: Path) -> list[str]:
    return [file.url for file in find_files(root, "docs")]


@pytest.mark.parametrize(
    ("remote", "page"),
    [
        ("https://github.com/o/r.git", "https://github.com/o/r/blob/main"),
        ("https://user:token@github.com/o/r", "https://github.com/o/r/blob/main"),
        ("git@github.com:o/r.git", "https://github.com/o/r/blob/main"),
        ("ssh://git@gitlab.example.org:2222/g/s/r.git", "https://gitlab.example.org/g/s/r/-/blob/main"),
        ("http://gitlab.example.org:8080/g/r/", "http://gitlab.example.org:8080/g/r/-/blob/main"),
        ("https://example.org/o/r.git", ""),
        ("/srv/github/r.git", ""),
        ("../github.com/r", ""),
        ("", ""),
    ],
)
def test_urls_have_no_credentials(tmp_path: Path, remote: str, page: str) -> None:
    check_out(tmp_path, remote)
    write(tmp_path, "a b/ü.md")
    assert urls(tmp_path) == [f"{page}/a%20b/%C3%BC.md" if page else ""]
    assert urls(tmp_path / "a b") == urls(tmp_path)
    [file] = find_files(tmp_path / "a b/ü.md", "ü.md")
    assert file.url == urls(tmp_path)[0]


@pytest.mark.parametrize(
    ("head", "more", "reference"),
    [
        ("ref: refs/heads/topic", "", "main"),
        ("ref: refs/heads/local", "", "trunk"),
        ("0123456789" * 4, "", "0123456789" * 4),
        ("ref: refs/heads/topic", '[branch "topic"]\nremote = gone\nmerge = refs/heads/x\n', None),
        ("nonsense", "", None),
        ("ref: refs/heads/topic", "[[[\n===", None),
    ],
)
def test_urls_name_a_branch_of_the_remote(tmp_path: Path, head: str, more: str, reference: str | None) -> None:
    check_out(tmp_path, "git@github.com:o/r.git", head, more)
    write(tmp_path, "a.md")
    assert urls(tmp_path) == [f"https://github.com/o/r/blob/{reference}/a.md" if reference else ""]


@pytest.mark.skipif(not GIT, reason="git is not installed")
def test_urls_in_clones_worktrees_and_submodules(tmp_path: Path) -> None:
    def git(*arguments: str, folder: Path = tmp_path) -> None:
        names = ["-c", "user.name=n", "-c", "user.email=e@example.org"]
        subprocess.run([str(GIT), *names, *arguments], cwd=folder, check=True, capture_output=True)

    write(tmp_path / "origin", "a.md")
    git("init", "-q", "-b", "main", "origin")
    git("add", ".", folder=tmp_path / "origin")
    git("commit", "-qm", "x", folder=tmp_path / "origin")
    git("clone", "-q", "origin", "clone")
    clone = tmp_path / "clone"
    git("worktree", "add", "-qb", "other", str(tmp_path / "tree"), folder=clone)
    git("-c", "protocol.file.allow=always", "submodule", "-q", "add", str(tmp_path / "origin"), "sub", folder=clone)
    git("remote", "set-url", "origin", "https://github.com/o/r", folder=clone)
    git("remote", "set-url", "origin", "https://github.com/o/sub", folder=clone / "sub")
    assert urls(clone) == [f"https://github.com/o/{name}/blob/main/a.md" for name in ("r", "sub")]
    assert urls(tmp_path / "tree") == ["https://github.com/o/r/blob/main/a.md"]


def test_passage_urls_point_to_their_line(tmp_path: Path) -> None:
    def passage_urls(name: str, text: str) -> list[str]:
        (tmp_path / name).write_text(text)
        return [passage.url for passage in read_passages(SourceFile(tmp_path / name, name, f"https://h/{name}"))]

    assert passage_urls("a.md", "# A\n\ntext\n## B\nmore") == ["https://h/a.md?plain=1#L3", "https://h/a.md?plain=1#L5"]
    assert passage_urls("a.txt", "\ntext") == ["https://h/a.txt#L2"]
    assert passage_urls("a.html", "<link rel=canonical href=http://s/a><h1 id=x>A</h1>t") == ["http://s/a#x"]
    assert passage_urls("a.ipynb", '{"cells": [{"cell_type": "markdown", "source": "t"}]}') == ["https://h/a.ipynb"]


def test_url_and_page_are_stored_but_not_part_of_the_id() -> None:
    bare, linked = Passage("t", "", "s", 1), Passage("t", "", "s", 1, "https://h/s#L1", 2)
    assert next(identify([bare]))[0] == next(identify([linked]))[0]
    assert payload_of(bare) == {"text": "t", "title": "", "source": "s", "line": 1}
    assert payload_of(linked) == payload_of(bare) | {"url": "https://h/s#L1", "page": 2}


def sources(root: Path, skipped: Skipped | None = None, **patterns: list[str]) -> list[str]:
    include, exclude = patterns.get("include", []), patterns.get("exclude", [])
    found = find_files(root, "docs", skipped, include=include, exclude=exclude)
    return [file.source.removeprefix("docs/") for file in found]


def test_ignore_files_hold_below_their_folder(tmp_path: Path) -> None:
    write(tmp_path, "a.md", "build/b.md", "sub/c.md", "sub/d.txt", "sub/keep.txt", "sub/deep/e.txt", ".github/f.md")
    write(tmp_path, **{".gitignore": "build/\n*.txt\n[z-a]\n", "sub/.gitignore": "!keep.txt\n"})
    assert sources(tmp_path) == ["a.md", "sub/c.md", "sub/keep.txt"]
    write(tmp_path, **{".warmerignore": "a.md\n!d.txt\n!.github/\n", "sub/.warmerignore": "keep.txt\n"})
    skipped = Skipped()
    assert sources(tmp_path, skipped) == [".github/f.md", "sub/c.md", "sub/d.txt"]
    assert set(skipped.lines()) == {
        "4 ignored: docs/build/, docs/a.md, docs/sub/keep.txt, docs/sub/deep/e.txt",
        "4 hidden or a cache: docs/.gitignore, docs/.warmerignore, docs/sub/.gitignore, docs/sub/.warmerignore",
    }
    assert skipped.unread == set()


def test_ignore_files_of_the_checkout_hold_except_for_a_named_root(tmp_path: Path) -> None:
    write(tmp_path, "repo/.git/HEAD", "repo/docs/a.md", "repo/docs/b.txt", "repo/build/c.md", "repo/build/d.txt")
    write(tmp_path, **{".gitignore": "*.md", "repo/.gitignore": "build/\n*.txt\n"})
    assert sources(tmp_path / "repo/docs") == ["a.md"]
    assert sources(tmp_path / "repo/build") == ["c.md", "d.txt"]
    assert len(list(find_files(tmp_path / "repo/docs/b.txt", "b.txt", exclude=["*"]))) == 1


def test_include_and_exclude_patterns(tmp_path: Path) -> None:
    write(tmp_path, "a.md", "b.txt", "old/c.md", "api/v1/d.md", "api/v2/e.md", ".hidden.md")
    assert sources(tmp_path, include=["*.md"]) == ["a.md", "api/v1/d.md", "api/v2/e.md", "old/c.md"]
    assert sources(tmp_path, include=["api/**", "*.txt"]) == ["api/v1/d.md", "api/v2/e.md", "b.txt"]
    skipped = Skipped()
    patterns = {"include": ["*.md"], "exclude": ["old/", "api/*", "!api/v2"]}
    assert sources(tmp_path, skipped, **patterns) == ["a.md", "api/v2/e.md"]
    assert "2 excluded: docs/old/, docs/api/v1/" in set(skipped.lines())
    assert "1 not included: docs/b.txt" in set(skipped.lines())
    for pattern in ("!", "[a-", "[[:letter:]]", "#", ""):
        with pytest.raises(IngestError, match="not a file pattern"):
            sources(tmp_path, include=[pattern])


def test_skipped_files_are_counted_with_examples(tmp_path: Path) -> None:
    write(tmp_path, "a.md", *(f"{n}.png" for n in range(9)), "Makefile", *(f"skip/{n}.md" for n in range(9)))
    skipped = Skipped()
    sources(tmp_path, skipped, exclude=["skip/*"])
    assert set(skipped.lines()) == {
        "10 of an unsupported kind: *.png (9), Makefile (1)",
        "9 excluded: docs/skip/0.md, docs/skip/1.md, docs/skip/2.md, docs/skip/3.md, docs/skip/4.md, …",
    }
