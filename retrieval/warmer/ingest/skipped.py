"""Count skipped files and folders by reason."""

from collections import Counter, defaultdict
from collections.abc import Iterator

_MAX_EXAMPLES = 5
_MAX_KINDS = 20
_MAX_COUNTED = 10_000


class Skipped:
    """Counts skipped files and folders by reason, with examples.

    Attributes:
        unread: Sources that exist but could not be read; what the collection has of them should be kept.
    """

    def __init__(self) -> None:
        self.unread: set[str] = set()
        self._counts: defaultdict[str, int] = defaultdict(int)
        self._examples: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def add(self, reason: str, example: str) -> None:
        """Count a file or folder that is skipped on purpose; equal examples, such as `*.png`, are counted together."""
        self._counts[reason] += 1
        if example in self._examples[reason] or len(self._examples[reason]) < _MAX_COUNTED:
            self._examples[reason][example] += 1

    def add_unread(self, reason: str, example: str, source: str) -> None:
        """Count a file or folder that could not be read."""
        self.add(reason, example)
        self.unread.add(source)

    def lines(self) -> Iterator[str]:
        """Yield a line for each reason, with its count and some examples."""
        for reason, count in self._counts.items():
            examples = self._examples[reason].most_common()
            kinds = any(example.startswith("*") for example, _ in examples)
            most = _MAX_KINDS if kinds else _MAX_EXAMPLES
            shown = [f"{example} ({times})" if kinds or times > 1 else example for example, times in examples[:most]]
            yield f"{count} {reason}: {', '.join(shown)}{', …' if len(examples) > most else ''}"
