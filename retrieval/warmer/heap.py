"""Tune glibc's heap; with other C libraries, do nothing."""

import ctypes
from contextlib import suppress

_ARENA_MAX = -8  # M_ARENA_MAX in malloc.h


def use_one_arena() -> None:
    """Make all threads share one malloc arena; call before any thread starts.

    With an arena per thread, a training leaves freed memory between blocks that searches hold: a server that is
    searched and trained at once grows by some 3 MB per training.
    """
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).mallopt(_ARENA_MAX, 1)


def trim() -> None:
    """Return freed memory to the system, after something large."""
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)
