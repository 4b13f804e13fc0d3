"""Passages: what is embedded, retrieved and scored."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from uuid import UUID, uuid5

_NAMESPACE = UUID("6f1d8a2c-9d0b-5c5e-8a51-0f6d2b7c3e94")


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a document, small enough for an agent to score at a glance.

    Attributes:
        text: What is read and scored.
        title: The path of headings that leads to it, outermost first, joined by " > "; may be empty.
        source: The document it is from, relative to the folder that was indexed.
        line: Where in the document it begins; the first line is 1. In a PDF it is a line of the page, in a notebook one
            of all cells' lines in a row.
        url: Where it can be read; empty where that is not known.
        page: The page of a PDF, the first is 1; 0 elsewhere.
    """

    text: str
    title: str
    source: str
    line: int
    url: str = ""
    page: int = 0

    @property
    def embedded(self) -> str:
        """The text that the retriever embeds: title and text."""
        return embedded_text(self.title, self.text)


@dataclass(frozen=True, slots=True)
class Window:
    """What a model reads of a text; it cuts off the rest.

    Attributes:
        tokens: How many tokens, with those that the model adds itself.
        count: Counts the tokens of a text likewise.
    """

    tokens: int
    count: Callable[[str], int]


def embedded_text(title: str, text: str) -> str:
    """Join what the retriever reads of a passage."""
    return f"{title}\n{text}" if title else text


def identify(passages: Iterable[Passage], given: set[bytes] | None = None) -> Iterator[tuple[str, Passage]]:
    """Pair each passage with its point id; `given` is filled with the ids, 16 bytes each.

    The id is a UUIDv5 of the source, the embedded text and how often that text came before in the
    same source. So it says which vector belongs to it, and it outlives a re-index, edits of other
    parts of the document, a change of its url, and the scores given meanwhile.
    """
    given = set() if given is None else given
    again: Counter[bytes] = Counter()
    for passage in passages:
        id_ = _nth(passage, 0)
        if id_.bytes in given:
            again[id_.bytes] += 1
            id_ = _nth(passage, again[id_.bytes])
        given.add(id_.bytes)
        yield str(id_), passage


def _nth(passage: Passage, before: int) -> UUID:
    return uuid5(_NAMESPACE, f"{passage.source}\0{before}\0{passage.embedded}")


def native_id(point_id: str) -> int | str:
    """Give a point id as Qdrant takes it, which tells whole numbers from UUIDs."""
    return int(point_id) if point_id.isdecimal() else point_id
