"""A thread to one query."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from warmer.index.bm25 import query_words
from warmer.steering.feedback import Example, equivalent_query, weigh
from warmer.steering.lexical import mixed_words
from warmer.steering.params import OFF, Params
from warmer.steering.target import target
from warmer.steering.thread import compose
from warmer.steering.wording import Kind, Wording
from warmer.vectors import TextQuery, unit

DIM = 6
AXES = np.eye(DIM, dtype=np.float32)
PARAMS = Params()
KINDS: list[Kind] = ["query", "rewording", "passage", "avoid"]


def said(kind: Kind, axis: int, turn: int = 0, length: float = 1.0) -> Wording:
    return Wording(kind, f"{kind} {axis}", AXES[axis] * length, turn)


def test_the_target_is_the_weighted_mix_of_directions() -> None:
    wordings = [said("query", 0), said("rewording", 1, length=9), said("passage", 2), said("query", 3, turn=1)]
    params = Params(passage=0.7, rewording=0.3)
    expected = unit(AXES[0] + 0.3 * AXES[1] + 0.7 * AXES[2] + 0.3 * AXES[3])
    assert np.asarray(target(wordings, params)) == pytest.approx(expected, abs=1e-6)


def test_what_to_avoid_is_no_part_of_the_target() -> None:
    assert np.asarray(target([said("query", 0), said("avoid", 1)], PARAMS)) == pytest.approx(AXES[0])


@given(st.floats(0.1, 9), st.lists(st.sampled_from(KINDS), max_size=4))
def test_the_target_is_as_long_as_the_first_query(length: float, kinds: list[Kind]) -> None:
    more = [said(kind, n + 1, turn=1, length=5) for n, kind in enumerate(kinds)]
    found = np.asarray(target([said("query", 0, length=length), *more], PARAMS))
    assert np.linalg.norm(found) == pytest.approx(length, rel=1e-5)
    if not more:
        assert found == pytest.approx(AXES[0] * length, rel=1e-6)


def test_one_wording_alone_is_asked_as_it_is() -> None:
    query = compose([said("query", 0)], PARAMS)
    assert np.asarray(query.dense.vector) == pytest.approx(AXES[0])
    assert not query.dense.items
    assert query.lexical == query_words("query 0")
    assert not query.steered
    assert compose([said("query", 0)], PARAMS, lexical=False).lexical is None


def test_scores_wordings_and_what_to_avoid_steer_together() -> None:
    wordings = [said("query", 0), said("rewording", 1, turn=1), said("avoid", 4, turn=1)]
    scored = [Example("a", AXES[2], 0.9, "text of a"), Example("b", AXES[3], 0.0, "text of b")]
    query = compose(wordings, PARAMS, scored)
    feedback = weigh(scored, PARAMS)
    aim = unit(np.asarray(target(wordings, PARAMS)))
    expected = aim + feedback.weights @ AXES[2:4] - PARAMS.avoid * AXES[4]
    assert equivalent_query(query.dense) == pytest.approx(expected, abs=1e-5)
    assert query.steered
    passages = zip(["text of a", "text of b"], PARAMS.words * feedback.weights, strict=True)
    assert query.lexical == mixed_words(wordings, PARAMS, passages)


def test_a_hit_whose_text_is_gone_steers_by_its_vector_alone() -> None:
    query = compose([said("query", 0)], PARAMS, [Example("a", AXES[2], 0.9)])
    assert query.steered
    assert query.lexical == query_words("query 0")


def test_avoiding_moves_away_without_any_score() -> None:
    query = compose([said("query", 0), said("avoid", 1)], PARAMS)
    assert equivalent_query(query.dense)[:2] == pytest.approx([1, -PARAMS.avoid], abs=1e-6)
    assert not query.steered


def test_feedback_that_is_off_leaves_the_wordings() -> None:
    wordings = [said("query", 0), said("passage", 1)]
    query = compose(wordings, OFF, [Example("a", AXES[2], 1.0, "text"), Example("b", AXES[3], 0.0, "text")])
    assert not query.steered
    assert not query.dense.items
    assert query.lexical == mixed_words(wordings, OFF)


def test_a_thread_that_the_engine_embeds_falls_back_to_its_first_query() -> None:
    first = TextQuery("why", "cloud/model")
    wordings = [
        Wording("query", "why", first),
        Wording("rewording", "how come", TextQuery("how come", "cloud/model"), 1),
    ]
    query = compose(wordings, PARAMS, [Example("a", AXES[2], 1.0)])
    assert query.dense.vector == query.dense.items[0].vector == first
    assert query.lexical == mixed_words(wordings, PARAMS)
