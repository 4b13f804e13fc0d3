"""Decide which files are skipped: hidden, ignored, excluded or not included."""

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
class IgnoreRules:
    """The rules in force in a folder.

    In order of increasing precedence: `.gitignore` files, "hidden files and caches are ignored", `.warmerignore` files,
    `exclude`. What remains must match `include`, if that has patterns.

    Attributes:
        root: The folder being indexed.
        gitignores: The `.gitignore` files in force, outermost first.
        warmerignores: The `.warmerignore` files in force, outermost first.
        exclude: Patterns of files and folders to skip.
        include: Patterns of the only files to take; without patterns, all are taken.
    """

    root: Path
    gitignores: Specs
    warmerignores: Specs
    exclude: GitIgnoreSpec
    include: GitIgnoreSpec

    @classmethod
    def for_root(cls, root: Path, include: Sequence[str] = (), exclude: Sequence[str] = ()) -> Self:
        """Build the rules of a folder, with those of the checkout around it unless they ignore the folder itself.

        Raises:
            IngestError: A pattern is not in the syntax of `.gitignore`.
        """
        rules = cls(root, (), (), _parse_patterns(exclude), _parse_patterns(include))
        inner = rules
        for folder in _outer_folders(root):
            inner = inner.within(folder)
            child = root if folder == root.parent else next(p for p in root.parents if p.parent == folder)
            if inner._ignore_reason(child, is_folder=True):
                return rules
        return inner

    def within(self, folder: Path) -> Self:
        """Return the rules in a subfolder: these, and those of its ignore files."""
        git, warmer = _read_specs(folder, ".gitignore"), _read_specs(folder, ".warmerignore")
        if not git and not warmer:
            return self
        return replace(self, gitignores=self.gitignores + git, warmerignores=self.warmerignores + warmer)

    def exclusion_reason(self, path: Path, *, is_folder: bool) -> str:
        """Return why a file or folder below the root is skipped; empty if it is not."""
        name = _relative_name(self.root, path, is_folder=is_folder)
        if _verdict(self.exclude, name):
            return "excluded"
        if reason := self._ignore_reason(path, is_folder=is_folder):
            return reason
        return "not included" if not is_folder and len(self.include) and not _verdict(self.include, name) else ""

    def _ignore_reason(self, path: Path, *, is_folder: bool) -> str:
        verdicts = [("ignored", verdict) for verdict in _verdicts(self.gitignores, path, is_folder=is_folder)]
        verdicts += [("hidden or a cache", _verdict(_HIDDEN, _relative_name(path.parent, path, is_folder=is_folder)))]
        verdicts += [("ignored", verdict) for verdict in _verdicts(self.warmerignores, path, is_folder=is_folder)]
        return next((reason if skip else "" for reason, skip in reversed(verdicts) if skip is not None), "")


def _outer_folders(root: Path) -> list[Path]:
    """List the folders around a root, from the top of its checkout down."""
    top = next((folder for folder in (root, *root.parents) if (folder / ".git").exists()), root)
    return [folder for folder in reversed(root.parents) if folder.is_relative_to(top)]


def _read_specs(folder: Path, name: str) -> Specs:
    try:
        lines = (folder / name).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ()
    return ((folder, GitIgnoreSpec([pattern for line in lines for pattern in _line_patterns(line)])),)


def _line_patterns(line: str) -> list[Pattern]:
    try:
        return list(GitIgnoreSpec.from_lines([line]).patterns)
    except (ValueError, re.error):  # git skips malformed patterns, too
        return []


def _parse_patterns(patterns: Sequence[str]) -> GitIgnoreSpec:
    for pattern in patterns:
        try:
            GitIgnoreSpec.from_lines([pattern])
        except (ValueError, re.error) as error:
            raise IngestError(
                f"{pattern!r} is no pattern of files: write it as in a .gitignore, such as '*.md' or 'docs/**'"
            ) from error
    return GitIgnoreSpec.from_lines(patterns)


def _verdicts(specs: Specs, path: Path, *, is_folder: bool) -> list[bool | None]:
    return [_verdict(spec, _relative_name(folder, path, is_folder=is_folder)) for folder, spec in specs]


def _verdict(spec: GitIgnoreSpec, name: str) -> bool | None:
    """Return the last matching pattern's verdict: match (True), negated (False), or None without one."""
    return spec.check_file(name).include


def _relative_name(folder: Path, path: Path, *, is_folder: bool) -> str:
    return path.relative_to(folder).as_posix() + "/" * is_folder
