"""What the documents lack: questions without a good hit although they were reworded, grouped by nearness."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from warmer.journal.nearness import NEAR, groups
from warmer.journal.use import Seen, Thread

GOOD = 5.0
MOST = 1000  # threads, the newest


@dataclass(frozen=True, slots=True)
class Group:
    """Questions that ask for the same.

    Attributes:
        question: The one that was asked most often.
        threads: How many threads asked.
        best: The best score, 0..10.
        last: When it was asked last, in seconds since 1970.
        wordings: All other ways in which it was put.
        point: The best passage's id.
        title: Its title.
        source: Its document.
    """

    question: str
    threads: int
    best: float
    last: float
    wordings: tuple[str, ...]
    point: str
    title: str
    source: str


def missing(threads: Sequence[Thread], below: float = GOOD, near: float = NEAR) -> list[Group]:
    """Find questions whose every score stayed below a threshold after a rewording; what is asked most comes first."""
    open_ = [one for one in threads if one.wordings and all(seen.mean < below for seen in one.scored)][-MOST:]
    found = [_group([open_[position] for position in group]) for group in groups([one.vector for one in open_], near)]
    return sorted(found, key=lambda group: (-group.threads, group.best, group.question))


def _group(threads: Sequence[Thread]) -> Group:
    asked = Counter(one.query for one in threads)
    question = max(asked, key=lambda query: asked[query])
    said = dict.fromkeys(text for one in threads for text in (one.query, *one.wordings))
    best: Seen = max((seen for one in threads for seen in one.scored), key=lambda seen: seen.mean)
    others = tuple(text for text in said if text != question)
    last = max(one.created for one in threads)
    return Group(question, len(threads), best.mean, last, others, best.point, best.title, best.source)
