"""A count of what is left out, and why."""

from collections import defaultdict
from collections.abc import Iterator

_SHOWN = 5


class Skipped:
    """Files and folders that are left out, by reason.

    Attributes:
        unread: The sources of those that are there but could not be read; what is known of them is worth keeping.
    """

    def __init__(self) -> None:
        self.unread: set[str] = set()
        self._counts: defaultdict[str, int] = defaultdict(int)
        self._examples: defaultdict[str, list[str]] = defaultdict(list)

    def on_purpose(self, reason: str, example: str) -> None:
        """Count one that is not to be indexed."""
        self._counts[reason] += 1
        if example not in self._examples[reason]:
            self._examples[reason] += [example] * (len(self._examples[reason]) < _SHOWN)

    def by_failure(self, reason: str, example: str, source: str) -> None:
        """Count one that could not be read."""
        self.on_purpose(reason, example)
        self.unread.add(source)

    def lines(self) -> Iterator[str]:
        """Say it, a line for each reason: its count and some examples."""
        for reason, count in self._counts.items():
            examples = self._examples[reason]
            more = ", …" if len(examples) == _SHOWN and count > _SHOWN else ""
            yield f"{count} {reason}: {', '.join(examples)}{more}"
