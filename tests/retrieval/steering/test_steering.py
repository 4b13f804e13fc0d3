import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from warmer.errors import ScoreError
from warmer.index import Coefficients
from warmer.steering.feedback import steer
from warmer.steering.lexical import steered_words
from warmer.steering.params import OFF, Params
from warmer.steering.scores import parse_scores

E1, E2, E3 = np.eye(3, dtype=np.float32)
PARAMS = Params()


def test_scores_are_read_by_hit_number() -> None:
    assert parse_scores({"1": 9, "2": "3.5", " 3 ": 0}, {1, 2, 3}) == {1: 9, 2: 3.5, 3: 0}


@pytest.mark.parametrize("value", [True, None, "high", "", "nan", "1_0", "٣", [3], {}])
@pytest.mark.parametrize("number", [math.nan, math.inf, -0.1, 10.1, 10**400])
def test_what_is_no_score_is_refused_by_hit_and_value(value: object, number: float) -> None:
    for bad in value, number:
        with pytest.raises(ScoreError, match=r"score of hit 2 .* from 0 to 10"):
            parse_scores({"1": 5, "2": bad}, {1, 2})


@pytest.mark.parametrize("key", ["0", "-1", "3", "one", "1.0", "", "٣", "9" * 30])
def test_what_is_no_hit_is_refused_with_the_hits_there_are(key: str) -> None:
    with pytest.raises(ScoreError, match=r"no hit of this search: its hits are 1, 2$"):
        parse_scores({key: 5}, {1, 2})


def test_no_scores_and_double_scores_are_refused() -> None:
    with pytest.raises(ScoreError, match="empty"):
        parse_scores({}, {1})
    with pytest.raises(ScoreError, match="hit 1 is scored twice"):
        parse_scores({"1": 5, " 1": 6}, {1})


def test_one_score_steers() -> None:
    steering = steer(E1, [("a", E2, 0.9)], PARAMS)
    assert steering
    assert [(item.id, item.score) for item in steering.items] == [(None, PARAMS.neutral), ("a", 0.9)]


def test_equal_scores_steer_by_the_query() -> None:
    assert steer(E1, [("a", E2, 0.0), ("b", E3, 0.0)], PARAMS)


def test_neutral_scores_say_nothing() -> None:
    assert steer(E1, [("a", E2, PARAMS.neutral), ("b", E3, PARAMS.neutral)], PARAMS) is None
    assert steer(E1, [], PARAMS) is None


def test_rounding_makes_no_signal() -> None:
    assert steer(E1, [("a", E2, 0.04), ("b", E2.copy(), 2 * PARAMS.neutral - 0.04)], PARAMS) is None


def test_a_copy_adds_nothing() -> None:
    once, twice = (
        steer(E1, [("a", E2, 0.9), *copies, ("c", E3, 0.1)], PARAMS) for copies in ([], [("b", E2.copy(), 0.9)])
    )
    assert once
    assert twice
    assert once.coefficients == twice.coefficients
    assert len(once.items) == len(twice.items) == 3


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12), st.floats(0, 3), st.floats(0.01, 3))
def test_the_step_grows_with_the_root_of_the_number_of_scores_alone(scores: list[float], b: float, c: float) -> None:
    rng = np.random.default_rng(0)
    scored = [(str(n), rng.normal(size=8).astype(np.float32), score) for n, score in enumerate(scores)]
    steering = steer(np.ones(8, np.float32), scored, Params(b=b, c=c))
    if steering is None:
        assert set(scores) == {Params().neutral}
        return
    gaps = [abs(x.score - y.score) for n, x in enumerate(steering.items) for y in steering.items[:n]]
    assert steering.coefficients.c * sum(gap**b for gap in gaps if gap) <= c * math.sqrt(len(scores) / 5) * (1 + 1e-9)


@pytest.mark.parametrize("bad", [(0, 1, 1), (-1, 1, 1), (1, -0.1, 1), (math.nan, 1, 1), (1, 1, math.inf)])
def test_coefficients_that_the_engine_would_misread_are_refused(bad: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match="a > 0"):
        Coefficients(*bad)


def test_bad_hits_alone_move_half_as_far() -> None:
    query, bad = np.eye(4, dtype=np.float32)[:2]
    bold = steer(query, [("1", bad, 0.0)], Params(caution=1.0))
    careful = steer(query, [("1", bad, 0.0)], PARAMS)
    good = steer(query, [("1", bad, PARAMS.neutral + 0.1)], PARAMS)
    assert bold and careful and good
    assert careful.coefficients.c == pytest.approx(bold.coefficients.c / 2)
    assert careful.weights["1"] == pytest.approx(bold.weights["1"] / 2)
    assert good.weights["1"] > 0 > careful.weights["1"]


def test_words_are_weighed_by_how_far_scores_are_from_neutral() -> None:
    vectors = np.eye(4, dtype=np.float32)
    steering = steer(
        vectors[0], [("a", vectors[1], 1.0), ("b", vectors[2], 0.0), ("c", vectors[3], PARAMS.neutral)], PARAMS
    )
    assert steering
    assert steering.weights == pytest.approx(
        {"a": PARAMS.words * (1 - PARAMS.neutral), "b": -PARAMS.words * PARAMS.neutral, "c": 0}
    )
    words = steering.lexical("query", {"a": "text of a", "c": "text of c"})
    assert words == steered_words("query", [("text of a", steering.weights["a"]), ("text of c", steering.weights["c"])])


def test_feedback_that_is_off_does_not_steer() -> None:
    vectors = np.eye(3, dtype=np.float32)
    assert steer(vectors[0], [("a", vectors[1], 1.0), ("b", vectors[2], 0.0)], OFF) is None
