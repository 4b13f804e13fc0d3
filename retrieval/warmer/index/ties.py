"""Where a leg's list is cut among equals."""

from collections.abc import Hashable, Mapping
from math import isclose
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
    ranked = sorted(scores, key=scores.__getitem__, reverse=True)
    parts = [n for n in range(1, len(ranked)) if not _equal(scores[ranked[n - 1]], scores[ranked[n]])]
    start = max((n for n in parts if n < depth), default=0)
    end = min((n for n in parts if n >= depth), default=len(ranked))
    if len(scores) >= asked and end == len(ranked) and start:
        kept = ranked[:start]
    else:
        kept = ranked[:start] + sorted(ranked[start:end], key=str)[: depth - start]
    return {id_: scores[id_] for id_ in kept}


def _equal(one: float, other: float) -> bool:
    """Whether two scores differ by no more than the order of a float32 sum."""
    return isclose(one, other, rel_tol=_ROUNDING, abs_tol=_ROUNDING)
