"""The memory of the process, as glibc keeps it; another C library does as it likes."""

import ctypes
from contextlib import suppress

_ARENA_MAX = -8  # M_ARENA_MAX in malloc.h


def use_one_arena() -> None:
    """Let all threads allocate from one heap, before there are any.

    Of a heap for each thread what a training held would stay, in holes between what searches hold: a server that was
    searched and trained at once grew by some 3 MB a training.
    """
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).mallopt(_ARENA_MAX, 1)


def trim() -> None:
    """Give back to the system what something large needed for a while."""
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)
