"""Near copies: shown once, and counted."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from warmer.index import Hit
from warmer.steering.copies import Known, without_copies
from warmer.vectors import Vector

AXES = np.eye(3, dtype=np.float32)
TEXT = "the yeast in the dough makes gas that the gluten keeps inside the loaf while it is baked"


def hit(id_: str, vector: Vector = AXES[0], text: str = TEXT) -> Hit:
    return Hit(id_, 1.0, {"text": text, "title": ""}, vector)


def shown(hits: list[Hit], *known: Hit, limit: int = 99) -> list[tuple[str, int]]:
    before = [Known(one.id, one.vector, one.passage) for one in known]
    return [(one.id, one.copies) for one in without_copies(hits, before, limit)]


def test_the_best_of_some_copies_stands_for_all() -> None:
    close = (AXES[0] + 0.1 * AXES[1]).astype(np.float32)
    assert shown([hit("a"), hit("b", close), hit("c", text="other words"), hit("d")]) == [("a", 2), ("c", 0)]


def test_copies_below_the_limit_are_counted_and_others_take_their_place() -> None:
    others = [hit(f"o{n}", text=f"something else {n}") for n in range(3)]
    assert shown([hit("a"), hit("b"), *others, hit("c")], limit=2) == [("a", 2), ("o0", 0)]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (TEXT, TEXT.upper() + "!", True),
        (TEXT + " 1.2", TEXT + " 1.3", False),
        (TEXT + " 2", TEXT, False),
        ("call assert_called on it", "call assert_called_once on it", False),
        (TEXT, TEXT.replace("gas", "air").replace("loaf", "bread"), False),
        (" ".join(f"w{chr(97 + n)}" for n in range(26)), " ".join(f"w{chr(97 + n)}" for n in range(25)), True),
        ("", "", False),
    ],
)
def test_the_same_words_and_numbers_make_a_copy(one: str, other: str, same: bool) -> None:
    apart = [("a", 0), ("b", 0)]
    assert shown([hit("a", text=one), hit("b", text=other)]) == ([("a", 1)] if same else apart)
    assert shown([hit("b", text=other), hit("a", text=one)]) == ([("b", 1)] if same else apart[::-1])


def test_the_same_words_elsewhere_in_meaning_are_no_copy() -> None:
    assert shown([hit("a"), hit("b", AXES[1])]) == [("a", 0), ("b", 0)]


def test_texts_that_are_not_known_make_no_copies() -> None:
    assert shown([hit("a", text=""), hit("b", text="")]) == [("a", 0), ("b", 0)]


def test_a_copy_of_what_was_scored_is_left_out_and_the_scored_point_is_not() -> None:
    assert shown([hit("b"), hit("c", text="other words")], hit("a")) == [("c", 0)]
    assert shown([hit("b"), hit("a")], hit("a")) == [("a", 0)]
    assert shown([hit("a"), hit("b")], hit("a")) == [("a", 1)]


def test_of_two_scored_copies_one_is_shown_again() -> None:
    assert shown([hit("b"), hit("a")], hit("a"), hit("b")) == [("b", 1)]


def test_nothing_found_is_nothing_shown() -> None:
    assert shown([hit("b")], hit("a")) == []


@given(
    st.lists(st.tuples(st.integers(0, 2), st.sampled_from(["one text", "another text"])), max_size=12),
    st.integers(1, 9),
)
def test_every_hit_is_shown_or_counted_once(drawn: list[tuple[int, str]], limit: int) -> None:
    hits = [hit(str(n), AXES[axis], text) for n, (axis, text) in enumerate(drawn)]
    if not hits:
        return
    kept = without_copies(hits, [], limit)
    groups = list(dict.fromkeys(drawn))[:limit]
    assert [(one.id, 1 + one.copies) for one in kept] == [(str(drawn.index(g)), drawn.count(g)) for g in groups]
    assert [replace(one, copies=0) for one in kept] == [hits[drawn.index(group)] for group in groups]
