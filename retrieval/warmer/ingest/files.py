"""Find the files to read, and name them."""

import os
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISDIR

from warmer.errors import IngestError
from warmer.ingest.git import Checkout, read_checkout
from warmer.ingest.ignore import IgnoreRules
from warmer.ingest.kinds import SUFFIXES, Kind, Overrides, kind_of
from warmer.ingest.skipped import Skipped

_MAX_LINK_TEXT = 255  # bytes


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file to read.

    Attributes:
        path: Path of the file.
        source: Name of the document in its passages: "<label>/<path below the root>" with slashes.
        url: URL of the file on the git server; empty outside a checkout.
        kind: Which reader it takes; None leaves that to its suffix.
    """

    path: Path
    source: str
    url: str = ""
    kind: Kind | None = None


def find_files(
    root: Path,
    label: str,
    skipped: Skipped | None = None,
    *,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    kinds: Overrides | None = None,
) -> Iterator[SourceFile]:
    """Find the files of a supported kind below a folder, sorted by source.

    Skips virtual environments, links that lead out of the folder or to what is found already under its real path, and
    whatever `IgnoreRules` excludes.

    Args:
        root: A folder, or a single file, which is taken regardless of patterns and ignore files.
        label: Name of the root (see `root_labels`); the whole source if the root is a file.
        skipped: Collects what is skipped below the root.
        include: Patterns as in a `.gitignore` in the root; only matching files are taken. Empty takes all.
        exclude: Patterns of files and folders to skip.
        kinds: Kinds of files by name or suffix, besides those that are known by their suffix.

    Raises:
        IngestError: The root does not exist, cannot be listed, or is a file of an unsupported kind; or a pattern
            is malformed.
    """
    try:
        is_folder = S_ISDIR(root.stat().st_mode)
    except (OSError, ValueError) as error:
        raise IngestError(f"{replace_surrogates(root)} cannot be read: {getattr(error, 'strerror', error)}") from error
    if not is_folder:
        require_kind(root, kinds)
        return iter([_source_file(root, replace_surrogates(label), _enclosing_checkout(root.parent), kinds)])
    rules = IgnoreRules.for_root(root, include, exclude)
    walk = _Walk(root, label, rules, skipped if skipped is not None else Skipped(), kinds)
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


def require_kind(path: Path, kinds: Overrides | None = None) -> Kind:
    """Look up a file's kind.

    Raises:
        IngestError: It is none that is read.
    """
    if kind := kind_of(path, kinds):
        return kind
    raise IngestError(
        f"{replace_surrogates(path)} is of an unsupported kind; supported are {', '.join(SUFFIXES)}. "
        f"To read it as text: --as text={replace_surrogates(path.suffix or path.name)}"
    )


def replace_surrogates(text: str | Path) -> str:
    """Replace by "?" what UTF-8 cannot encode: lone surrogates, as in a file name that is not UTF-8."""
    return str(text).encode(errors="replace").decode()


class _Walk:
    """Walks a folder, and tracks the ignore rules and the checkout of each folder below it.

    Links are left for the end, so that a document is named by its real path.
    """

    def __init__(self, root: Path, label: str, rules: IgnoreRules, skipped: Skipped, kinds: Overrides | None) -> None:
        self._root = root
        self._label = label
        self._skipped = skipped
        self._kinds = kinds
        self._resolved = _realpath(root)
        self._there = {self._resolved}
        self._links: list[tuple[Path, Path]] = []
        self._rules = {root.parent: rules}
        self._checkouts = {root.parent: _enclosing_checkout(root.parent)}

    def files(self) -> Iterator[SourceFile]:
        yield from self._below(self._root)
        while self._links:
            links, self._links = sorted(self._links), []
            for link, target in links:
                yield from self._follow(link, target)

    def _below(self, top: Path) -> Iterator[SourceFile]:
        for name, folders, names in os.walk(top, onerror=self._on_list_error):
            folder = Path(name)
            real = _realpath(folder)
            self._there.add(real)
            if "pyvenv.cfg" in names and folder != self._root:
                self._skipped.add("a virtual environment", self._source(folder))
                folders.clear()
                continue
            has_git = ".git" in folders or ".git" in names
            rules = self._rules[folder] = self._rules[folder.parent].within(folder)
            self._checkouts[folder] = read_checkout(folder) if has_git else self._checkouts[folder.parent]
            folders[:] = [name for name in sorted(folders) if self._enters(folder / name, rules)]
            for path in (folder / name for name in sorted(names) if name != ".git"):
                if self._takes(path, rules):
                    self._there.add(real / path.name)
                    yield self._take(path)

    def _enters(self, folder: Path, rules: IgnoreRules) -> bool:
        if folder.name == ".git":
            return False
        if reason := rules.exclusion_reason(folder, is_folder=True):
            self._skipped.add(reason, f"{self._source(folder)}/")
        elif folder.is_symlink():
            self._links.append((folder, _realpath(folder)))
        else:
            return True
        return False

    def _takes(self, path: Path, rules: IgnoreRules) -> bool:
        if reason := rules.exclusion_reason(path, is_folder=False):
            self._skipped.add(reason, replace_surrogates(self._source(path)))
        elif not kind_of(path, self._kinds):
            example = f"*{path.suffix}" if path.suffix else path.name
            self._skipped.add("of an unsupported kind", replace_surrogates(example))
        elif path.is_symlink():
            self._links.append((path, _realpath(path)))
        elif target := _written_link(path):
            self._links.append((path, target))
        else:
            return True
        return False

    def _take(self, path: Path) -> SourceFile:
        return _source_file(path, self._source(path), self._checkouts[path.parent], self._kinds)

    def _follow(self, link: Path, target: Path) -> Iterator[SourceFile]:
        """Take what a link leads to, if it is in the folder and not found already."""
        is_folder = link.is_dir()
        reason = "" if target.is_relative_to(self._resolved) else "a link to elsewhere"
        if reason or target in self._there:
            self._skipped.add(reason or "a link to what is there already", self._source(link) + "/" * is_folder)
            return
        self._there.add(target)
        yield from self._below(link) if is_folder else [self._take(link)]

    def _source(self, path: Path) -> str:
        return replace_surrogates(f"{self._label}/{path.relative_to(self._root).as_posix()}")

    def _on_list_error(self, error: OSError) -> None:
        if error.filename == str(self._root):
            raise IngestError(f"{replace_surrogates(self._root)} cannot be listed: {error.strerror}") from error
        source = self._source(Path(error.filename))
        self._skipped.add_unread("unreadable", f"{source}/: the folder cannot be listed", source)


def _source_file(path: Path, source: str, checkout: Checkout | None, kinds: Overrides | None) -> SourceFile:
    kind = kind_of(path, kinds)
    return SourceFile(path, source, _url(checkout, path), kind if kind != kind_of(path) else None)


def _written_link(path: Path) -> Path | None:
    """Return where a file leads that holds only a path, as git writes a link on systems without links."""
    try:
        if not 0 < path.lstat().st_size <= _MAX_LINK_TEXT:
            return None
        text = path.read_bytes().decode()
        target = path.parent / text
        is_link = text == text.strip() and "\n" not in text and target.suffix == path.suffix and target.is_file()
    except (OSError, ValueError):
        return None
    return _realpath(target) if is_link and not target.samefile(path) else None


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
