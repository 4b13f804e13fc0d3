from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from warmer.recent import Recent


@given(st.integers(0, 5), st.lists(st.lists(st.integers(0, 9), unique=True)))
def test_the_entries_that_were_kept_last_are_there(most: int, batches: Sequence[Sequence[int]]) -> None:
    recent = Recent[int, str](most)
    order: list[int] = []
    for batch in batches:
        recent.keep({key: str(key) for key in batch})
        order = [key for key in order if key not in batch] + [*batch]
        order = order[max(len(order) - most, 0) :]
        assert [*recent.items()] == [(key, str(key)) for key in order]
