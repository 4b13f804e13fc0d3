import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from warmer.steering.regularization import best, regularize
from warmer.vectors import Vector

SCORES = st.lists(st.floats(-9, 9).map(lambda score: round(score, 3)), min_size=1, max_size=20)


def vectors(number: int, seed: int = 0) -> Vector:
    return np.random.default_rng(seed).normal(size=(number, 8)).astype(np.float32)


def test_what_lies_among_good_candidates_overtakes_what_lies_alone() -> None:
    here, there = np.eye(2, dtype=np.float32)
    scores = np.array([*(2 - n / 100 for n in range(9)), 2.0, 1.9, *(0.0 for _ in range(9))])
    among = np.stack([*(here for _ in range(9)), there, here, *(there for _ in range(9))])
    order = best(regularize(scores, among, 0.7), len(scores))
    assert order.index(10) < order.index(9)


@given(SCORES, st.integers(0, 9))
def test_no_weight_changes_nothing(scores: list[float], seed: int) -> None:
    assert regularize(np.array(scores), vectors(len(scores), seed), 0.0).tolist() == scores


@given(SCORES, st.integers(0, 25))
def test_the_best_are_the_highest_and_equals_stay_in_order(scores: list[float], limit: int) -> None:
    assert best(np.array(scores), limit) == sorted(range(len(scores)), key=lambda n: (-scores[n], n))[:limit]


@given(SCORES, st.integers(0, 9))
def test_rounding_does_not_change_the_order(scores: list[float], seed: int) -> None:
    exact = np.array(scores)
    rounded = exact + np.random.default_rng(seed).uniform(-1e-6, 1e-6, len(scores))
    assert best(rounded, len(scores)) == best(exact, len(scores))


@given(SCORES, st.floats(0.1, 9), st.floats(-9, 9))
def test_the_scale_of_scores_does_not_matter(scores: list[float], scale: float, shift: float) -> None:
    near = vectors(len(scores))
    moved = regularize(scale * np.array(scores) + shift, near, 0.5)
    expected = scale * regularize(np.array(scores), near, 0.5) + shift * (1.5 if len(scores) > 1 else 1)
    assert np.allclose(moved, expected, atol=1e-6)
