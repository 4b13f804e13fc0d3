"""Passages: what is embedded, retrieved and scored."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from uuid import UUID, uuid5

PICTURE = "picture_blake2b"  # where payloads of pictures have their digest: a field that nobody else has
_NAMESPACE = UUID("6f1d8a2c-9d0b-5c5e-8a51-0f6d2b7c3e94")


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a document, small enough for an agent to score at a glance.

    Attributes:
        text: The text that is read and scored.
        title: The headings that lead to it, outermost first, joined by " > "; may be empty.
        source: Name of the document, "<label>/<path below the indexed folder>".
        line: Line number of its beginning, from 1. Counted in the page of a PDF, and across the cells of a notebook.
        url: URL of the passage; empty if unknown.
        page: Page number in a PDF, from 1; 0 elsewhere.
        tags: Tags that the document gives itself.
        picture: Digest of the picture that it is, whose caption `text` is; empty for a text.
    """

    text: str
    title: str
    source: str
    line: int
    url: str = ""
    page: int = 0
    tags: tuple[str, ...] = ()
    picture: str = ""

    @property
    def embedded(self) -> str:
        """What determines the vector: title and text, or which picture it is."""
        return identity(self.title, self.text, self.picture)


@dataclass(frozen=True, slots=True)
class Window:
    """The context window of an embedding model, which truncates longer texts.

    Attributes:
        max_tokens: Size in tokens, special tokens included.
        count_tokens: Counts the tokens of a text, special tokens included.
    """

    max_tokens: int
    count_tokens: Callable[[str], int]


def embedded_text(title: str, text: str) -> str:
    """Join title and text to the text that is embedded."""
    return f"{title}\n{text}" if title else text


def identity(title: str, text: str, picture: str = "") -> str:
    """Tell what determines a vector: of a picture its digest alone, so that it keeps its id under another caption."""
    return f"\0picture {picture}" if picture else embedded_text(title, text)


def identify(passages: Iterable[Passage], ids: set[bytes] | None = None) -> Iterator[tuple[str, Passage]]:
    """Pair each passage with its point id, and add the id's 16 bytes to `ids`.

    The id is a UUIDv5 of the source, the embedded text and the number of earlier occurrences of that text in the
    source. It therefore determines the vector, and survives a re-index, edits elsewhere in the document and a change
    of url; scores stay attached to it.
    """
    ids = set() if ids is None else ids
    repetitions: Counter[bytes] = Counter()
    for passage in passages:
        id_ = _point_id(passage, 0)
        if id_.bytes in ids:
            repetitions[id_.bytes] += 1
            id_ = _point_id(passage, repetitions[id_.bytes])
        ids.add(id_.bytes)
        yield str(id_), passage


def _point_id(passage: Passage, repetition: int) -> UUID:
    return uuid5(_NAMESPACE, f"{passage.source}\0{repetition}\0{passage.embedded}")


def native_id(point_id: str) -> int | str:
    """Convert a point id to Qdrant's type: an integer if it is all digits, else a UUID string."""
    return int(point_id) if point_id.isdecimal() else point_id
