"""Where a leg's list is cut among equals."""

from collections.abc import Hashable, Mapping
from typing import TypeVar

_Id = TypeVar("_Id", bound=Hashable)

MARGIN = 20  # points that a leg is asked for beyond those that are kept


def cut(scores: Mapping[_Id, float], depth: int, asked: int) -> dict[_Id, float]:
    """Keep the best `depth`, equals by id, so that every engine keeps the same.

    Which of several equals an engine leaves out is its own affair. Those at the end of a full list may be some of many,
    and are left out altogether, if there are others.

    Args:
        scores: By point id; more is better.
        depth: How many to keep at most.
        asked: How many points the engine was asked for.
    """
    if len(scores) <= depth:
        return dict(scores)
    ranked = sorted(scores.values(), reverse=True)
    at_the_cut = ranked[depth - 1]
    above = {id_: score for id_, score in scores.items() if score > at_the_cut}
    if len(scores) >= asked and ranked[-1] == at_the_cut and above:
        return above
    equals = sorted((id_ for id_, score in scores.items() if score == at_the_cut), key=str)
    return above | dict.fromkeys(equals[: depth - len(above)], at_the_cut)
