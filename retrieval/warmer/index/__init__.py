"""Where vectors live: one protocol, several engines."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from warmer.passage import PICTURE, embedded_text
from warmer.vectors import QueryVector, SparseVector, Vector

Filter = Mapping[str, Any]

DENSE = "dense"
LEXICAL = "bm25"
CANDIDATES = 100  # how deep each leg of a hybrid list is


@dataclass(frozen=True, slots=True)
class Hit:
    """A point that a query retrieved.

    Attributes:
        id: The point id: a UUID, or a whole number in decimal digits.
        score: The engine's score; comparable within one list only.
        payload: What is stored with the point: `text`, `title`, `source`, `line` and more.
        vector: The dense vector as the engine stores it, shape (dim,).
        copies: How many near-copies of it a list leaves out.
    """

    id: str
    score: float
    payload: dict[str, Any]
    vector: Vector
    copies: int = 0

    @property
    def passage(self) -> str:
        """What a judge reads of it: title and text, as the retriever reads them."""
        return embedded_text(str(self.payload.get("title") or ""), str(self.payload.get("text", "")))

    def scored(self, score: float) -> "Hit":
        """Give the same point with another score."""
        return Hit(self.id, score, self.payload, self.vector, self.copies)


@dataclass(frozen=True, slots=True)
class FeedbackItem:
    """An example for the second retrieval and its score in 0..1.

    `id` is None for an example that is no point, such as the query itself.
    """

    id: str | None
    vector: QueryVector
    score: float


@dataclass(frozen=True, slots=True)
class Coefficients:
    """Qdrant's naive feedback formula: a sim(q, x) + sum over pairs of conf^b c (sim(pos, x) - sim(neg, x)).

    The sum runs over all ordered pairs of items whose scores differ; conf is that difference.
    """

    a: float
    b: float
    c: float

    def __post_init__(self) -> None:
        """Refuse what the engines would take for nonsense or not refuse themselves."""
        if not (np.isfinite([self.a, self.b, self.c]).all() and self.a > 0 and self.b >= 0):
            raise ValueError(f"coefficients need a > 0, b >= 0 and finite values, not {self}")


@dataclass(frozen=True, slots=True)
class DenseQuery:
    """What is asked of the dense vectors: the nearest to `vector`, or, given items, Qdrant's feedback query on it.

    Attributes:
        vector: The target, shape (dim,), or a text that the engine embeds.
        items: Examples with scores; empty for a nearest query.
        coefficients: The formula's; needed with items.
    """

    vector: QueryVector
    items: Sequence[FeedbackItem] = ()
    coefficients: Coefficients = Coefficients(1.0, 1.0, 0.0)


@dataclass(frozen=True, slots=True)
class Candidates:
    """The points that one of the legs found, each with its exact score on both; sorted by id.

    Attributes:
        ids: Point ids.
        dense: Scores of the dense leg, shape (n,); more is better, whatever the distance.
        lexical: Scores of the lexical leg, 0 for a point that shares no word with the query; None without that leg.
        hits: Those of the points that were fetched along the way, by id, which need not be retrieved any more.
    """

    ids: list[str]
    dense: NDArray[np.float64]
    lexical: NDArray[np.float64] | None = None
    hits: Mapping[str, Hit] = field(default_factory=dict)


def joined(
    dense: Mapping[str, float], lexical: Mapping[str, float] | None = None, hits: Iterable[Hit] = ()
) -> Candidates:
    """Make candidates of scores by point id; every candidate has a dense score."""
    ids = sorted(dense)
    words = None if lexical is None else np.array([lexical.get(id_, 0.0) for id_ in ids])
    return Candidates(ids, np.array([dense[id_] for id_ in ids]), words, {hit.id: hit for hit in hits})


@dataclass(frozen=True, slots=True)
class CollectionInfo:
    """What a collection holds.

    Attributes:
        name: The collection's name.
        generation: Which build of it answers; changes when it is re-indexed.
        model: The embedding model its vectors are from.
        dim: Length of a dense vector.
        points: Number of passages; None where some of them are hidden.
        fields: Payload fields that a filter can name, and the JSON type of their values.
        lexical: Whether it can be searched by words too: by a sparse vector beside the dense one, or by its texts.
        declared: Whether somebody said which model the vectors are from; `model` is empty otherwise.
        named_model: What payloads say it is, in words of their own; nobody checks it.
        notes: What a status report should say of it, in sentences.
        texts: Whether hits have their texts before they are `completed`.
        code: Marks of code a word in its median passage, from a sample: prose has 0 to 0.1, code 0.4 to 1.2.
        worded: Fields in which a text filter looks for whole words, and whether for phrases too; in others it looks for
            the string as it stands. None: everywhere for both.
        roots: Label -> absolute path of what this machine indexed into it.
    """

    name: str
    generation: str
    model: str
    dim: int
    points: int | None
    fields: dict[str, str] = field(default_factory=dict)
    lexical: bool = True
    declared: bool = True
    named_model: str = ""
    notes: tuple[str, ...] = ()
    texts: bool = True
    code: float = 0.0
    worded: Mapping[str, bool] | None = None
    roots: Mapping[str, str] = field(default_factory=dict)

    @property
    def pictures(self) -> bool:
        """Whether it was indexed from pictures, which a model that sees has embedded."""
        return PICTURE in self.fields


class Index(Protocol):
    """One collection, ready to be queried; `warmer.steering.ranking` makes lists of what it finds.

    `where` is Qdrant's own filter JSON. Raises FilterError for a filter that does not fit.
    """

    async def info(self) -> CollectionInfo:
        """Describe the collection as it stands now."""
        ...

    async def sample(self, *, where: Filter | None = None) -> list[dict[str, Any]]:
        """Fetch the payloads of some points, up to `warmer.index.sampling.SAMPLE`."""
        ...

    async def retrieve(self, ids: Sequence[str]) -> list[Hit]:
        """Fetch points by id in the order given; ids that are gone are left out, scores are 0."""
        ...

    async def around(self, id_: str, reach: int, *, where: Filter | None = None) -> list[Hit]:
        """Fetch a point between those before and after it in its document, in order, `reach` at most on each side.

        It is alone where their order is not known, or would take long to find out; the list is empty if it is gone.
        """
        ...

    async def candidates(
        self,
        query: DenseQuery,
        lexical: SparseVector | None = None,
        depth: int = CANDIDATES,
        *,
        where: Filter | None = None,
        without: Sequence[str] = (),
    ) -> Candidates:
        """Find the best `depth` points of each leg, and let each leg score what only the other found.

        `lexical` is left out where the collection has no words, or where it has no entries. Points named in `without`
        stay out.
        """
        ...

    async def completed(self, hits: list[Hit]) -> list[Hit]:
        """Add what is kept outside of the engine, such as texts; only for hits that are going to be shown."""
        ...

    def remembered(self, ids: Sequence[str]) -> Mapping[str, str]:
        """Give the passages of points that were shown before, where to fetch them takes longer than to keep them."""
        ...
