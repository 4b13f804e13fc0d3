"""A progress bar on stderr."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from warmer.indexing import Progress as Report


@contextmanager
def progress_bar(of: str) -> Iterator[Report]:
    """Yield what is called with the number done since the last call, and of all; nothing is shown before."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(of, total=None, visible=False)
        yield lambda done, total: bar.update(task, advance=done, total=total, visible=True)
