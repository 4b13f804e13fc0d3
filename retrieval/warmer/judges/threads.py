"""Threads for judges alone, so that slow ones keep nobody else from a thread."""

from collections.abc import Callable
from contextlib import suppress
from math import inf
from typing import TypeVar, TypeVarTuple

import anyio.from_thread
import anyio.to_thread
from anyio import CapacityLimiter, RunFinishedError

Result = TypeVar("Result")
Arguments = TypeVarTuple("Arguments")


class JudgeThreads:
    """Runs what a judge does in threads, `most` at once, and lets a call that is cancelled go at once.

    The thread itself cannot be stopped. It counts until it ends, so that calls which are given up and made again cannot
    pile up threads.
    """

    def __init__(self, most: int = 8) -> None:
        self._places = CapacityLimiter(most)

    async def run(self, function: Callable[[*Arguments], Result], *arguments: *Arguments) -> Result:
        """Call a function in a thread, once there is a place for it."""
        place, began = object(), False
        await self._places.acquire_on_behalf_of(place)

        def call() -> Result:
            nonlocal began
            began = True
            try:
                return function(*arguments)
            finally:
                self._free(place)

        try:
            return await anyio.to_thread.run_sync(call, abandon_on_cancel=True, limiter=CapacityLimiter(inf))
        finally:
            if not began:
                self._places.release_on_behalf_of(place)

    def _free(self, place: object) -> None:
        with suppress(RunFinishedError):  # the event loop has ended, and nobody waits for a place
            anyio.from_thread.run_sync(self._places.release_on_behalf_of, place)
