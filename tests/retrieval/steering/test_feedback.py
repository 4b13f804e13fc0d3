"""Scores to weights, and weights to Qdrant's feedback query."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from warmer.index import DenseQuery
from warmer.steering.feedback import Example, Feedback, dense_query, equivalent_query, neutral_score, weigh
from warmer.steering.params import OFF, Params
from warmer.vectors import TextQuery, Vector, unit

DIM = 24
PARAMS = Params()
AXES = np.eye(DIM, dtype=np.float32)
SCORES = st.lists(st.integers(0, 10).map(lambda score: score / 10), min_size=1, max_size=40)
LEFT = 0.05  # of the query, whatever the scores


def examples(scores: list[float], seed: int = 0) -> list[Example]:
    vectors = np.random.default_rng(seed).normal(size=(len(scores), DIM)).astype(np.float32)
    return [Example(str(n), vector, score) for n, (vector, score) in enumerate(zip(vectors, scores, strict=True))]


def topic(number: int, score: float, axis: int, spread: float = 0.05) -> list[Example]:
    """Make hits that are all but copies of each other."""
    noise = np.random.default_rng(axis).normal(size=(number, DIM)) * spread
    return [Example(f"{axis}-{n}", (AXES[axis] + noise[n]).astype(np.float32), score) for n in range(number)]


def moves(feedback: Feedback) -> NDArray[np.float64]:
    """What is added to the query, shape (dim,)."""
    added: NDArray[np.float64] = feedback.weights @ unit(np.stack([one.vector for one in feedback.examples]))
    return added


def query(seed: int = 1) -> Vector:
    drawn: Vector = np.random.default_rng(seed).normal(size=DIM).astype(np.float32)
    return drawn


@given(SCORES, st.integers(0, 99), st.floats(0, 3), st.floats(0.1, 5), st.floats(0, 1), st.integers(0, 3))
def test_the_feedback_query_is_the_query_and_the_weighted_examples(
    scores: list[float], seed: int, c: float, ridge: float, avoid: float, aside: int
) -> None:
    feedback = weigh(examples(scores, seed), Params(c=c, ridge=ridge))
    texts = [(query(seed + 2 + n), -avoid) for n in range(aside)]
    asked = dense_query(query(seed), feedback, texts)
    total = feedback.weights.sum() - avoid * aside
    assert asked.coefficients.a > 0
    assume(total > -1 + LEFT)  # below, no vector of the formula's is left of the query
    expected = unit(query(seed)) + moves(feedback) + sum(weight * unit(vector) for vector, weight in texts)
    assert equivalent_query(asked) == pytest.approx(expected, abs=1e-4)


@given(st.integers(1, 60), st.integers(0, 99), st.floats(0, 5))
def test_no_number_of_zeros_takes_away_the_query(number: int, seed: int, c: float) -> None:
    feedback = weigh(examples([0.0] * number, seed), Params(c=c))
    asked = dense_query(query(seed), feedback, [(query(seed + 1), -0.5)] * 3)
    assert asked.coefficients.a >= LEFT - 1e-9
    assert np.isfinite(equivalent_query(asked)).all()


def test_zeros_push_away() -> None:
    feedback = weigh([Example(str(n), AXES[n], 0.0) for n in range(1, 16)], PARAMS)
    assert (feedback.weights < 0).all()
    moved = equivalent_query(dense_query(AXES[0], feedback))
    assert moved[0] > 0 > moved[1:16].max()


def test_one_score_steers() -> None:
    asked = dense_query(AXES[0], weigh([Example("a", AXES[1], 0.9)], PARAMS))
    assert [item.id for item in asked.items] == [None, "a"]
    assert asked.items[1].score > 0
    assert sum(item.score for item in asked.items) == pytest.approx(0)


def test_neutral_scores_say_nothing() -> None:
    said = weigh([Example("a", AXES[1], PARAMS.neutral), Example("b", AXES[2], PARAMS.neutral)], PARAMS)
    assert said.silent
    assert weigh([], PARAMS).silent
    for feedback in said, weigh([], PARAMS):
        asked = dense_query(AXES[0], feedback)
        assert (asked.vector is AXES[0] or np.array_equal(np.asarray(asked.vector), AXES[0])) and not asked.items


def test_rounding_makes_no_signal() -> None:
    low, high = 0.04, 2 * PARAMS.neutral - 0.04
    assert weigh([Example("a", AXES[1], low), Example("b", AXES[1].copy(), high)], PARAMS).silent
    thirds = [Example(str(n), AXES[n], PARAMS.neutral + 0.1 + 0.2 - 0.3) for n in range(3)]
    assert weigh(thirds, PARAMS).silent


def test_a_copy_adds_nothing() -> None:
    once, twice = (
        weigh([Example("a", AXES[1], 0.9), *copies, Example("c", AXES[2], 0.1)], PARAMS)
        for copies in ([], [Example("b", AXES[1].copy(), 0.9)])
    )
    assert once.weights == pytest.approx(twice.weights)
    assert [one.id for one in twice.examples] == ["a", "c"]


def test_feedback_that_is_off_does_not_steer() -> None:
    assert weigh([Example("a", AXES[1], 1.0), Example("b", AXES[2], 0.0)], OFF).silent


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40), st.floats(0, 1))
def test_the_neutral_score_is_among_the_scores_and_the_default(scores: list[float], default: float) -> None:
    found = neutral_score(np.array(scores), default)
    assert min(*scores, default) - 1e-9 <= found <= max(*scores, default) + 1e-9


def test_a_high_mean_is_believed_sooner_than_a_low_one() -> None:
    high, low = neutral_score(np.full(5, 0.7), 0.5), neutral_score(np.full(5, 0.3), 0.5)
    assert 0.7 - high < 0.03
    assert low - 0.3 > 0.09


@pytest.mark.parametrize("score", [0.5, 0.6, 0.7, 0.8, 1.0])
def test_scores_that_are_all_the_same_leave_the_query_nearly_as_it_was(score: float) -> None:
    feedback = weigh(examples([score] * 15), PARAMS)
    assert np.abs(feedback.weights).max() < 0.02
    moved = equivalent_query(dense_query(query(), feedback))
    assert float(unit(moved) @ unit(query())) > 0.995


def test_hits_of_one_topic_share_their_weight() -> None:
    def towards(number: int) -> float:
        good, bad = topic(number, 0.9, 1), [Example(f"bad {n}", AXES[5 + n], 0.1) for n in range(number)]
        return float(moves(weigh([*good, *bad], replace(PARAMS, neutral=0.5)))[1])

    assert 0 < towards(3) < towards(10) < 1.6 * towards(3)


def test_hits_of_several_topics_count_each_for_itself() -> None:
    alike = weigh([*topic(3, 0.9, 1), *topic(3, 0.1, 2)], PARAMS)
    several = weigh([Example(str(n), AXES[n], 0.9 if n < 3 else 0.1) for n in range(6)], PARAMS)
    assert several.weights[:3].sum() > 1.5 * alike.weights[:3].sum() > 0


def test_better_hits_weigh_more_and_c_scales_them() -> None:
    scored = [Example(str(n), AXES[n], score) for n, score in enumerate([0.0, 0.4, 0.8, 1.0])]
    weights = weigh(scored, PARAMS).weights
    assert (np.diff(weights) > 0).all()
    assert weigh(scored, replace(PARAMS, c=2 * PARAMS.c)).weights == pytest.approx(2 * weights)
    assert np.abs(weigh(scored, replace(PARAMS, ridge=50.0)).weights).max() < np.abs(weights).max() / 5


def test_a_query_that_the_engine_embeds_is_an_example_as_text() -> None:
    text = TextQuery("why", "cloud/model")
    asked = dense_query(text, weigh([Example("a", AXES[1], 1.0)], PARAMS))
    assert asked.vector == asked.items[0].vector == text
    assert isinstance(asked, DenseQuery)


def test_many_bad_hits_and_much_to_avoid_push_away_all_the_same() -> None:
    bad = [Example(str(n), AXES[n], 0.0) for n in range(15)]
    aside = [(AXES[n], -PARAMS.avoid) for n in range(15, 18)]
    moved = equivalent_query(dense_query(AXES[20], weigh(bad, PARAMS), aside))
    assert (moved[:18] < 0).all()
    assert moved[15:18] == pytest.approx(-PARAMS.avoid, abs=1e-5)
    assert moved[20] > 0
