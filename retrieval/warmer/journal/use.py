"""What a journal tells of its use: threads with everybody's scores, from the records of an export."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from warmer.journal import is_owned_by
from warmer.journal.transfer.records import HitRecord, Record, SearchRecord
from warmer.vectors import Vector


@dataclass(frozen=True, slots=True)
class Selection:
    """Which threads are meant.

    Attributes:
        collection: The collection's name as the journal has it.
        owner: Whose they are; anybody's if empty.
        since: Made since then, in seconds since 1970.
        judge: Whose scores count; everybody's if empty.
    """

    collection: str
    owner: str = ""
    since: float = 0.0
    judge: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """A passage that was shown in a thread.

    Attributes:
        point: Point id.
        vector: Its vector then, shape (dim,).
        title: Its title then.
        source: Its document.
        scores: One of each scorer, 0..10.
    """

    point: str
    vector: Vector
    title: str
    source: str
    scores: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Average the scores, of which there must be some."""
        return sum(self.scores) / len(self.scores)


@dataclass(frozen=True, slots=True)
class Thread:
    """A question, how it was put, and what was shown.

    Attributes:
        query: The first wording.
        vector: The direction of its wordings, shape (dim,); empty where the engine embeds queries.
        wordings: Other wordings, in order.
        created: Seconds since 1970.
        seen: What was shown, in order.
    """

    query: str
    vector: Vector
    wordings: tuple[str, ...]
    created: float
    seen: tuple[Seen, ...]

    @property
    def scored(self) -> list[Seen]:
        """What was scored, in the order shown."""
        return [one for one in self.seen if one.scores]


def threads(records: Iterable[Record], selection: Selection) -> list[Thread]:
    """Read the threads of a selection in which something was scored, the oldest first."""
    chosen = [_thread(one, selection.judge) for one in records if isinstance(one, SearchRecord) and _is(one, selection)]
    return sorted((thread for thread in chosen if thread.scored), key=lambda thread: thread.created)


def _is(record: SearchRecord, selection: Selection) -> bool:
    mine = not selection.owner or is_owned_by(record.id, selection.owner)
    return record.collection == selection.collection and record.created >= selection.since and mine


def _thread(record: SearchRecord, judge: str) -> Thread:
    hits = tuple(seen(hit, judge) for hit in record.hits)
    said = {one.text: one.vector for one in record.wordings if one.wording == "rewording" and one.text != record.query}
    vector = direction([_vector(raw) for raw in (record.vector, *said.values())])
    return Thread(record.query, vector, tuple(said), record.created, hits)


def seen(hit: HitRecord, judge: str = "") -> Seen:
    """Read a hit of the journal, with the scores of one judge, or of all."""
    scores = tuple(score.score for score in hit.scores if judge in ("", score.judge))
    return Seen(hit.point, _vector(hit.vector), hit.title, hit.source, scores)


def direction(vectors: Sequence[Vector]) -> Vector:
    """Average the directions of vectors, all of one length; those without one do not count."""
    lengths = [float(np.linalg.norm(vector)) for vector in vectors]
    units = [vector / length for vector, length in zip(vectors, lengths, strict=True) if length]
    return np.mean(units, axis=0).astype(np.float32) if units else np.empty(0, dtype=np.float32)


def _vector(raw: bytes) -> Vector:
    return np.frombuffer(raw, dtype="<f4")
