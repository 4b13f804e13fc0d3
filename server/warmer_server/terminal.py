"""What commands print: lines that nothing in a name, a title or an answer of others can change."""

from rich.console import Console

from warmer.sanitize import one_line


def echo(*lines: str, stderr: bool = True) -> None:
    """Print each of the lines as it stands, on one line."""
    console = Console(stderr=stderr, highlight=False, markup=False, emoji=False, soft_wrap=True)
    for line in lines:
        console.print(one_line(line))
