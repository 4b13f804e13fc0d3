"""How wordings, a passage and scores steer: the numbers that training fits, and those that hold everywhere."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any


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
    source: str = "default"

    @property
    def off(self) -> bool:
        """Whether scores do not steer at all."""
        return not self.c


OFF = Params(c=0.0, source="off")


def is_current(raw: Mapping[str, Any]) -> bool:
    """Tell whether stored numbers are of this formula; those fitted to an earlier one say nothing here."""
    return raw.keys() <= {field.name for field in fields(Params)}
