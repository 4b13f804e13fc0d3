"""Publishing of passages as a collection: the parts shared by both engines."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from warmer.errors import IngestError, ModelMismatchError
from warmer.passage import PICTURE, Passage
from warmer.publishing.moves import Changes
from warmer.publishing.spool import Payload

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class IndexingResult:
    """Outcome of an indexing run.

    Attributes:
        points: Number of points in the collection.
        embedded: Number of points that were embedded in this run.
        published: Whether the collection changed.
        changes: What became of the documents.
        left: Labels of folders that are no longer there, and whose passages were moved or removed.
    """

    points: int
    embedded: int
    published: bool
    changes: Changes = field(default_factory=Changes)
    left: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Scope:
    """What a run covers.

    Attributes:
        roots: Label -> path of the folders and files that were read.
        unread: Sources that exist but could not be read, and whose stored passages stay. It may be filled while
            passages are read.
        missing: Labels of indexed folders that are not there any more. The passages of one go if some of them are
            found elsewhere.
        vanished: Those of them whose passages go in any case.
        replace: Whether to drop everything that is not found.
    """

    roots: Mapping[str, Path]
    unread: Collection[str] = ()
    missing: Collection[str] = ()
    vanished: Collection[str] = ()
    replace: bool = False

    def keeps(self, source: str) -> bool:
        """Tell whether stored passages of a source stay when the run does not find them."""
        if self.replace:
            return False
        return not _is_under(source, [*self.roots, *self.missing]) or _is_under(source, self.unread)

    def left(self, emptied: Iterable[str]) -> list[str]:
        """List the labels of missing folders that the collection leaves behind, given the sources that moved."""
        if self.replace:
            return list(self.missing)
        moved = list(emptied)
        return [
            one for one in self.missing if one in self.vanished or any(_is_under(source, [one]) for source in moved)
        ]

    def stays_after_all(self, source: str, left: Collection[str]) -> bool:
        """Tell whether a source is of a missing folder that is not left behind."""
        return not self.replace and _is_under(source, [label for label in self.missing if label not in left])


def check_roots(roots: Mapping[str, Path], known: Mapping[str, str]) -> None:
    """Check that no root would replace a different one with the same label.

    Args:
        roots: Label -> path of the roots to index.
        known: Label -> absolute path of the roots in the collection.

    Raises:
        IngestError: A root would replace another.
    """
    for label, path in roots.items():
        if known.get(label, str(path)) != str(path):
            raise IngestError(
                f"{label!r} is in the collection already, from {known[label]}, and {path} would take its place: "
                "choose another collection, or fill this one again with --replace and all its paths"
            )


def check_model(model: str, known: str, setting: str = "EMBEDDING_MODEL") -> None:
    """Check that the model is the collection's, `known`, which is empty for a new collection.

    Raises:
        ModelMismatchError: The models differ.
    """
    if known not in {"", model}:
        raise ModelMismatchError(
            f"the collection was embedded by {known!r}, and {setting} is {model!r} now: set it to the former, or "
            "embed everything again with --replace"
        )


def payload_of(passage: Passage) -> Payload:
    """Return the payload of a passage's point."""
    optional = {"url": passage.url, "page": passage.page, "tags": list(passage.tags), PICTURE: passage.picture}
    required = {"text": passage.text, "title": passage.title, "source": passage.source, "line": passage.line}
    return required | {key: value for key, value in optional.items() if value}


def _is_under(source: str, roots: Iterable[str]) -> bool:
    return any(source == label or source.startswith(label + "/") for label in roots)
