"""Decide which files are skipped: hidden, ignored, excluded or not included."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from warmer.errors import IngestError
from warmer.ingest.gitignore import PatternList, parse_pattern, read_patterns

_HIDDEN = PatternList([b".*", b"__pycache__/", b"node_modules/", b"*.egg-info/", b"*.dist-info/"])

Specs = tuple[tuple[Path, PatternList], ...]


@dataclass(frozen=True, slots=True)
class IgnoreRules:
    """The rules in force in a folder.

    In order of increasing precedence: what a checkout ignores (`.git/info/exclude`), `.gitignore` files, "hidden files
    and caches are ignored", `.warmerignore` files, `exclude`. What remains must match `include`, if that has patterns.

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
    exclude: PatternList
    include: PatternList

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
        if (folder / ".git").is_dir():
            git = _read_specs(folder, ".git/info/exclude") + git
        if not git and not warmer:
            return self
        return replace(self, gitignores=self.gitignores + git, warmerignores=self.warmerignores + warmer)

    def exclusion_reason(self, path: Path, *, is_folder: bool) -> str:
        """Return why a file or folder below the root is skipped; empty if it is not."""
        name = path.relative_to(self.root).as_posix()
        if self.exclude.verdict(name, is_folder=is_folder):
            return "excluded"
        if reason := self._ignore_reason(path, is_folder=is_folder):
            return reason
        return "not included" if not is_folder and self.include.patterns and not self._includes(name) else ""

    def _includes(self, name: str) -> bool:
        """Tell whether a file, or a folder around it, matches the patterns of files to take."""
        parts = name.split("/")
        paths = ["/".join(parts[:size]) for size in range(1, len(parts) + 1)]
        verdicts = [self.include.verdict(path, is_folder=path != name) for path in paths]
        return next((verdict for verdict in reversed(verdicts) if verdict is not None), False)

    def _ignore_reason(self, path: Path, *, is_folder: bool) -> str:
        verdicts = [("ignored", verdict) for verdict in _verdicts(self.gitignores, path, is_folder=is_folder)]
        verdicts += [("hidden or a cache", _HIDDEN.verdict(path.name, is_folder=is_folder))]
        verdicts += [("ignored", verdict) for verdict in _verdicts(self.warmerignores, path, is_folder=is_folder)]
        return next((reason if skip else "" for reason, skip in reversed(verdicts) if skip is not None), "")


def _outer_folders(root: Path) -> list[Path]:
    """List the folders around a root, from the top of its checkout down."""
    top = next((folder for folder in (root, *root.parents) if (folder / ".git").exists()), root)
    return [folder for folder in reversed(root.parents) if folder.is_relative_to(top)]


def _read_specs(folder: Path, name: str) -> Specs:
    try:
        return ((folder, read_patterns((folder / name).read_bytes())),)
    except OSError:
        return ()


def _parse_patterns(patterns: Sequence[str]) -> PatternList:
    lines = [os.fsencode(pattern) for pattern in patterns]
    for pattern, line in zip(patterns, lines, strict=True):
        parsed = parse_pattern(line)
        if parsed is None or parsed.regex is None:
            raise IngestError(
                f"{pattern!r} is not a file pattern: write it as in a .gitignore, such as '*.md' or 'docs/**'"
            )
    return PatternList(lines)


def _verdicts(specs: Specs, path: Path, *, is_folder: bool) -> list[bool | None]:
    return [spec.verdict(path.relative_to(folder).as_posix(), is_folder=is_folder) for folder, spec in specs]
