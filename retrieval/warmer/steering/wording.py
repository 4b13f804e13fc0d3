"""What a thread says it looks for."""

from dataclasses import dataclass
from typing import Literal

from warmer.vectors import QueryVector

Kind = Literal["query", "rewording", "passage", "avoid"]


@dataclass(frozen=True, slots=True)
class Wording:
    """One text that tells what a thread looks for, or what it does not.

    Attributes:
        kind: `query` leads its turn, `rewording` says the same in other words, `passage` is hypothetical, such as would
            answer the question (HyDE), and `avoid` is what passages should not be about.
        text: The text.
        vector: Its dense vector, shape (dim,), or the text where the engine embeds.
        turn: The number of the call that brought it, the first is 0.
    """

    kind: Kind
    text: str
    vector: QueryVector
    turn: int = 0
