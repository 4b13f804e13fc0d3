import numpy as np
import pytest
import qdrant_edge
from hypothesis import given
from hypothesis import strategies as st

from warmer.index import joined
from warmer.index.bm25 import READ
from warmer.steering.fusion import fuse
from warmer.steering.lexical import ADDED, mixed_words, moved_words
from warmer.steering.params import Params
from warmer.steering.regularization import best
from warmer.steering.wording import Kind, Wording

DEFAULTS = Params()
SCORES = st.dictionaries(st.sampled_from("abcdefgh"), st.floats(-5, 5), min_size=1)


def weights(text: str, *passages: tuple[str, float]) -> dict[int, float]:
    return mixed([("query", text)], *passages)


def mixed(said: list[tuple[Kind, str]], *passages: tuple[str, float], params: Params = DEFAULTS) -> dict[int, float]:
    """Weigh the words of wordings (kind, text), one a turn, and of scored passages."""
    wordings = [Wording(kind, text, np.ones(2, np.float32), turn) for turn, (kind, text) in enumerate(said)]
    words = mixed_words(wordings, params, passages)
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


WEIGHTS: list[tuple[Kind, float]] = [
    ("passage", Params().passage), ("rewording", Params().rewording), ("query", Params().rewording), ("avoid", 0.0)
]  # fmt: skip


@pytest.mark.parametrize(("kind", "weight"), WEIGHTS)
def test_a_wording_has_the_mass_of_the_first_one_times_its_weight(kind: Kind, weight: float) -> None:
    long = " ".join(f"word{n}" for n in range(50))
    found = mixed([("query", "bread rising"), (kind, long)])
    assert found.pop(only("bread")) == found.pop(only("rising")) == 1
    assert sum(found.values()) == pytest.approx(2 * weight)
    assert len(found) == (50 if weight else 0)
    again = mixed([("query", "bread rising"), (kind, "bread")])
    assert again == pytest.approx({only("bread"): 1 + 2 * weight, only("rising"): 1})


def test_where_the_first_wording_has_no_words_the_others_count_as_they_are() -> None:
    assert mixed([("query", "?!"), ("rewording", "bread")]) == {only("bread"): Params().rewording}
    assert mixed([("query", "bread"), ("rewording", "?!")]) == {only("bread"): 1}


def test_the_weights_are_those_of_the_parameters() -> None:
    params = Params(passage=0.75, rewording=0.5)
    found = mixed([("query", "bread"), ("passage", "yeast"), ("rewording", "loaf")], params=params)
    assert found == {only("bread"): 1, only("yeast"): 0.75, only("loaf"): 0.5}


def test_only_words_that_stand_out_well_are_added() -> None:
    added = dict(moved_words([("sourdough bread", 1.0), ("bread knife", -2.0)]))
    assert set(added) == {only("sourdough")}
    assert moved_words([]) == moved_words([("bread", -1.0)]) == []


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
