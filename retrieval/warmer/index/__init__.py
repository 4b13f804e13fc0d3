"""Where vectors live: one protocol, several engines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from warmer.errors import EngineError
from warmer.passage import embedded_text

Vector = NDArray[np.float32]
Filter = Mapping[str, Any]

DENSE = "dense"
LEXICAL = "bm25"
CANDIDATES = 100  # how deep each leg of a hybrid list is


@dataclass(frozen=True, slots=True)
class Inference:
    """A query that the engine embeds itself, by a model it knows (Qdrant's Cloud Inference)."""

    text: str
    model: str


QueryVector = Vector | Inference


@dataclass(frozen=True, slots=True)
class Hit:
    """A point that a query retrieved.

    Attributes:
        id: The point id: a UUID, or a whole number in decimal digits.
        score: The engine's score; comparable within one list only.
        payload: What is stored with the point: `text`, `title`, `source`, `line` and more.
        vector: The dense vector as the engine stores it, shape (dim,).
    """

    id: str
    score: float
    payload: dict[str, Any]
    vector: Vector

    @property
    def passage(self) -> str:
        """What a judge reads of it: title and text, as the retriever reads them."""
        return embedded_text(str(self.payload.get("title") or ""), str(self.payload.get("text", "")))


@dataclass(frozen=True, slots=True)
class FeedbackItem:
    """An example for the second retrieval and its score in 0..1.

    `id` is None for an example that is no point, such as the query itself.
    """

    id: str | None
    vector: QueryVector
    score: float


@dataclass(frozen=True, slots=True)
class Words:
    """The lexical leg of a feedback query.

    Attributes:
        text: The query.
        passages: Texts of scored hits, and how much of each is added to the query's words; may be negative.
        share: Weight of this leg, 0 to 1.
    """

    text: str
    passages: Sequence[tuple[str, float]] = ()
    share: float = 0.5


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
class CollectionInfo:
    """What a collection holds.

    Attributes:
        name: The collection's name.
        generation: Which build of it answers; changes when it is re-indexed.
        model: The embedding model its vectors are from.
        dim: Length of a dense vector.
        points: Number of passages; None where some of them are hidden.
        fields: Payload fields that a filter can name, and the JSON type of their values.
        lexical: Whether it has a sparse vector for words beside the dense one.
        declared: Whether somebody said which model the vectors are from; `model` is empty otherwise.
        notes: What a status report should say of it, in sentences.
    """

    name: str
    generation: str
    model: str
    dim: int
    points: int | None
    fields: dict[str, str] = field(default_factory=dict)
    lexical: bool = True
    declared: bool = True
    notes: tuple[str, ...] = ()


class Index(Protocol):
    """One collection, ready to be queried. Every list is best first and at most `limit` long.

    `text` adds a lexical leg: the words of the query beside its vector, both lists fused.
    `where` is Qdrant's own filter JSON. Raises FilterError for a filter that does not fit.
    """

    async def info(self) -> CollectionInfo:
        """Describe the collection as it stands now."""
        ...

    async def search(
        self,
        vector: QueryVector,
        limit: int,
        *,
        text: str = "",
        where: Filter | None = None,
        without: Sequence[str] = (),
    ) -> list[Hit]:
        """Retrieve the nearest points, leaving out those named in `without`."""
        ...

    async def retrieve(self, ids: Sequence[str]) -> list[Hit]:
        """Fetch points by id in the order given; ids that are gone are left out, scores are 0."""
        ...

    async def around(self, id_: str, reach: int, *, where: Filter | None = None) -> list[Hit]:
        """Fetch a point between those before and after it in its document, in order, `reach` at most on each side.

        It is alone where their order is not known, or would take long to find out; the list is empty if it is gone.
        """
        ...

    async def feedback(
        self,
        vector: QueryVector,
        items: Sequence[FeedbackItem],
        coefficients: Coefficients,
        limit: int,
        *,
        words: Words | None = None,
        neighbours: float = 0.0,
        where: Filter | None = None,
        without: Sequence[str] = (),
    ) -> list[Hit]:
        """Retrieve once more, steered by scored items, leaving out the points named in `without`.

        `words` adds a lexical leg, where the collection has one. `neighbours` is how much the scores of a candidate's
        neighbours count for it, beside 1 for its own.
        """
        ...


def own_vector(vector: QueryVector) -> Vector:
    """Give a vector that was embedded here.

    Raises:
        EngineError: The engine was to embed it, and cannot.
    """
    if isinstance(vector, Inference):
        raise EngineError(
            f"this collection cannot embed queries by {vector.model!r} itself: choose a model for it that runs here"
        )
    return vector
