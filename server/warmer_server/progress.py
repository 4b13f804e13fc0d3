"""A progress bar on stderr."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from warmer.publishing import Progress as Report


@contextmanager
def progress_bar(of: str) -> Iterator[Report]:
    """Yield what is called with the number done since the last call, and of all.

    Nothing is shown before, nor where stderr is no terminal.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(of, total=None, visible=False)
        yield lambda done, total: bar.update(task, advance=done, total=total, visible=True)
