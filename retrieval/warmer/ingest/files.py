"""Which files are read, and what they are called."""

import os
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISDIR
from typing import Literal

from warmer.errors import IngestError

Kind = Literal["markdown", "rst", "python", "text"]

SUFFIXES: dict[str, Kind] = {
    ".md": "markdown",
    ".markdown": "markdown",
    ".mdown": "markdown",
    ".mkd": "markdown",
    ".mdx": "markdown",
    ".rst": "rst",
    ".rest": "rst",
    ".py": "python",
    ".txt": "text",
    ".text": "text",
}
_SKIPPED = {"__pycache__", "node_modules"}


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file to read.

    Attributes:
        path: Where it is.
        source: What its passages call it: "<label>/<path below the root>" with slashes.
    """

    path: Path
    source: str


def find_files(root: Path, label: str, unlisted: list[SourceFile] | None = None) -> Iterator[SourceFile]:
    """Find the files of a supported kind below a folder, sorted by source; a file root is itself the one.

    Hidden files and folders, caches, virtual environments and links that lead out of the folder or to what was
    seen already are left out.

    Args:
        root: A folder or a file.
        label: What to call the root; see `root_labels`. It is the whole source of a file root.
        unlisted: Takes the folders below the root that cannot be listed.

    Raises:
        IngestError: The root does not exist, cannot be listed, or is a file of an unsupported kind.
    """
    try:
        is_folder = S_ISDIR(root.stat().st_mode)
    except (OSError, ValueError) as error:
        raise IngestError(f"{printable(root)} cannot be read: {getattr(error, 'strerror', error)}") from error
    if not is_folder:
        kind_of(root)
        return iter([SourceFile(root, printable(label))])
    closed: list[Path] = []
    files, folders = (
        [SourceFile(path, printable(f"{label}/{path.relative_to(root).as_posix()}")) for path in paths]
        for paths in (list(_walk(root, closed)), closed)
    )
    if unlisted is not None:
        unlisted.extend(folders)
    return iter(sorted(files, key=lambda file: file.source))


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


def _walk(root: Path, closed: list[Path]) -> Iterator[Path]:
    def refuse(error: OSError) -> None:
        if error.filename == str(root):
            raise IngestError(f"{printable(root)} cannot be listed: {error.strerror}") from error
        closed.append(Path(error.filename))

    resolved = _real(root)
    seen = {resolved}
    for folder, folders, names in os.walk(root, onerror=refuse, followlinks=True):
        if "pyvenv.cfg" in names and folder != str(root):
            folders.clear()
            continue
        folders[:] = [name for name in sorted(folders) if _enter(Path(folder, name), resolved, seen)]
        for path in (Path(folder, name) for name in names if not name.startswith(".")):
            if path.suffix.lower() in SUFFIXES and _real(path).is_relative_to(resolved):
                yield path


def _enter(folder: Path, root: Path, seen: set[Path]) -> bool:
    resolved = _real(folder)
    hidden = folder.name.startswith(".") or folder.name in _SKIPPED
    if hidden or resolved in seen or not resolved.is_relative_to(root):
        return False
    seen.add(resolved)
    return True


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
