import numpy as np
import pytest
import qdrant_edge
from hypothesis import given
from hypothesis import strategies as st

from warmer.index import joined
from warmer.steering.fusion import fuse
from warmer.steering.lexical import ADDED, READ, steered_words
from warmer.steering.regularization import best

SCORES = st.dictionaries(st.sampled_from("abcdefgh"), st.floats(-5, 5), min_size=1)


def weights(text: str, *passages: tuple[str, float]) -> dict[int, float]:
    words = steered_words(text, passages)
    assert words.indices == sorted(set(words.indices))
    return dict(zip(words.indices, words.values, strict=True))


def only(word: str) -> int:
    (index,) = qdrant_edge.Bm25().embed_query(word).indices
    return int(index)


def test_without_passages_every_word_counts_once() -> None:
    assert weights("bread rising") == {only("bread"): 1.0, only("rising"): 1.0}
    assert weights("?!") == {}


def test_words_of_good_passages_are_added_and_those_of_bad_ones_taken_off() -> None:
    found = weights("bread", ("sourdough bread", 1.0), ("bread knife", -0.5))
    document = qdrant_edge.Bm25().embed_document("sourdough bread")
    share = document.values[0] / np.linalg.norm(document.values)
    assert found[only("sourdough")] == pytest.approx(share, rel=1e-3)
    assert 1 < found[only("bread")] < 1 + share
    assert only("knife") not in found


def test_a_word_of_the_query_is_never_lost() -> None:
    assert weights("bread", ("bread bread bread", -9.0)) == {only("bread"): 1.0}


def test_a_long_passage_adds_few_words() -> None:
    long = " ".join(f"word{n}" for n in range(300))
    assert len(weights("bread", (long, 1.0))) == ADDED + 1


def test_a_book_is_not_read_to_its_end() -> None:
    assert only("sourdough") not in weights("bread", ("x " * READ + "sourdough", 1.0))


@given(SCORES, SCORES, st.floats(0, 1))
def test_fusion_adds_standardised_scores(dense: dict[str, float], lexical: dict[str, float], share: float) -> None:
    candidates = joined(dense, lexical)
    fused = dict(zip(candidates.ids, fuse(candidates, share).tolist(), strict=True))
    legs = [[dense[id_] for id_ in dense], [lexical.get(id_, 0.0) for id_ in dense]]
    expected = dict.fromkeys(dense, 0.0)
    for leg, weight in zip(legs, (1 - share, share), strict=True):
        for id_, score in zip(dense, leg, strict=True):
            if np.std(leg) > 0:
                expected[id_] += float(weight * (score - np.mean(leg)) / np.std(leg))
    assert fused == pytest.approx(expected, abs=1e-6)
    assert fuse(joined({}, lexical), share).size == 0


def test_what_one_leg_found_is_scored_by_the_other() -> None:
    dense = {"a": 0.9, "b": 0.8, "c": 0.1}
    found = joined(dense, {"b": 3.0, "c": 2.9})
    assert [found.ids[n] for n in best(fuse(found, 0.5), 3)] == ["b", "a", "c"]
    assert [found.ids[n] for n in best(fuse(found, 0.0), 3)] == ["a", "b", "c"]
