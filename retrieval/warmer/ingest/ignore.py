"""Which files are left out on purpose: hidden, ignored, or not asked for."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from pathspec import GitIgnoreSpec
from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern as Pattern

from warmer.errors import IngestError

_HIDDEN = GitIgnoreSpec.from_lines([".*", "__pycache__/", "node_modules/"])

Specs = tuple[tuple[Path, GitIgnoreSpec], ...]


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds in a folder; of rules that say something of a file, the last in this order counts.

    Attributes:
        root: The folder that is indexed.
        git: The `.gitignore` files that hold, outermost first. After them comes that hidden files and caches are out.
        own: The `.warmerignore` files that hold, outermost first.
        exclude: Patterns of what is out.
        include: Patterns of the only files that are in, unless there are none.
    """

    root: Path
    git: Specs
    own: Specs
    exclude: GitIgnoreSpec
    include: GitIgnoreSpec

    @classmethod
    def of(cls, root: Path, include: Sequence[str] = (), exclude: Sequence[str] = ()) -> Self:
        """Give the rules of a folder, with those of the checkout that it is in, unless they ignore it as a whole.

        Raises:
            IngestError: A pattern is none of those that a `.gitignore` can have.
        """
        rules = cls(root, (), (), _spec(exclude), _spec(include))
        inner = rules
        for folder in _outer_folders(root):
            inner = inner.within(folder)
            below = root if folder == root.parent else next(p for p in root.parents if p.parent == folder)
            if inner._ignored(below, is_folder=True):
                return rules
        return inner

    def within(self, folder: Path) -> Self:
        """Add what the ignore files in a folder say."""
        git, own = _read(folder, ".gitignore"), _read(folder, ".warmerignore")
        return replace(self, git=self.git + git, own=self.own + own) if git or own else self

    def against(self, path: Path, *, is_folder: bool) -> str:
        """Say why a file or folder below the root is left out; empty if it is not."""
        name = _name(self.root, path, is_folder=is_folder)
        if _verdict(self.exclude, name):
            return "excluded"
        if ignored := self._ignored(path, is_folder=is_folder):
            return ignored
        return "not included" if not is_folder and len(self.include) and not _verdict(self.include, name) else ""

    def _ignored(self, path: Path, *, is_folder: bool) -> str:
        said = [("ignored", verdict) for verdict in _verdicts(self.git, path, is_folder=is_folder)]
        said += [("hidden or a cache", _verdict(_HIDDEN, _name(path.parent, path, is_folder=is_folder)))]
        said += [("ignored", verdict) for verdict in _verdicts(self.own, path, is_folder=is_folder)]
        return next((reason if out else "" for reason, out in reversed(said) if out is not None), "")


def _outer_folders(root: Path) -> list[Path]:
    """List the folders around one, down from that of the checkout that it is in."""
    top = next((folder for folder in (root, *root.parents) if (folder / ".git").exists()), root)
    return [folder for folder in reversed(root.parents) if folder.is_relative_to(top)]


def _read(folder: Path, name: str) -> Specs:
    try:
        lines = (folder / name).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ()
    return ((folder, GitIgnoreSpec([pattern for line in lines for pattern in _patterns(line)])),)


def _patterns(line: str) -> list[Pattern]:
    try:
        return list(GitIgnoreSpec.from_lines([line]).patterns)
    except (ValueError, re.error):  # git ignores what it cannot read, too
        return []


def _spec(patterns: Sequence[str]) -> GitIgnoreSpec:
    for pattern in patterns:
        try:
            GitIgnoreSpec.from_lines([pattern])
        except (ValueError, re.error) as error:
            raise IngestError(
                f"{pattern!r} is no pattern of files: write it as in a .gitignore, such as '*.md' or 'docs/**'"
            ) from error
    return GitIgnoreSpec.from_lines(patterns)


def _verdicts(specs: Specs, path: Path, *, is_folder: bool) -> list[bool | None]:
    return [_verdict(spec, _name(folder, path, is_folder=is_folder)) for folder, spec in specs]


def _verdict(spec: GitIgnoreSpec, name: str) -> bool | None:
    return spec.check_file(name).include


def _name(folder: Path, path: Path, *, is_folder: bool) -> str:
    return path.relative_to(folder).as_posix() + "/" * is_folder
