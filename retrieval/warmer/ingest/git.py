"""Derive the web URLs of a checkout's files from its `.git` folder, without running git."""

import configparser
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

_REMOTE = re.compile(
    r"(?:(?P<scheme>https?|ssh|git)://)?(?:[^@/\s]+@)?(?P<host>[\w.-]+)(?P<port>:\d+(?=/))?[:/]/*(?P<path>[^?#\s]+)"
)
_FILE_PATHS = {"github": "blob", "gitlab": "-/blob"}
_COMMIT = re.compile(r"[0-9a-f]{40,64}")


@dataclass(frozen=True, slots=True)
class Checkout:
    """A checkout of a repository on GitHub or GitLab, public or self-hosted.

    Attributes:
        root: The folder of the checkout.
        base_url: URL below which the server shows the files of a branch or commit.
    """

    root: Path
    base_url: str

    def url(self, path: Path) -> str:
        """Return the URL of a file."""
        return f"{self.base_url}/{quote(path.relative_to(self.root).as_posix(), errors='replace')}"


def read_checkout(folder: Path) -> Checkout | None:
    """Read the checkout in a folder with a `.git`; None if its files have no known URL.

    URLs name the upstream branch or else the remote's default branch, so that they survive new commits. On a detached
    HEAD they name the commit.
    """
    with suppress(OSError, ValueError, configparser.Error):
        git_dir, common_dir = _git_folders(folder)
        head = (git_dir / "HEAD").read_text(encoding="utf-8").strip()
        branch = head.removeprefix("ref: refs/heads/") if head.startswith("ref: ") else ""
        config = _config(common_dir / "config")
        remote, upstream = _upstream(config, branch)
        base_url = _base_url(config.get(f'remote "{remote}"', "url", fallback=""))
        reference = upstream or (_default_branch(common_dir, remote) if branch else _COMMIT.fullmatch(head) and head)
        if base_url and reference:
            return Checkout(folder, f"{base_url}/{quote(reference)}")
    return None


def _git_folders(folder: Path) -> tuple[Path, Path]:
    """Return git's GIT_DIR, which has HEAD, and GIT_COMMON_DIR, which has the rest; they differ in a worktree."""
    git_dir = folder / ".git"
    if git_dir.is_file():  # in a worktree or submodule
        git_dir = folder / git_dir.read_text(encoding="utf-8").removeprefix("gitdir:").strip()
    common_dir = git_dir / "commondir"
    return git_dir, git_dir / common_dir.read_text(encoding="utf-8").strip() if common_dir.is_file() else git_dir


def _config(path: Path) -> configparser.ConfigParser:
    config = configparser.ConfigParser(strict=False, allow_no_value=True, interpolation=None, delimiters=("=",))
    lines = (line.strip() for line in path.read_text(encoding="utf-8", errors="replace").splitlines())
    config.read_string("\n".join(lines))
    return config


def _upstream(config: configparser.ConfigParser, branch: str) -> tuple[str, str]:
    """Return the remote and the upstream branch of a branch; the latter may be empty."""
    section = f'branch "{branch}"'
    remote = config.get(section, "remote", fallback="") or "origin"
    merge = config.get(section, "merge", fallback="") or ""
    return remote, merge.removeprefix("refs/heads/")


def _default_branch(common_dir: Path, remote: str) -> str:
    prefix = f"ref: refs/remotes/{remote}/"
    head = (common_dir / "refs" / "remotes" / remote / "HEAD").read_text(encoding="utf-8").strip()
    return head.removeprefix(prefix) if head.startswith(prefix) else ""


def _base_url(remote: str | None) -> str:
    """Convert a remote's URL to that of its files on the server, without credentials; empty if the host is unknown."""
    found = _REMOTE.fullmatch(remote or "")
    if not found:
        return ""
    labels = found["host"].lower().split(".")
    path = next((path for name, path in _FILE_PATHS.items() if name in labels), None)
    if not path:
        return ""
    is_web = found["scheme"] in {"http", "https"}
    host = f"{found['scheme']}://{found['host']}{found['port'] or ''}" if is_web else f"https://{found['host']}"
    return f"{host}/{found['path'].rstrip('/').removesuffix('.git')}/{path}"
