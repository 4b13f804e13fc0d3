"""How far scores steer: the numbers that training fits."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Params:
    """How far scores steer: `c` per unit of the normalised sum at five scores, `neutral` on the scale of 0..1.

    Only b and c / a matter to the ranking by vectors. `words` is how much scored passages add to the query's words,
    and `share` the weight of words in the list; `neighbours` is how much the neighbours of a candidate count for it.
    `caution` shortens the steps where all scores are bad, since what a passage is not says less than what it is.
    `source` says where the numbers are from.
    """

    a: float = 1.0
    b: float = 1.0
    c: float = 0.7
    neutral: float = 0.2
    floor: float = 0.5
    words: float = 4.0
    share: float = 0.4
    neighbours: float = 1.0
    caution: float = 0.5
    source: str = "default"

    @property
    def off(self) -> bool:
        """Whether scores do not steer at all."""
        return not (self.c or self.words)


OFF = Params(c=0.0, words=0.0, source="off")
