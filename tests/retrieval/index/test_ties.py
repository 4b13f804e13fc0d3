from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warmer.index.ties import cut


@pytest.mark.parametrize(
    ("scores", "depth", "asked", "kept"),
    [
        ({"b": 1.0, "a": 1.0, "c": 2.0}, 2, 9, ["a", "c"]),
        ({"b": 7.0776601, "a": 7.0776596, "c": 9.0}, 2, 9, ["a", "c"]),
        ({"b": 7.0777, "a": 7.0776, "c": 9.0}, 2, 9, ["b", "c"]),
        ({"b": 1.0, "a": 1.0, "c": 2.0}, 2, 3, ["c"]),  # there may be a fourth, whose id is less
        ({"b": 1.0, "a": 1.0, "c": 1.0}, 2, 3, ["a", "b"]),
        ({"b": 1.0, "a": 1.0, "c": 0.5}, 1, 3, ["a"]),
        ({"b": 1.0}, 2, 3, ["b"]),
        ({}, 2, 3, []),
    ],
)
def test_where_a_list_is_cut(scores: dict[str, float], depth: int, asked: int, kept: list[str]) -> None:
    assert sorted(cut(scores, depth, asked)) == kept


@given(st.dictionaries(st.text("abcdef", min_size=1, max_size=3), st.integers(0, 4)), st.integers(1, 6), st.randoms())
def test_engines_that_order_or_round_equals_otherwise_cut_alike(
    scores: dict[str, int], depth: int, random: Random
) -> None:
    def engine(asked: int) -> dict[str, float]:
        shuffled = [(id_, score + random.uniform(-1, 1) * 2e-7) for id_, score in scores.items()]
        random.shuffle(shuffled)
        return dict(sorted(shuffled, key=lambda pair: -pair[1])[:asked])

    asked = depth + 3
    one, other = cut(engine(asked), depth, asked), cut(engine(asked), depth, asked)
    assert len(one) <= depth
    if len({round(score) for score in one.values()}) > 1 or len(one) < depth:
        assert one.keys() == other.keys()
