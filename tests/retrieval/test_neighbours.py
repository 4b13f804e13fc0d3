import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from warmer.index import Hit
from warmer.index.neighbours import regularize


def hits(scores: list[float], seed: int = 0) -> list[Hit]:
    rng = np.random.default_rng(seed)
    return [Hit(str(n), score, {}, rng.normal(size=8).astype(np.float32)) for n, score in enumerate(scores)]


def test_what_lies_among_good_candidates_overtakes_what_lies_alone() -> None:
    here, there = np.eye(2, dtype=np.float32)
    crowd = [Hit(f"crowd {n}", 2 - n / 100, {}, here) for n in range(9)]
    alone = Hit("alone", 2.0, {}, there)
    crowded = Hit("crowded", 1.9, {}, here)
    others = [Hit(f"other {n}", 0.0, {}, there) for n in range(9)]
    order = [hit.id for hit in regularize([*crowd, alone, crowded, *others], 0.7)]
    assert order.index("crowded") < order.index("alone")


@given(st.lists(st.floats(-9, 9), max_size=20), st.integers(0, 9))
def test_no_weight_changes_nothing_and_any_weight_loses_nothing(scores: list[float], seed: int) -> None:
    candidates = hits(sorted(scores, reverse=True), seed)
    assert regularize(candidates, 0.0) == candidates
    ranked = regularize(candidates, 0.7)
    assert {hit.id for hit in ranked} == {hit.id for hit in candidates}
    assert [hit.score for hit in ranked] == sorted((hit.score for hit in ranked), reverse=True)


@given(st.lists(st.floats(-9, 9), min_size=2, max_size=20), st.floats(0.1, 9), st.floats(-9, 9))
def test_the_scale_of_scores_does_not_matter(scores: list[float], scale: float, shift: float) -> None:
    candidates = hits(sorted((round(score, 3) for score in scores), reverse=True))
    moved = hits([scale * hit.score + shift for hit in candidates])
    one = {hit.id: hit.score for hit in regularize(candidates, 0.5)}
    for hit in regularize(moved, 0.5):
        assert abs(hit.score - scale * one[hit.id] - 1.5 * shift) < 1e-6
