"""Passages to a collection: what both ways of publishing have in common."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from warmer.errors import IngestError, ModelMismatchError
from warmer.passage import Passage
from warmer.publishing.spool import Payload

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Built:
    """What an indexing run did: points in all, points embedded anew, and whether it published anything."""

    points: int
    embedded: int
    published: bool


def check_roots(roots: Mapping[str, Path], known: Mapping[str, str]) -> None:
    """Refuse a root that would take the place of another one of the same label.

    Raises:
        IngestError: One would.
    """
    for label, path in roots.items():
        if known.get(label, str(path)) != str(path):
            raise IngestError(
                f"{label!r} is in the collection already, from {known[label]}, and {path} would take its place: "
                "choose another collection, or fill this one anew with --replace and all its paths"
            )


def check_model(model: str, known: str) -> None:
    """Refuse to embed by another model than what is `known`; empty: nothing is.

    Raises:
        ModelMismatchError: They differ.
    """
    if known not in {"", model}:
        raise ModelMismatchError(
            f"the collection was embedded by {known!r}, and EMBEDDING_MODEL is {model!r} now: set it to the former, or "
            "embed all anew with --replace"
        )


def payload_of(passage: Passage) -> Payload:
    """Give what is stored with a passage's point."""
    known = {"url": passage.url, "page": passage.page}
    always = {"text": passage.text, "title": passage.title, "source": passage.source, "line": passage.line}
    return always | {key: value for key, value in known.items() if value}


def is_kept(payload: Payload, roots: Iterable[str], unread: Iterable[str]) -> bool:
    """Tell whether a stored passage stays though this run did not find it."""
    return not _of(payload, roots) or _of(payload, unread)


def _of(payload: Payload, roots: Iterable[str]) -> bool:
    source = payload["source"]
    return any(source == label or source.startswith(label + "/") for label in roots)


def is_given(id_: str, given: Collection[bytes]) -> bool:
    """Tell whether a stored point is one that `identify` gave."""
    return not id_.isdecimal() and UUID(id_).bytes in given
