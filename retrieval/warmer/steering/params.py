"""How wordings, a passage and scores steer: the numbers that training fits, and those that hold everywhere."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

_MOST = 1000.0
_RANGES = {
    "c": (0.0, _MOST),
    "neutral": (0.0, 1.0),
    "ridge": (1e-6, _MOST),
    "words": (0.0, _MOST),
    "share": (0.0, 1.0),
    "neighbours": (0.0, _MOST),
    "passage": (0.0, _MOST),
    "rewording": (0.0, _MOST),
    "avoid": (0.0, _MOST),
    "earlier": (0.0, 1.0),
}


@dataclass(frozen=True, slots=True)
class Params:
    """How far each part of a thread moves its list; scores are on a scale of 0..1 here.

    Attributes:
        c: How far scores move the query; 0 turns feedback off.
        neutral: The score that says nothing, as far as the thread's own scores do not tell (see `neutral_score`).
        ridge: How much scored hits that resemble each other share their weight.
        words: How far the words of scored hits move the words of the query, beside `c`.
        share: Weight of the words in the list, 0 to 1; None takes it from what the collection holds.
        neighbours: How much a candidate's neighbours count for it, beside 1 for itself.
        passage: Weight of a hypothetical passage, beside 1 for the query.
        rewording: Weight of each other wording.
        avoid: How far the query moves away from each text that says what is not looked for.
        earlier: How far scores of an earlier thread that asked for the same count, beside 1 for the thread's own.
        source: Where the numbers are from.
    """

    c: float = 1.5
    neutral: float = 0.5
    ridge: float = 2.0
    words: float = 4.0
    share: float | None = None
    neighbours: float = 1.0
    passage: float = 0.5
    rewording: float = 0.25
    avoid: float = 0.5
    earlier: float = 1.0
    source: str = "default"

    def __post_init__(self) -> None:
        """Refuse what no training gives, such as from a file that somebody changed.

        Raises:
            ValueError: A number is out of its range; the message names it.
        """
        for name, (least, most) in _RANGES.items():
            value = getattr(self, name)
            if not (value is None and name == "share") and not _within(value, least, most):
                raise ValueError(f"{name} is {value!r}, not a number from {least:g} to {most:g}")

    @property
    def off(self) -> bool:
        """Whether scores do not steer at all."""
        return not self.c


def _within(value: object, least: float, most: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most


OFF = Params(c=0.0, source="off")


def is_current(raw: Mapping[str, Any]) -> bool:
    """Tell whether stored numbers are of this formula; those fitted to an earlier one say nothing here."""
    return raw.keys() <= {field.name for field in fields(Params)}
