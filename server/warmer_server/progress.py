"""Show a progress bar on stderr."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from warmer.publishing import Progress as Report


class SpeedColumn(ProgressColumn):
    """How many items a second."""

    def render(self, task: Task) -> Text:
        """Round the speed to whole items; empty before there is one."""
        return Text(f"{task.speed:.0f}/s" if task.speed else "")


@contextmanager
def progress_bar(description: str) -> Iterator[Report]:
    """Yield a callback that takes the number of items done since the last call and the total.

    The bar appears at the first call, and only if stderr is a terminal.
    """
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        SpeedColumn(),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(description, total=None, visible=False)
        yield lambda done, total: bar.update(task, advance=done, total=total, visible=True)
