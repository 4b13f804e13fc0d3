import math

import pytest

from warmer.errors import ScoreError
from warmer.index import Coefficients
from warmer.steering.scores import parse_scores


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
    with pytest.raises(ScoreError, match=r"not a hit of this search: its hits are 1, 2$"):
        parse_scores({key: 5}, {1, 2})


def test_no_scores_and_double_scores_are_refused() -> None:
    with pytest.raises(ScoreError, match="empty"):
        parse_scores({}, {1})
    with pytest.raises(ScoreError, match="hit 1 is scored twice"):
        parse_scores({"1": 5, " 1": 6}, {1})


@pytest.mark.parametrize("bad", [(0, 1, 1), (-1, 1, 1), (1, -0.1, 1), (math.nan, 1, 1), (1, 1, math.inf)])
def test_coefficients_that_the_engine_would_misread_are_refused(bad: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match="a > 0"):
        Coefficients(*bad)
