"""A few walks through the state machine of `rounds`; `make chaos` takes more."""

from pathlib import Path

from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test
from rounds import machine


def test_what_was_acknowledged_holds_in_any_order(made_once: Path) -> None:
    few = settings(max_examples=6, stateful_step_count=12, deadline=None, derandomize=True)
    run_state_machine_as_test(machine(made_once), settings=few)
