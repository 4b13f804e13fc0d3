"""How large a filter may be that a caller sends."""

from collections.abc import Mapping

from warmer.errors import FilterError
from warmer.index import Filter

MOST = 256
_CLAUSES = ("must", "should", "must_not", "conditions")
_FILTERS = ("min_should", "nested", "filter")


def check_size(where: Filter, most: int = MOST) -> None:
    """Make sure that a filter has few conditions: each is looked at for each point that a search passes.

    Raises:
        FilterError: It has more than `most`.
    """
    if (conditions := count_conditions(where)) > most:
        raise FilterError(
            f"the filter has {conditions:,} conditions, at most {most:,} are taken (WARMER_FILTER_CONDITIONS): put "
            'several values into one condition, as {"key": "source", "match": {"any": ["a.md", "b.md"]}}'
        )


def count_conditions(where: Filter) -> int:
    """Count what stands in the clauses of a filter, at any depth; it need not be valid."""
    total, rest = 0, [where]
    while rest:
        one = rest.pop()
        for name in (*_CLAUSES, *_FILTERS):
            inner = one.get(name)
            objects = [item for item in (inner if isinstance(inner, list) else [inner]) if isinstance(item, Mapping)]
            total += len(objects) if name in _CLAUSES else 0
            rest += objects
    return total
