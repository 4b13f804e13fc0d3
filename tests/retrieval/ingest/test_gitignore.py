"""Patterns of a `.gitignore` mean what they mean to git."""

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from warmer.ingest import find_files
from warmer.ingest.gitignore import parse_pattern

GIT = shutil.which("git")
pytestmark = pytest.mark.skipif(not GIT, reason="git is not installed")

NAMES = (
    *(
        "a.md",
        "b.md",
        "ab.md",
        "A.md",
        "a b.md",
        "a-b.md",
        "a]b.md",
        "[a].md",
        "ä.md",
        "a!.md",
        "!a.md",
        "#a.md",
        "1.md",
    ),
    *(
        "a\t.md",
        "a\\b.md",
        "a/a.md",
        "a/b.md",
        "a/b/a.md",
        "a/b/ab.md",
        "b/a.md",
        "b/b/b.md",
        "a b/a.md",
        "ab/a/b/a.md",
    ),
)
PIECES = st.sampled_from(
    [
        *(
            "a",
            "b",
            "ab",
            "A",
            "ä",
            ".md",
            ".",
            "/",
            "*",
            "**",
            "**/",
            "/**",
            "?",
            "!",
            "#",
            " ",
            "\t",
            "\\",
            "\\ ",
            "\r",
        ),
        *("[ab]", "[!a]", "[^b]", "[a-b]", "[b-a]", "[]a]", "[a", "]", "[[:alpha:]]", "[[:upper:]b]", "[![:digit:]]"),
        *(
            "[[:space:]]",
            "[[:letter:]]",
            "[\\]a]",
            "[a-\\b]",
            "[--a]",
            "[[a]",
            "[:a:]",
            "\ufeff",
            "\x0b",
            "\x85",
            "-",
            ":",
        ),
    ]
)
PATTERNS = st.lists(st.lists(PIECES, max_size=6).map("".join), max_size=5)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("tree")
    subprocess.run([str(GIT), "init", "-q", root], check=True)
    for name in NAMES:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("text")
    return root


def git_takes(root: Path) -> set[str]:
    listed = [str(GIT), "-c", "core.excludesFile=", "ls-files", "--others", "--exclude-standard", "-z"]
    output = subprocess.run(listed, cwd=root, check=True, capture_output=True).stdout
    return {name.decode() for name in output.split(b"\0") if name.endswith(b".md")}


def we_take(root: Path) -> set[str]:
    return {file.path.relative_to(root).as_posix() for file in find_files(root, "docs")}


@example(["*.md", "!a.md"])
@example(["a/", "!a/b.md"])
@example(["a\t"])
@example(["a\r"])
@example(["a.md  ", "b.md\\ "])
@example(["/*/b.md", "**/b", "a/**/a.md"])
@example(["**/[ab]*[!b].md"])
@example(["a**/**", "!a**/b.md"])
@example(["a/?**/b.md", "/a**"])
@example(["//", "/", "!", "\\", "a\\"])
@settings(max_examples=60)
@given(patterns=PATTERNS)
def test_files_are_ignored_as_git_ignores_them(tree: Path, patterns: list[str]) -> None:
    (tree / ".gitignore").write_bytes("\n".join(patterns).encode())
    assert we_take(tree) == git_takes(tree)


def test_deeper_files_and_the_excludes_of_a_checkout(tree: Path) -> None:
    (tree / ".gitignore").write_text("*.md\n!b.md\n")
    (tree / "a" / ".gitignore").write_text("!a.md\nb/\n")
    (tree / ".git" / "info" / "exclude").write_text("ab/\nb.md\n")
    taken = we_take(tree)
    assert taken == git_takes(tree) >= {"a/a.md", "b.md"}
    (tree / "a" / ".gitignore").unlink()
    (tree / ".git" / "info" / "exclude").unlink()


def test_nothing_is_said_about_odd_patterns(
    tree: Path, recwarn: pytest.WarningsRecorder, capfd: pytest.CaptureFixture[str]
) -> None:
    (tree / ".gitignore").write_bytes(b"[[:alpha:]-z]\n[[a-z]\n[a--b&&c||d~~]\n\xff\xfe*\n" + b"*a" * 60 + b"\n")
    assert we_take(tree) == git_takes(tree)
    assert not recwarn.list
    assert capfd.readouterr() == ("", "")


def test_many_stars_take_no_time() -> None:
    pattern = parse_pattern(b"*a" * 40 + b"b")
    assert pattern
    assert pattern.regex
    assert not pattern.regex.match(b"a" * 250)
