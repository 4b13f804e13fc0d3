"""What is told from some passages of a collection."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warmer.index.sampling import code_marks, few_values

PROSE = "The loaf rises well, as the baker (an old man) had hoped; nobody else was there."
CODE = "def find(self, name: str) -> list[Hit]:\n    return [self._hits[id_] for id_ in names if id_ != None]"


def test_code_has_marks_and_prose_has_few() -> None:
    assert code_marks([PROSE]) < 0.3
    assert code_marks([PROSE.replace("(an old man) ", "").replace(";", ",")]) == 0
    assert code_marks([CODE]) > 0.4
    assert code_marks(["std::vector<int> makeAll()"]) > 0.4


def test_the_median_passage_counts() -> None:
    assert code_marks([CODE, PROSE, PROSE]) == code_marks([PROSE])
    assert code_marks([CODE, CODE, PROSE]) == code_marks([CODE])
    assert code_marks([]) == 0
    assert code_marks(["", "", ""]) == 0


def test_fields_with_few_values_are_listed() -> None:
    payloads = [{"lang": ["en", "de"][n % 2], "year": 2020 + n % 3, "draft": n == 0, "text": "a"} for n in range(12)]
    found = few_values(payloads)
    assert found == {"draft": [False, True], "lang": ["de", "en"], "year": [2020, 2021, 2022]}


def test_each_entry_of_a_list_is_a_value() -> None:
    assert few_values([{"tags": ["b", "a"]}, {"tags": ["a"]}, {"tags": []}, {}]) == {"tags": ["a", "b"]}


@pytest.mark.parametrize(
    "payloads",
    [
        [{"id": str(n)} for n in range(5)],  # each has its own
        [{"page_title": f"title {n % 11}"} for n in range(99)],  # too many
        [{"abstract": "long " * 20}, {"abstract": "long " * 20}, {"abstract": "x"}],
        [{"text": "a", "title": "b", "line": 1, "page": 2}] * 9,
        [{"deep": {"a": 1}, "score": 0.5, "none": None, "empty": "", "nested": [{"a": 1}]}] * 9,
        [],
    ],
)
def test_fields_that_tell_nothing_are_left_out(payloads: list[dict[str, object]]) -> None:
    assert few_values(payloads) == {}


JSON = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.lists(st.integers(0, 3))


@given(st.lists(st.dictionaries(st.sampled_from("abc"), JSON, max_size=3), max_size=8))
def test_any_payloads_have_values_that_they_hold(payloads: list[dict[str, Any]]) -> None:
    for name, values in few_values(payloads).items():
        held = [one[name] for one in payloads if name in one]
        entries = [entry for value in held for entry in (value if isinstance(value, list) else [value])]
        assert 0 < len(values) <= 10
        assert all(value in entries for value in values)
