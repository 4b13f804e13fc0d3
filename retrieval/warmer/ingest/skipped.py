"""Count skipped files and folders by reason."""

from collections import defaultdict
from collections.abc import Iterator

_MAX_EXAMPLES = 5


class Skipped:
    """Counts skipped files and folders by reason, with examples.

    Attributes:
        unread: Sources that exist but could not be read; what the collection has of them should be kept.
    """

    def __init__(self) -> None:
        self.unread: set[str] = set()
        self._counts: defaultdict[str, int] = defaultdict(int)
        self._examples: defaultdict[str, list[str]] = defaultdict(list)

    def add(self, reason: str, example: str) -> None:
        """Count a file or folder that is skipped on purpose."""
        self._counts[reason] += 1
        if example not in self._examples[reason]:
            self._examples[reason] += [example] * (len(self._examples[reason]) < _MAX_EXAMPLES)

    def add_unread(self, reason: str, example: str, source: str) -> None:
        """Count a file or folder that could not be read."""
        self.add(reason, example)
        self.unread.add(source)

    def lines(self) -> Iterator[str]:
        """Yield a line for each reason, with its count and some examples."""
        for reason, count in self._counts.items():
            examples = self._examples[reason]
            more = ", …" if len(examples) == _MAX_EXAMPLES and count > _MAX_EXAMPLES else ""
            yield f"{count} {reason}: {', '.join(examples)}{more}"
