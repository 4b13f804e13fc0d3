"""Where a leg's list is cut among equals."""

from collections.abc import Hashable, Mapping
from math import isclose
from operator import itemgetter
from typing import TypeVar

_Id = TypeVar("_Id", bound=Hashable)

MARGIN = 20  # points that a leg is asked for beyond those that are kept
_ROUNDING = 1e-6


def cut(scores: Mapping[_Id, float], depth: int, asked: int) -> dict[_Id, float]:
    """Keep the best `depth`, equals but for rounding by id, so that every engine keeps the same.

    Which of several equals an engine leaves out is its own affair. Those at the end of a full list may be some of many,
    and are left out altogether, if there are others.

    Args:
        scores: By point id; more is better.
        depth: How many to keep at most.
        asked: How many points the engine was asked for.
    """
    if len(scores) <= depth:
        return dict(scores)
    ranked = sorted(scores.items(), key=itemgetter(1), reverse=True)
    start, end = depth - 1, depth  # of the equals at the cut
    while start > 0 and _equal(ranked[start - 1], ranked[start]):
        start -= 1
    while end < len(ranked) and _equal(ranked[end - 1], ranked[end]):
        end += 1
    if end == len(ranked) >= asked and start:
        return dict(ranked[:start])
    equals = sorted(ranked[start:end], key=lambda pair: str(pair[0]))
    return dict(ranked[:start] + equals[: depth - start])


def _equal(one: tuple[_Id, float], other: tuple[_Id, float]) -> bool:
    """Whether two scores differ by no more than the order of a float32 sum."""
    return isclose(one[1], other[1], rel_tol=_ROUNDING, abs_tol=_ROUNDING)
