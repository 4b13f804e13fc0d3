"""Judges that are slow, or never come back."""

from threading import Event

import anyio
import pytest

from warmer.judges.threads import JudgeThreads

pytestmark = pytest.mark.anyio


async def test_what_a_function_gives_or_raises_comes_back() -> None:
    threads = JudgeThreads(1)
    assert await threads.run(divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        await threads.run(divmod, 7, 0)
    assert await threads.run(len, "abc") == 3


async def test_a_call_that_is_cancelled_ends_at_once_and_its_thread_keeps_its_place() -> None:
    threads, release = JudgeThreads(1), Event()
    second: list[int] = []
    with anyio.move_on_after(0.01):
        await threads.run(release.wait)
    with anyio.move_on_after(0.01):
        await threads.run(second.append, 1)
    assert second == []
    release.set()
    with anyio.fail_after(30):
        await threads.run(second.append, 2)
    assert second == [2]


async def test_a_call_that_is_cancelled_before_it_begins_leaves_its_place() -> None:
    threads = JudgeThreads(1)
    with anyio.CancelScope() as scope:
        scope.cancel()
        await threads.run(len, "abc")
    with anyio.fail_after(30):
        assert await threads.run(len, "abc") == 3
