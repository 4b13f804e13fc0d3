"""Concurrent upload of batches."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import anyio
from anyio.abc import TaskGroup

from warmer.errors import innermost
from warmer.publishing.server.points import Batch

IN_FLIGHT = 4

Send = Callable[[Batch], Awaitable[None]]


class Upload:
    """Sends batches concurrently; `put` blocks while the server is slower than the producer."""

    def __init__(self, tasks: TaskGroup, send: Send) -> None:
        self._tasks = tasks
        self._send = send
        self._slots = anyio.Semaphore(IN_FLIGHT)

    async def put(self, batch: Batch) -> None:
        """Start to send a batch, as soon as fewer than IN_FLIGHT are being sent."""
        await self._slots.acquire()
        self._tasks.start_soon(self._send_one, batch)

    async def _send_one(self, batch: Batch) -> None:
        await self._send(batch)
        self._slots.release()


@asynccontextmanager
async def uploading(send: Send) -> AsyncIterator[Upload]:
    """Yield an `Upload`; all its batches have arrived when the block ends.

    Raises:
        EngineError: A batch could not be sent; those before it may have arrived.
    """
    try:
        async with anyio.create_task_group() as tasks:
            yield Upload(tasks, send)
    except BaseExceptionGroup as errors:
        raise innermost(errors) from None
