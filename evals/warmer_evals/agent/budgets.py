"""The budget of a question: how many passages, or characters of texts and titles, may be shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, Literal

from warmer_evals import EvalError

MOST, LEAST = 50, 5  # hits requested by a call
_SPARE = 1.5  # the last list requests more than is expected to fit, since it is cut anyway

Hit = dict[str, Any]
Unit = Literal["passages", "characters"]


@dataclass(frozen=True, slots=True)
class Budget:
    """How much may be shown for a question.

    Raises:
        EvalError: It is too little or too much.
    """

    amount: int
    unit: Unit = "passages"

    def __post_init__(self) -> None:
        if self.unit == "passages" and not 1 <= self.amount <= MOST:
            raise EvalError(f"the budget is {self.amount}: let the agent read 1 to {MOST} passages")
        if self.amount < 1:
            raise EvalError(f"the budget is {self.amount}: let the agent read 1 character or more, such as 8000")

    def __str__(self) -> str:
        return f"{self.amount} {self.unit}"


class Ledger:
    """What was shown for one question, and what is left of its budget.

    Counted in passages, a document costs one, however often it is shown. Counted in characters, each hit costs its
    text and title every time.

    Args:
        budget: What may be shown.
        expected: Characters of a hit, as long as none was shown.

    Attributes:
        documents: The ids of the documents that were shown, in that order.
        characters: Of all texts and titles that were shown, repeated ones too.
        left: What may still be shown; 0 once a hit did not fit.
        in_passages: Whether the budget is in passages, not in characters.
    """

    def __init__(self, budget: Budget, expected: float = 200) -> None:
        self.documents: list[str] = []
        self.characters = 0
        self.left = budget.amount
        self.in_passages = budget.unit == "passages"
        self._expected = expected
        self._hits = 0

    def share(self, lists: int) -> int:
        """Return how many hits to request if the rest of the budget is to last for this many lists."""
        if self.in_passages:
            return ceil(self.left / lists)
        length = self.characters / self._hits if self._hits else self._expected
        fitting = self.left / lists / max(length, 1) * (_SPARE if lists == 1 else 1)
        return min(max(ceil(fitting), LEAST), MOST)

    def show(self, hits: Sequence[Hit], new: int | None = None) -> list[Hit]:
        """Count the hits of a list as shown, up to the first that does not fit.

        Args:
            hits: With `source`, the document's id, `text` and `title`.
            new: How many documents may be new, where the budget is in passages; None for all that are left.
        """
        shown = []
        room = self.left if new is None else min(new, self.left)
        for hit in hits:
            if self.in_passages and room < 1:
                break
            known, length = hit["source"] in self.documents, characters(hit)
            cost = int(not known) if self.in_passages else length
            if cost > self.left:
                self.left = 0
                break
            shown.append(hit)
            room, self.left = room - cost, self.left - cost
            self._count(hit["source"], length)
        return shown

    def reread(self, hits: Sequence[Hit]) -> list[Hit]:
        """Count hits that are shown again at the agent's request; they cost no passages."""
        if not self.in_passages:
            return self.show(hits)
        for hit in hits:
            self._count(hit["source"], characters(hit))
        return list(hits)

    def _count(self, document: str, length: int) -> None:
        self.characters, self._hits = self.characters + length, self._hits + 1
        if document not in self.documents:
            self.documents.append(document)


def characters(hit: Mapping[str, Any]) -> int:
    """Return the length in characters of a hit's text and title, and of the passages shown around it."""
    return sum(len(hit.get(name) or "") for name in ("title", "before", "text", "after"))
