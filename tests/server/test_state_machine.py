"""A few random walks through the state machine; `make chaos` takes more."""

from pathlib import Path

from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test
from state_machine import make_machine


def test_what_was_acknowledged_holds_in_any_order(made_once: Path) -> None:
    short_walks = settings(max_examples=6, stateful_step_count=12, deadline=None, derandomize=True)
    run_state_machine_as_test(make_machine(made_once), settings=short_walks)
