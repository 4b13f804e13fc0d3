"""Publishing of passages as a collection: the parts shared by both engines."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from warmer.errors import IngestError, ModelMismatchError
from warmer.passage import Passage
from warmer.publishing.spool import Payload

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class IndexingResult:
    """Outcome of an indexing run.

    Attributes:
        points: Number of points in the collection.
        embedded: Number of points that were embedded in this run.
        published: Whether the collection changed.
    """

    points: int
    embedded: int
    published: bool


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
                "choose another collection, or fill this one anew with --replace and all its paths"
            )


def check_model(model: str, known: str) -> None:
    """Check that the model is the collection's, `known`, which is empty for a new collection.

    Raises:
        ModelMismatchError: The models differ.
    """
    if known not in {"", model}:
        raise ModelMismatchError(
            f"the collection was embedded by {known!r}, and EMBEDDING_MODEL is {model!r} now: set it to the former, or "
            "embed all anew with --replace"
        )


def payload_of(passage: Passage) -> Payload:
    """Return the payload of a passage's point."""
    optional = {"url": passage.url, "page": passage.page, "tags": list(passage.tags)}
    required = {"text": passage.text, "title": passage.title, "source": passage.source, "line": passage.line}
    return required | {key: value for key, value in optional.items() if value}


def is_kept(source: str, roots: Iterable[str], unread: Iterable[str]) -> bool:
    """Tell whether stored passages of a source stay when a run over `roots` does not find them."""
    return not _is_under(source, roots) or _is_under(source, unread)


def _is_under(source: str, roots: Iterable[str]) -> bool:
    return any(source == label or source.startswith(label + "/") for label in roots)


def was_found(id_: str, found: Collection[bytes]) -> bool:
    """Tell whether a stored point is among the ids that `identify` collected."""
    return not id_.isdecimal() and UUID(id_).bytes in found
