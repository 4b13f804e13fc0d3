"""Where the time of a tool call goes, by stage; what is measured need not know of which call it is part."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from time import perf_counter


@dataclass(frozen=True, slots=True)
class Spent:
    """What a call spent, in seconds by stage, and which collection it was about."""

    seconds: dict[str, float] = field(default_factory=dict)
    about: dict[str, str] = field(default_factory=dict)


_spent: ContextVar[Spent | None] = ContextVar("spent", default=None)


@contextmanager
def stopwatch() -> Iterator[Spent]:
    """Yield what is spent, which grows while the block runs."""
    spent = Spent()
    token = _spent.set(spent)
    try:
        yield spent
    finally:
        _spent.reset(token)


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Count the time that the block takes; without a stopwatch nothing is kept."""
    spent, began = _spent.get(), perf_counter()
    try:
        yield
    finally:
        if spent:
            spent.seconds[name] = spent.seconds.get(name, 0.0) + perf_counter() - began


def about(collection: str) -> None:
    """Say which collection the call turned out to be about."""
    if spent := _spent.get():
        spent.about["collection"] = collection
