"""Which files are read, and what they are called."""

import os
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISDIR
from typing import Literal

from warmer.errors import IngestError
from warmer.ingest.git import Checkout, checkout
from warmer.ingest.ignore import Rules
from warmer.ingest.skipped import Skipped

Kind = Literal["markdown", "mdx", "rst", "html", "notebook", "pdf", "python", "code", "text"]

SUFFIXES: dict[str, Kind] = {
    ".md": "markdown",
    ".markdown": "markdown",
    ".mdown": "markdown",
    ".mkd": "markdown",
    ".mdx": "mdx",
    ".rst": "rst",
    ".rest": "rst",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".ipynb": "notebook",
    ".pdf": "pdf",
    ".txt": "text",
    ".text": "text",
    ".py": "python",
    **dict.fromkeys([".c", ".h", ".cc", ".cpp", ".cxx", ".hh", ".hpp", ".cs", ".java", ".kt", ".scala"], "code"),
    **dict.fromkeys([".js", ".mjs", ".jsx", ".ts", ".tsx", ".php", ".rb", ".dart"], "code"),
    **dict.fromkeys([".go", ".rs", ".swift", ".proto"], "code"),
}


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file to read.

    Attributes:
        path: Where it is.
        source: What its passages call it: "<label>/<path below the root>" with slashes.
        link: Where it can be read, if it is of a checkout.
    """

    path: Path
    source: str
    link: str = ""


def find_files(
    root: Path,
    label: str,
    left_out: Skipped | None = None,
    *,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
) -> Iterator[SourceFile]:
    """Find the files of a supported kind below a folder, sorted by source; a file root is itself the one.

    Virtual environments, links that lead out of the folder or to what was seen already, and what `Rules` says is
    left out.

    Args:
        root: A folder or a file. A file is read whatever the patterns and ignore files say.
        label: What to call the root; see `root_labels`. It is the whole source of a file root.
        left_out: Takes what is left out below the root.
        include: Patterns of the only files to take, as in a `.gitignore` in the root; empty: all.
        exclude: Patterns of what to leave out.

    Raises:
        IngestError: The root does not exist, cannot be listed, or is a file of an unsupported kind; or a pattern
            cannot be read.
    """
    try:
        is_folder = S_ISDIR(root.stat().st_mode)
    except (OSError, ValueError) as error:
        raise IngestError(f"{printable(root)} cannot be read: {getattr(error, 'strerror', error)}") from error
    if not is_folder:
        kind_of(root)
        return iter([SourceFile(root, printable(label), _link(_checkout_around(root.parent), root))])
    walk = _Walk(root, label, Rules.of(root, include, exclude), left_out or Skipped())
    return iter(sorted(walk.files(), key=lambda file: file.source))


def root_labels(roots: Sequence[Path], known: Mapping[str, str] | None = None) -> dict[str, Path]:
    """Give each root the shortest end of its resolved path that no other root shares.

    Args:
        roots: Folders and files.
        known: The paths that labels were given to before; they keep them, and no new label is like one of them.

    Returns:
        The resolved root of each label, in the order given; a root that is given twice counts once.

    Raises:
        IngestError: One root is inside another, or inside a known one or around it: files would be repeated.
    """
    resolved = dict.fromkeys(_real(root) for root in roots)
    labels = {Path(path): label for label, path in (known or {}).items()}
    old = set(labels)
    for root in resolved:
        for other in [*resolved, *labels]:
            if other in root.parents or (other in labels and root in other.parents):
                raise IngestError(
                    f"{printable(root)} and {printable(other)} have files in common: name one of them, or leave the "
                    "other behind with --replace"
                )
        if root not in labels:
            labels[root] = _label(root, [*labels.values()], resolved.keys() - old - {root})
    return {labels[root]: root for root in resolved}


def kind_of(path: Path) -> Kind:
    """Tell a file's kind from its suffix.

    Raises:
        IngestError: The suffix is not supported.
    """
    try:
        return SUFFIXES[path.suffix.lower()]
    except KeyError:
        supported = ", ".join(SUFFIXES)
        raise IngestError(f"{printable(path)} is of an unsupported kind; supported are {supported}") from None


def printable(text: str | Path) -> str:
    """Replace what UTF-8 cannot write (lone surrogates, as in the name of a file that is not UTF-8)."""
    return str(text).encode(errors="replace").decode()


class _Walk:
    """Goes through a folder, with the rules and the checkout of each folder below it."""

    def __init__(self, root: Path, label: str, rules: Rules, left_out: Skipped) -> None:
        self._root = root
        self._label = label
        self._left_out = left_out
        self._resolved = _real(root)
        self._seen = {self._resolved}
        self._rules = {root.parent: rules}
        self._checkouts = {root.parent: _checkout_around(root.parent)}

    def files(self) -> Iterator[SourceFile]:
        for name, folders, names in os.walk(self._root, onerror=self._refuse, followlinks=True):
            folder = Path(name)
            if "pyvenv.cfg" in names and folder != self._root:
                self._left_out.on_purpose("a virtual environment", self._source(folder))
                folders.clear()
                continue
            has_git = ".git" in folders or ".git" in names
            rules = self._rules[folder] = self._rules[folder.parent].within(folder)
            here = self._checkouts[folder] = checkout(folder) if has_git else self._checkouts[folder.parent]
            folders[:] = [name for name in sorted(folders) if self._enter(folder / name, rules)]
            for path in (folder / name for name in sorted(names) if name != ".git"):
                if self._take(path, rules):
                    yield SourceFile(path, self._source(path), _link(here, path))

    def _enter(self, folder: Path, rules: Rules) -> bool:
        if folder.name == ".git":
            return False
        resolved = _real(folder)
        reason = rules.against(folder, is_folder=True)
        if not reason and (resolved in self._seen or not resolved.is_relative_to(self._resolved)):
            reason = "a link to elsewhere"
        if reason:
            self._left_out.on_purpose(reason, f"{self._source(folder)}/")
        else:
            self._seen.add(resolved)
        return not reason

    def _take(self, path: Path, rules: Rules) -> bool:
        example = self._source(path)
        reason = rules.against(path, is_folder=False)
        if not reason and path.suffix.lower() not in SUFFIXES:
            reason, example = "of an unsupported kind", f"*{printable(path.suffix)}" if path.suffix else path.name
        if not reason and not _real(path).is_relative_to(self._resolved):
            reason = "a link to elsewhere"
        if reason:
            self._left_out.on_purpose(reason, printable(example))
        return not reason

    def _source(self, path: Path) -> str:
        return printable(f"{self._label}/{path.relative_to(self._root).as_posix()}")

    def _refuse(self, error: OSError) -> None:
        if error.filename == str(self._root):
            raise IngestError(f"{printable(self._root)} cannot be listed: {error.strerror}") from error
        source = self._source(Path(error.filename))
        self._left_out.by_failure("unreadable", f"{source}/: the folder cannot be listed", source)


def _checkout_around(folder: Path) -> Checkout | None:
    top = next((outer for outer in (folder, *folder.parents) if (outer / ".git").exists()), None)
    return checkout(top) if top else None


def _link(within: Checkout | None, path: Path) -> str:
    return within.link(path) if within else ""


def _label(root: Path, taken: Sequence[str], others: Set[Path]) -> str:
    parts = root.parts[1:]
    for size in range(1, len(parts)):
        label = "/".join(parts[-size:])
        alike = any(label == one or label.startswith(one + "/") or one.startswith(label + "/") for one in taken)
        if not alike and all(other.parts[1:][-size:] != parts[-size:] for other in others):
            return label
    return "/".join(parts) or "root"


def _real(path: Path) -> Path:
    """Follow links; a loop ends where it began, where `Path.resolve` would raise."""
    return Path(os.path.realpath(path))
