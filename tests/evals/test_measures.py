import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from warmer_evals.measures import measure, residual

GRADES = st.dictionaries(st.sampled_from("abcdefghij"), st.integers(0, 3), min_size=1)
LISTS = st.permutations("abcdefghij").flatmap(lambda ids: st.integers(0, 10).map(lambda n: ids[:n]))


@given(GRADES, LISTS, st.integers(1, 10), st.integers(1, 3))
def test_measures_match_the_textbook_definitions(
    grades: dict[str, int], ranked: list[str], n: int, relevant: int
) -> None:
    figures = measure({"q": grades}, {"q": ranked}, n, relevant)
    if not any(grades.values()):
        assert figures == {}
        return
    gains = [grades.get(id_, 0) for id_ in ranked]
    ideal = sorted(grades.values(), reverse=True)
    discounted, best = (sum(g / math.log2(r + 2) for r, g in enumerate(x[:n])) for x in (gains, ideal))
    hits = [gain >= relevant for gain in gains]
    total = sum(grade >= relevant for grade in grades.values())
    found = figures["q"]
    assert found["ndcg"] == pytest.approx(discounted / best)
    assert found["precision"] == pytest.approx(sum(hits[:n]) / n)
    if total:
        assert found["recall_50"] == pytest.approx(sum(hits) / total)
        assert found["ap"] == pytest.approx(
            sum(sum(hits[: r + 1]) / (r + 1) for r, hit in enumerate(hits) if hit) / total
        )
    else:
        assert np.isnan([found["recall_50"], found["ap"]]).all()


def test_scored_documents_are_removed_from_the_judgments() -> None:
    qrels = {"q": {"a": 1, "b": 2}, "r": {"a": 1}}
    left = residual(qrels, {"q": ["b", "z"], "r": ["a"]})
    assert left == {"q": {"a": 1}, "r": {}}
    assert set(measure(left, {"q": ["a"], "r": ["b"]}, 10)) == {"q"}


def test_an_empty_list_measures_zero() -> None:
    assert measure({"q": {"a": 1}}, {"q": []}, 10)["q"]["ndcg"] == 0
    assert measure({"q": {"a": 1}}, {}, 10) == {}
