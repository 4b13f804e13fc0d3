"""Sending batches to a server, a few at once."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import anyio
from anyio.abc import TaskGroup

from warmer.errors import innermost
from warmer.publishing.server.points import Batch

IN_FLIGHT = 4

Send = Callable[[Batch], Awaitable[None]]


class Upload:
    """Takes batches; where the server is slower than what comes, `put` waits."""

    def __init__(self, tasks: TaskGroup, send: Send) -> None:
        self._tasks = tasks
        self._send = send
        self._free = anyio.Semaphore(IN_FLIGHT)

    async def put(self, batch: Batch) -> None:
        """Begin to send a batch, as soon as fewer than IN_FLIGHT are under way."""
        await self._free.acquire()
        self._tasks.start_soon(self._one, batch)

    async def _one(self, batch: Batch) -> None:
        await self._send(batch)
        self._free.release()


@asynccontextmanager
async def uploading(send: Send) -> AsyncIterator[Upload]:
    """Send the batches that are put within; at the end of the block all have arrived.

    Raises:
        EngineError: A batch could not be sent; those before it may have arrived.
    """
    try:
        async with anyio.create_task_group() as tasks:
            yield Upload(tasks, send)
    except BaseExceptionGroup as errors:
        raise innermost(errors) from None
