"""Titles of hits: shortened, and said once a section."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warmer_tools.titles import INNERMOST, share_titles, shorten_title


@pytest.mark.parametrize(
    ("path", "limit", "short"),
    [
        ("", 20, ""),
        ("Guide", 20, "Guide"),
        ("Guide > Guide > Install", 20, "Guide > Install"),
        ("Guide > Storage > Memory > Mapping", 30, "Guide > … > Memory > Mapping"),
        ("Guide > Storage > Memory > Mapping", 22, "Guide > … > Mapping"),
        ("A long guide to it all > Storage > Mapping", 26, "A long guide to… > Mapping"),
        ("A long guide to it all > Storage > Mapping", 18, "Mapping"),
        ("Guide > Storage", 8, "Storage"),
        ("Guide > A heading that is long", 20, "A heading that is long"),
        ("Guide > " + "long " * 20 + "end", 20, "long " * 19 + "long…"),
    ],
)
def test_the_inner_and_the_outer_headings_stay(path: str, limit: int, short: str) -> None:
    assert shorten_title(path, limit) == short


@given(st.text(max_size=200), st.integers(1, 80))
def test_a_title_fits(path: str, limit: int) -> None:
    assert len(shorten_title(path, limit)) <= max(limit, INNERMOST)


def test_hits_of_one_section_share_its_title() -> None:
    long = "Guide > Storage > Memory mapping of vectors"
    hits = [(4, "a.md", long), (5, "b.md", "Other"), (6, "a.md", long), (7, "c.md", long), (8, "a.md", "")]
    assert share_titles(hits) == [
        (long, "a.md"),
        ("Other", "b.md"),
        ("= hit 4", ""),
        (long, "c.md"),
        ("", "a.md"),
    ]
    assert share_titles([(1, "", "FAQ"), (2, "", "FAQ")]) == [("FAQ", ""), ("FAQ", "")]
    assert all(len(title) <= INNERMOST for title, _ in share_titles([(1, "a", long * 5)]))
