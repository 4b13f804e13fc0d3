"""Links to the files of a git checkout, from what is in its `.git`; no program is run."""

import configparser
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

_REMOTE = re.compile(
    r"(?:(?P<scheme>https?|ssh|git)://)?(?:[^@/\s]+@)?(?P<host>[\w.-]+)(?P<port>:\d+(?=/))?[:/]/*(?P<path>[^?#\s]+)"
)
_FORMS = {"github": "blob", "gitlab": "-/blob"}
_COMMIT = re.compile(r"[0-9a-f]{40,64}")


@dataclass(frozen=True, slots=True)
class Checkout:
    """A checkout of a repository on GitHub, GitLab, or a server of theirs.

    Attributes:
        root: Its folder.
        files: The URL below which the server shows the files.
    """

    root: Path
    files: str

    def link(self, path: Path) -> str:
        """Give the URL of a file."""
        return f"{self.files}/{quote(path.relative_to(self.root).as_posix(), errors='replace')}"


def checkout(folder: Path) -> Checkout | None:
    """Read what a folder with a `.git` is a checkout of; None where no link can be made.

    Links name a branch: the one that is followed, or the server's default. So they stay the same from commit to
    commit; only those of a checkout without a branch name the commit.
    """
    with suppress(OSError, ValueError, configparser.Error):
        private, shared = _git_folders(folder)
        head = (private / "HEAD").read_text(encoding="utf-8").strip()
        branch = head.removeprefix("ref: refs/heads/") if head.startswith("ref: ") else ""
        config = _config(shared / "config")
        remote, followed = _followed(config, branch)
        page = _page(config.get(f'remote "{remote}"', "url", fallback=""))
        reference = followed or (_default(shared, remote) if branch else _COMMIT.fullmatch(head) and head)
        if page and reference:
            return Checkout(folder, f"{page}/{quote(reference)}")
    return None


def _git_folders(folder: Path) -> tuple[Path, Path]:
    """Find where HEAD is and where the rest is; a worktree or submodule has a file that leads there."""
    private = folder / ".git"
    if private.is_file():
        private = folder / private.read_text(encoding="utf-8").removeprefix("gitdir:").strip()
    common = private / "commondir"
    return private, private / common.read_text(encoding="utf-8").strip() if common.is_file() else private


def _config(path: Path) -> configparser.ConfigParser:
    config = configparser.ConfigParser(strict=False, allow_no_value=True, interpolation=None, delimiters=("=",))
    lines = (line.strip() for line in path.read_text(encoding="utf-8", errors="replace").splitlines())
    config.read_string("\n".join(lines))
    return config


def _followed(config: configparser.ConfigParser, branch: str) -> tuple[str, str]:
    """Name the remote, and its branch that the current one follows."""
    of_branch = f'branch "{branch}"'
    remote = config.get(of_branch, "remote", fallback="") or "origin"
    merge = config.get(of_branch, "merge", fallback="") or ""
    return remote, merge.removeprefix("refs/heads/")


def _default(shared: Path, remote: str) -> str:
    prefix = f"ref: refs/remotes/{remote}/"
    head = (shared / "refs" / "remotes" / remote / "HEAD").read_text(encoding="utf-8").strip()
    return head.removeprefix(prefix) if head.startswith(prefix) else ""


def _page(remote: str | None) -> str:
    """Turn a remote's URL into that of its files on the server, without any user or password."""
    found = _REMOTE.fullmatch(remote or "")
    form = found and next((form for name, form in _FORMS.items() if name in found["host"].lower().split(".")), None)
    if not found or not form:
        return ""
    web = found["scheme"] in {"http", "https"}
    host = f"{found['scheme']}://{found['host']}{found['port'] or ''}" if web else f"https://{found['host']}"
    return f"{host}/{found['path'].rstrip('/').removesuffix('.git')}/{form}"
