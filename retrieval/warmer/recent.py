"""What was used last stays at hand."""

from collections.abc import Mapping
from typing import TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Recent(dict[Key, Value]):
    """A dictionary that forgets: it keeps the `most` entries that were kept last."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def keep(self, entries: Mapping[Key, Value]) -> None:
        """Add entries, or make them the newest, and forget the oldest beyond `most`."""
        for key in entries:
            self.pop(key, None)
        self.update(entries)
        for oldest in list(self)[: max(len(self) - self._most, 0)]:
            del self[oldest]
