"""Progress bars on stderr, where that is a terminal."""

from collections.abc import Callable
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn


class Bars:
    """One bar a stage, made when the stage first reports."""

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
        """Say how much of a stage is done."""
        if stage not in self._tasks:
            self._tasks[stage] = self._progress.add_task(stage, total=total)
        self._progress.update(self._tasks[stage], completed=done, total=total)

    def steps(self, stage: str) -> Callable[[int, int], None]:
        """Report a stage by how much was done since the last call."""
        done = 0

        def advance(more: int, total: int) -> None:
            nonlocal done
            done += more
            self.report(stage, done, total)

        return advance
