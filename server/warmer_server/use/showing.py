"""A thread as a person looks at it: what was said call by call, what was shown, and which passages won."""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean

from warmer.journal.transfer.records import HitRecord, SearchRecord


@dataclass(frozen=True, slots=True)
class Line:
    """A passage of a thread.

    Attributes:
        hit: Its number: the order in which the thread first showed it, from 1.
        title: Its title then.
        source: Its document then.
        text: Its text now; empty if it is gone or has changed.
        score: 0..10, the mean of all scorers; None if nobody scored it.
        batch: Which batch of scores it came in, from 1; 0 without a score.
        place: Its place by score, from 1; 0 without a score.
        picture: What it shows now, as a small JPEG; empty for a text, and if it is gone or has changed.
    """

    hit: int
    title: str
    source: str
    text: str
    score: float | None
    batch: int
    place: int
    picture: bytes = b""

    @property
    def moved(self) -> int:
        """How many places it is better by score than as shown; negative if worse, 0 without a score."""
        return self.hit - self.place if self.place else 0


@dataclass(frozen=True, slots=True)
class View:
    """A thread.

    Attributes:
        id: Its handle.
        collection: Where it searched.
        created: Seconds since 1970.
        said: The texts of each call that brought some, (kind, text), by number of the call, from 1.
        lines: Its passages in the order shown.
    """

    id: str
    collection: str
    created: float
    said: dict[int, list[tuple[str, str]]]
    lines: list[Line]

    @property
    def query(self) -> str:
        """The first wording."""
        return self.said[1][0][1]

    @property
    def ranking(self) -> list[Line]:
        """The scored passages, best first."""
        return sorted((line for line in self.lines if line.place), key=lambda line: line.place)

    @property
    def means(self) -> list[tuple[int, float]]:
        """How many passages each batch of scores has, and their mean."""
        batches: dict[int, list[float]] = {}
        for line in self.lines:
            if line.score is not None:
                batches.setdefault(line.batch, []).append(line.score)
        return [(len(scores), fmean(scores)) for _, scores in sorted(batches.items())]


def view(record: SearchRecord, texts: Mapping[str, str], pictures: Mapping[str, bytes] | None = None) -> View:
    """Arrange a thread of the journal.

    Args:
        record: The thread.
        texts: Texts of passages by point id; a passage without one is shown by its title.
        pictures: JPEGs by point id.
    """
    said: dict[int, list[tuple[str, str]]] = {1: [("query", record.query)]}
    for wording in record.wordings:
        said.setdefault(wording.turn + 1, []).append((wording.wording, wording.text))
    times = sorted({_first_scored(hit) for hit in record.hits if hit.scores})
    scores = [fmean(score.score for score in hit.scores) if hit.scores else None for hit in record.hits]
    order = sorted((-score, index) for index, score in enumerate(scores) if score is not None)
    places = {index: place for place, (_, index) in enumerate(order, 1)}
    lines = [
        Line(
            index + 1,
            hit.title,
            hit.source,
            texts.get(hit.point, ""),
            scores[index],
            times.index(_first_scored(hit)) + 1 if hit.scores else 0,
            places.get(index, 0),
            (pictures or {}).get(hit.point, b""),
        )
        for index, hit in enumerate(record.hits)
    ]
    return View(record.id, record.collection, record.created, said, lines)


def _first_scored(hit: HitRecord) -> float:
    return min(score.created for score in hit.scores)
