"""Print lines of commands safely: names, titles and replies in them cannot add markup or control codes."""

from rich.console import Console

from warmer.sanitize import one_line


def echo(*lines: str, stderr: bool = True) -> None:
    """Print each string literally, on one line."""
    console = Console(stderr=stderr, highlight=False, markup=False, emoji=False, soft_wrap=True)
    for line in lines:
        console.print(one_line(line))
