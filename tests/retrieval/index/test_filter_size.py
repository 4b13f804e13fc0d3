import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warmer.errors import FilterError
from warmer.index.filter_size import MOST, check_size, count_conditions

CONDITION = {"key": "source", "match": {"value": "a.md"}}
Counted = tuple[dict[str, Any], int]  # a filter, and its number of conditions


def joined(clauses: dict[str, list[Counted]]) -> Counted:
    total = sum(1 + inner for conditions in clauses.values() for _, inner in conditions)
    return {name: [condition for condition, _ in conditions] for name, conditions in clauses.items()}, total


def at_least(counted: Counted) -> Counted:
    where, total = counted
    return {"min_should": {"conditions": where.get("must", []), "min_count": 1}}, total


def nested(counted: Counted) -> Counted:
    return {"nested": {"key": "parts", "filter": counted[0]}}, counted[1]


LEAVES: list[dict[str, Any]] = [CONDITION, {"has_id": [1, 2, 3]}, {"is_empty": {"key": "x"}}]
leaves: st.SearchStrategy[Counted] = st.sampled_from(LEAVES).map(lambda leaf: (leaf, 0))
filters: st.SearchStrategy[Counted] = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.dictionaries(st.sampled_from(["must", "should", "must_not"]), st.lists(inner, max_size=3)).map(joined),
        st.lists(inner, max_size=3).map(lambda conditions: at_least(joined({"must": conditions}))),
        st.lists(inner, max_size=3).map(lambda conditions: nested(joined({"must": conditions}))),
    ),
)


@given(st.lists(filters, max_size=4))
def test_conditions_are_counted_at_any_depth(conditions: list[Counted]) -> None:
    where, total = joined({"must": conditions})
    assert count_conditions(where) == total


def test_a_single_condition_needs_no_list() -> None:
    assert count_conditions({"must": CONDITION, "must_not": {"should": [CONDITION, CONDITION]}}) == 4


def test_many_conditions_are_refused_and_many_values_are_not() -> None:
    check_size({"should": [CONDITION] * MOST})
    check_size({"must": [{"key": "source", "match": {"any": [f"{n}.md" for n in range(10 * MOST)]}}]})
    with pytest.raises(FilterError, match=re.escape(f"{MOST + 1} conditions, at most {MOST} are taken")):
        check_size({"should": [CONDITION] * (MOST + 1)})


@pytest.mark.parametrize("where", [{"must": 3}, {"must": [3, None]}, {"min_should": {}}, {"nested": []}])
def test_what_is_no_filter_has_no_conditions(where: dict[str, Any]) -> None:
    assert count_conditions(where) == 0
