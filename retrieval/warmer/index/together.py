"""Two requests at once."""

from collections.abc import Coroutine
from typing import Any, TypeVar

from anyio import create_task_group

from warmer.errors import innermost

_T = TypeVar("_T")
_S = TypeVar("_S")


async def together(one: Coroutine[Any, Any, _T], other: Coroutine[Any, Any, _S]) -> tuple[_T, _S]:
    """Wait for both; the first failure ends the other."""
    done: list[_S] = []

    async def beside() -> None:
        done.append(await other)

    try:
        async with create_task_group() as tasks:
            tasks.start_soon(beside)
            first = await one
    except BaseExceptionGroup as errors:
        raise innermost(errors) from None
    return first, done[0]
