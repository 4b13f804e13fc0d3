"""Two requests at once."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from warmer.errors import innermost

_T = TypeVar("_T")
_S = TypeVar("_S")


async def together(one: Coroutine[Any, Any, _T], other: Coroutine[Any, Any, _S]) -> tuple[_T, _S]:
    """Wait for both; the first failure ends the other."""
    try:
        async with asyncio.TaskGroup() as tasks:
            first, second = tasks.create_task(one), tasks.create_task(other)
    except BaseExceptionGroup as errors:
        raise innermost(errors) from None
    return first.result(), second.result()
