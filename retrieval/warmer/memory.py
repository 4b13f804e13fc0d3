"""The memory of the process."""

import ctypes
from contextlib import suppress


def give_back() -> None:
    """Give back to the system what something large needed for a while, and glibc would keep."""
    with suppress(OSError, AttributeError, TypeError):  # there is another C library
        ctypes.CDLL(None).malloc_trim(0)
