"""Find the files to read, and name them."""

import os
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISDIR
from typing import Literal

from warmer.errors import IngestError
from warmer.ingest.git import Checkout, read_checkout
from warmer.ingest.ignore import IgnoreRules
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
        path: Path of the file.
        source: Name of the document in its passages: "<label>/<path below the root>" with slashes.
        url: URL of the file on the git server; empty outside a checkout.
    """

    path: Path
    source: str
    url: str = ""


def find_files(
    root: Path,
    label: str,
    skipped: Skipped | None = None,
    *,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
) -> Iterator[SourceFile]:
    """Find the files of a supported kind below a folder, sorted by source.

    Skips virtual environments, links that lead out of the folder or to a folder already visited, and whatever
    `IgnoreRules` excludes.

    Args:
        root: A folder, or a single file, which is taken regardless of patterns and ignore files.
        label: Name of the root (see `root_labels`); the whole source if the root is a file.
        skipped: Collects what is skipped below the root.
        include: Patterns as in a `.gitignore` in the root; only matching files are taken. Empty takes all.
        exclude: Patterns of files and folders to skip.

    Raises:
        IngestError: The root does not exist, cannot be listed, or is a file of an unsupported kind; or a pattern
            is malformed.
    """
    try:
        is_folder = S_ISDIR(root.stat().st_mode)
    except (OSError, ValueError) as error:
        raise IngestError(f"{replace_surrogates(root)} cannot be read: {getattr(error, 'strerror', error)}") from error
    if not is_folder:
        kind_of(root)
        return iter([SourceFile(root, replace_surrogates(label), _url(_enclosing_checkout(root.parent), root))])
    walk = _Walk(root, label, IgnoreRules.for_root(root, include, exclude), skipped or Skipped())
    return iter(sorted(walk.files(), key=lambda file: file.source))


def root_labels(roots: Sequence[Path], known: Mapping[str, str] | None = None) -> dict[str, Path]:
    """Label each root with the shortest suffix of its resolved path that no other root shares.

    Args:
        roots: Folders and files.
        known: Label -> path of roots labelled earlier. They keep their labels, and no new label equals, contains or
            is contained in one of them.

    Returns:
        Label -> resolved root, in the order given, without repetitions.

    Raises:
        IngestError: Two roots, or a root and a known one, contain the same files.
    """
    resolved = dict.fromkeys(_realpath(root) for root in roots)
    labels = {Path(path): label for label, path in (known or {}).items()}
    labelled = set(labels)
    for root in resolved:
        for other in [*resolved, *labels]:
            if other in root.parents or (other in labels and root in other.parents):
                raise IngestError(
                    f"{replace_surrogates(root)} and {replace_surrogates(other)} have files in common: name one of "
                    "them, or leave the other behind with --replace"
                )
        if root not in labels:
            labels[root] = _label(root, [*labels.values()], resolved.keys() - labelled - {root})
    return {labels[root]: root for root in resolved}


def kind_of(path: Path) -> Kind:
    """Look up a file's kind by its suffix.

    Raises:
        IngestError: The suffix is not supported.
    """
    try:
        return SUFFIXES[path.suffix.lower()]
    except KeyError:
        supported = ", ".join(SUFFIXES)
        raise IngestError(f"{replace_surrogates(path)} is of an unsupported kind; supported are {supported}") from None


def replace_surrogates(text: str | Path) -> str:
    """Replace by "?" what UTF-8 cannot encode: lone surrogates, as in a file name that is not UTF-8."""
    return str(text).encode(errors="replace").decode()


class _Walk:
    """Walks a folder, and tracks the ignore rules and the checkout of each folder below it."""

    def __init__(self, root: Path, label: str, rules: IgnoreRules, skipped: Skipped) -> None:
        self._root = root
        self._label = label
        self._skipped = skipped
        self._resolved = _realpath(root)
        self._visited = {self._resolved}
        self._rules = {root.parent: rules}
        self._checkouts = {root.parent: _enclosing_checkout(root.parent)}

    def files(self) -> Iterator[SourceFile]:
        for name, folders, names in os.walk(self._root, onerror=self._on_list_error, followlinks=True):
            folder = Path(name)
            if "pyvenv.cfg" in names and folder != self._root:
                self._skipped.add("a virtual environment", self._source(folder))
                folders.clear()
                continue
            has_git = ".git" in folders or ".git" in names
            rules = self._rules[folder] = self._rules[folder.parent].within(folder)
            checkout = read_checkout(folder) if has_git else self._checkouts[folder.parent]
            self._checkouts[folder] = checkout
            folders[:] = [name for name in sorted(folders) if self._enters(folder / name, rules)]
            for path in (folder / name for name in sorted(names) if name != ".git"):
                if self._takes(path, rules):
                    yield SourceFile(path, self._source(path), _url(checkout, path))

    def _enters(self, folder: Path, rules: IgnoreRules) -> bool:
        if folder.name == ".git":
            return False
        resolved = _realpath(folder)
        reason = rules.exclusion_reason(folder, is_folder=True)
        if not reason and (resolved in self._visited or not resolved.is_relative_to(self._resolved)):
            reason = "a link to elsewhere"
        if reason:
            self._skipped.add(reason, f"{self._source(folder)}/")
        else:
            self._visited.add(resolved)
        return not reason

    def _takes(self, path: Path, rules: IgnoreRules) -> bool:
        example = self._source(path)
        reason = rules.exclusion_reason(path, is_folder=False)
        if not reason and path.suffix.lower() not in SUFFIXES:
            reason, example = "of an unsupported kind", f"*{path.suffix}" if path.suffix else path.name
        if not reason and not _realpath(path).is_relative_to(self._resolved):
            reason = "a link to elsewhere"
        if reason:
            self._skipped.add(reason, replace_surrogates(example))
        return not reason

    def _source(self, path: Path) -> str:
        return replace_surrogates(f"{self._label}/{path.relative_to(self._root).as_posix()}")

    def _on_list_error(self, error: OSError) -> None:
        if error.filename == str(self._root):
            raise IngestError(f"{replace_surrogates(self._root)} cannot be listed: {error.strerror}") from error
        source = self._source(Path(error.filename))
        self._skipped.add_unread("unreadable", f"{source}/: the folder cannot be listed", source)


def _enclosing_checkout(folder: Path) -> Checkout | None:
    top = next((outer for outer in (folder, *folder.parents) if (outer / ".git").exists()), None)
    return read_checkout(top) if top else None


def _url(checkout: Checkout | None, path: Path) -> str:
    return checkout.url(path) if checkout else ""


def _label(root: Path, taken: Sequence[str], others: Set[Path]) -> str:
    parts = root.parts[1:]
    for size in range(1, len(parts)):
        label = "/".join(parts[-size:])
        overlaps = any(f"{label}/".startswith(f"{known}/") or known.startswith(f"{label}/") for known in taken)
        if not overlaps and all(other.parts[1:][-size:] != parts[-size:] for other in others):
            return label
    return "/".join(parts) or "root"


def _realpath(path: Path) -> Path:
    """Resolve links; unlike `Path.resolve`, do not raise on a loop."""
    return Path(os.path.realpath(path))
