"""Hits to skim: what of a passage answers best."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warmer_tools.skim import LIMIT, skim, weigh

FILLER = "Other matters are told here at some length. " * 12
ANSWER = "A payload index is created with create_payload_index before the filter is used."
TERMS = weigh([("how is a payload index created", 1.0)])
SCRIPTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=600)
MIXED = st.lists(
    st.sampled_from(
        [
            "payload",
            "index",
            "e.g.",
            "Fig. 3",
            "3.5",
            "。",
            "向量索引",
            "👩‍👩‍👧",
            "e\u0301",
            "\n\n",
            "- ",
            " ",
            ", ",
            ". ",
            "x" * 90,
            "| a |",
            "| --- |",
            "====",
        ]
    ),
    max_size=120,
).map("".join)
TEXTS = st.one_of(SCRIPTS, MIXED, st.tuples(MIXED, SCRIPTS).map(" ".join))


def plain(text: str) -> str:
    return " ".join(text.split())


def unruled(text: str) -> str:
    """Put a text on one line, without the lines of tables: no skim shows rules, and empty cells seldom."""
    return plain(re.sub(r"[-=_~*+]{3,}[-=_~*+|: ]*", " ", text).replace("|", " "))


def test_a_short_passage_is_shown_itself() -> None:
    text = "- one\n- two\n\n    three"
    assert skim(f"\n{text}\n", TERMS) == text


def test_white_space_alone_does_not_make_a_passage_long() -> None:
    assert skim("one" + " \n" * 200 + "two", TERMS) == "one two"


def test_what_answers_is_shown_wherever_it_stands() -> None:
    for text in (ANSWER + " " + FILLER, FILLER + ANSWER, FILLER + ANSWER + " " + FILLER):
        assert ANSWER in skim(text, TERMS, title="Indexes")


def test_cuts_are_marked() -> None:
    assert skim(FILLER + ANSWER + " " + FILLER, TERMS, title="Indexes").startswith(f"… {ANSWER}")
    assert skim(FILLER + ANSWER + " " + FILLER, TERMS, title="Indexes").endswith(" …")
    assert skim(FILLER + ANSWER, TERMS, title="Indexes").endswith(ANSWER)


def test_without_a_word_in_common_the_beginning_is_shown() -> None:
    shown = skim(FILLER, {}, title="Indexes")
    assert FILLER.startswith(shown.removesuffix(" …"))
    assert shown.endswith("length. …")


def test_words_count_once_however_often_they_stand() -> None:
    common = "The index of vectors is an index, and vectors have an index. " * 4
    rare = "Memory mapping keeps the index of vectors on disk. "
    terms = weigh([("vectors index memory mapping", 1.0)])
    assert "Memory mapping" in skim(common + rare + common, terms, 120, title="Storage")


def test_what_the_title_says_counts_less() -> None:
    again = "Payload indexes are about the payload index, and about indexes of payload. "
    told = "Creation takes a lock while segments are written. "
    terms = weigh([("payload index creation lock", 1.0)])
    assert "lock" in skim(again * 4 + told + again * 4, terms, 90, title="Payload index")


def test_the_lines_of_tables_cost_nothing() -> None:
    table = "| setting | value |\n| --- | --- |\n| | |\n| payload | index |\n" + FILLER
    assert skim(table, TERMS, title="Settings").startswith("| setting | value | payload | index | Other")


def test_words_are_found_in_scripts_without_spaces() -> None:
    filler = "用户可以在这里设置其他参数。" * 20
    answer = "没有向量索引时会报错。"
    terms = weigh([("如何建立向量索引", 1.0)])
    assert answer in skim(filler + answer + filler, terms, 80, title="索引")


def test_sentences_are_not_ended_by_abbreviations() -> None:
    text = FILLER + "See e.g. Fig. 3 by Dr. Smith et al. (1975), where the payload index grows 3.5 times. " + FILLER
    assert "… See e.g. Fig. 3 by Dr. Smith et al. (1975), where the payload index grows 3.5 times." in skim(
        text, TERMS, title="Indexes"
    )


@pytest.mark.parametrize("text", ["| " * 9000, ": " * 9000, "-" * 9000, "字" * 9000, "a\n" * 9000, " " * 9000 + "a"])
def test_texts_that_are_no_prose_fit_too(text: str) -> None:
    assert len(skim(text, TERMS | weigh([("字字 a", 1.0)]))) <= LIMIT


@pytest.mark.parametrize(
    "text", ["x" * 5000, "e\u0301" * 2500, "👩‍👩‍👧" * 900, "字" * 5000, "https://a.b/" + "c" * 5000]
)
def test_lines_without_an_end_are_cut_between_characters(text: str) -> None:
    shown = skim(text, TERMS).removesuffix(" …")
    assert LIMIT * 0.9 < len(shown) < LIMIT
    assert text.startswith(shown)
    after = text[len(shown)]
    assert not unicodedata.combining(after)
    assert "\u200d" not in (after, shown[-1])


def test_of_a_book_the_beginning_is_read() -> None:
    assert skim("word " * 500_000, TERMS).endswith(" …")
    assert skim("word " * 2395 + "payload index " * 1000, TERMS, title="A book").endswith(" …")


@given(TEXTS, st.integers(1, 300), st.sampled_from(["", "A payload", "Indexes"]))
def test_a_skim_is_made_of_the_passage_and_fits(text: str, limit: int, title: str) -> None:
    shown = skim(text, TERMS, limit, title)
    assert len(shown) <= limit
    assert shown == skim(text, TERMS, limit, title)
    if len(text.strip()) <= limit:
        assert shown == text.strip()
        return
    at, whole = 0, unruled(text).replace(" ", "")
    for part in (unruled(part).replace(" ", "") for part in shown.split("…")):
        if part and "…" not in text:
            at = whole.index(part, at) + len(part)


@given(MIXED, st.integers(60, 300))
def test_no_word_is_cut_that_can_be_kept(text: str, limit: int) -> None:
    words = set(unruled(text).split())
    if len(text.strip()) > limit and all(len(word) < limit // 4 for word in words):
        for word in skim(text, TERMS, limit, "T").replace("…", " ").replace("|", " ").split():
            assert word in words or any(character >= "\u2e80" for character in word)
