"""A thread to one query: its wordings, its hypothetical passage and its scores steer together."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from warmer.index import DenseQuery
from warmer.steering.feedback import Example, Feedback, dense_query, weigh
from warmer.steering.lexical import mixed_words
from warmer.steering.params import Params
from warmer.steering.target import target
from warmer.steering.wording import Wording
from warmer.vectors import SparseVector


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked of a collection, and how its candidates are ranked.

    Attributes:
        dense: The dense leg.
        lexical: The lexical leg, where there is one.
        feedback: The scored hits.
        params: Weights of the legs and of neighbours.
    """

    dense: DenseQuery
    lexical: SparseVector | None
    feedback: Feedback
    params: Params

    @property
    def steered(self) -> bool:
        """Whether scores have a say."""
        return not self.feedback.silent


def compose(
    wordings: Sequence[Wording], params: Params, scored: Iterable[Example] = (), *, lexical: bool = True
) -> Query:
    """Make one query of all that a thread said and scored.

    Args:
        wordings: What it said, the first wording first.
        params: Weights.
        scored: The hits that were scored.
        lexical: Whether the collection is searched by words too.
    """
    feedback = weigh(scored, params)
    words = None
    if lexical:
        gains = params.words * feedback.weights
        passages = [(one.text, gain) for one, gain in zip(feedback.examples, gains.tolist(), strict=True) if one.text]
        words = mixed_words(wordings, params, passages)
    aside = [(wording.vector, -params.avoid) for wording in wordings if wording.kind == "avoid"]
    return Query(dense_query(target(wordings, params), feedback, aside), words, feedback, params)
