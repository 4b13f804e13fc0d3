"""Progress bars on stderr, if it is a terminal."""

from collections.abc import Callable
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn


class Bars:
    """A progress bar for each stage, created when the stage first reports."""

    def __init__(self) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        console = Console(stderr=True)
        self._progress = Progress(*columns, console=console, disable=not console.is_terminal)
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> "Bars":
        self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._progress.stop()

    def report(self, stage: str, done: int, total: int) -> None:
        """Update the bar of a stage: `done` of `total` steps."""
        if stage not in self._tasks:
            self._tasks[stage] = self._progress.add_task(stage, total=total)
        self._progress.update(self._tasks[stage], completed=done, total=total)

    def steps(self, stage: str) -> Callable[[int, int], None]:
        """Return a callback for a stage that reports the steps done since its last call, and the total."""
        done = 0

        def advance(increment: int, total: int) -> None:
            nonlocal done
            done += increment
            self.report(stage, done, total)

        return advance
