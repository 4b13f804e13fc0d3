"""One sentence on what pays now: each is reached, by scores and by what is left."""

import pytest

from warmer_tools import advice

NEW = [31, 32]
NOTHING_LEFT = "Nothing new is left: answer from `ranking`, or search in other words."
LOW = "The last scores are low, so more is unlikely: answer from `ranking`, or reword."
USELESS = "Nothing useful in {} hits: reword, or search for another side of the question."
NOT_GOOD = "Nothing good yet: add rewordings to the scores of the new hits."
GO_ON = "Score the new hits, with rewordings for what is missing; or answer from `ranking` and what is new."


@pytest.mark.parametrize(
    ("scores", "unscored", "said"),
    [
        ([9, 0], [], NOTHING_LEFT),
        ([], [], NOTHING_LEFT),
        ([], NEW, GO_ON),
        ([9, 0], NEW, GO_ON),
        ([5] + 8 * [0], NEW, GO_ON),
        ([4.5, 0], NEW, NOT_GOOD),
        ([2] * 9, NEW, NOT_GOOD),
        ([2.5] * 10, NEW, USELESS.format(10)),
        ([2] * 19, NEW, USELESS.format(19)),
        ([3] + 9 * [0], NEW, NOT_GOOD),
        ([10] + 18 * [0], NEW, GO_ON),
        ([10] + 19 * [0], NEW, LOW),
        ([0] * 20, NEW, LOW),
        ([3] * 20, NEW, NOT_GOOD),
        ([9] * 10 + [2.9] * 20, NEW, LOW),
        ([0] * 30 + [9] * 15 + [0] * 12, NEW, GO_ON),
        ([9] * 30 + [2] * 30, NEW, LOW),
        ([9] * 30 + [2] * 30, [], NOTHING_LEFT),
    ],
)
def test_scores_decide_what_is_advised(scores: list[float], unscored: list[int], said: str) -> None:
    assert advice.after_scores(scores, unscored) == said


def test_the_order_of_scores_counts_as_shown() -> None:
    assert advice.after_scores([9] * 10 + [0] * 30, NEW) == LOW
    assert advice.after_scores([0] * 30 + [9] * 10, NEW) == GO_ON


def test_what_did_not_steer_is_explained() -> None:
    assert "they do not steer" in advice.unsteered("off")
    assert advice.unsteered("no_signal") == (
        "All scores are neutral, which tells nothing: spread them, or add rewordings."
    )


def test_what_was_deleted_is_named() -> None:
    assert advice.gone([]) == ""
    assert advice.gone([7, 3]) == "Deleted from the collection meanwhile: hits 3, 7; their scores still count. "


def test_each_sentence_is_short() -> None:
    for said in (advice.FIRST, advice.NOTHING, advice.READ, NOTHING_LEFT, LOW, USELESS, NOT_GOOD, GO_ON):
        assert len(said) < 115
        assert said.count(". ") == 0
