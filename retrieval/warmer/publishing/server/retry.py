"""Retries that outlast a restart of the server during a long run."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import anyio

from warmer.index.remote.faults import ServerError

_T = TypeVar("_T")

PAUSES = (1.0, 2.0, 4.0, 8.0)  # seconds
_MAX_WAIT = 60.0  # seconds; a longer Retry-After is an error


async def with_retries(request: Callable[[], Awaitable[_T]], pauses: Sequence[float]) -> _T:
    """Make an idempotent request, and repeat it after each pause (in seconds) while it fails transiently.

    Raises:
        ServerError: The last attempt failed, or the failure is permanent or asks for too long a wait.
    """
    for pause in pauses:
        try:
            return await request()
        except ServerError as error:
            requested = error.retry_after or 0
            if not error.transient or requested > _MAX_WAIT:
                raise
            await anyio.sleep(max(pause, requested))
    return await request()
