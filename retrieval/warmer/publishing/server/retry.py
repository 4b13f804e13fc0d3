"""Patience with a server that starts anew in the middle of a long run."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import anyio

from warmer.index.remote.faults import ServerError

_T = TypeVar("_T")

PAUSES = (1.0, 2.0, 4.0, 8.0)  # seconds
_LONGEST = 60.0  # seconds that a server may ask to wait


async def with_retries(ask: Callable[[], Awaitable[_T]], pauses: Sequence[float]) -> _T:
    """Ask again after each failure that may pass, and after each of the pauses; for what may be done twice."""
    for pause in pauses:
        try:
            return await ask()
        except ServerError as error:
            asked = error.retry_after or 0
            if not error.transient or asked > _LONGEST:
                raise
            await anyio.sleep(max(pause, asked))
    return await ask()
