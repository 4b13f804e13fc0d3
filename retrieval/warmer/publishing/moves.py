"""What became of documents since the last run. A text that is found elsewhere keeps its id, vector and scores."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from warmer.passage import PICTURE, identity
from warmer.publishing.spool import Payload


@dataclass(frozen=True, slots=True)
class Changes:
    """Numbers of documents that were added, changed, moved or removed."""

    added: int = 0
    changed: int = 0
    moved: int = 0
    removed: int = 0


@dataclass(slots=True)
class Comparison:
    """Compares the passages that a run found with those that are stored.

    Attributes:
        new: Ids (16 bytes) of the passages that the run found; what is stored leaves it.
        renames: Id of a passage that moved -> the stored id that it keeps.
        emptied: Sources that passages moved away from.
    """

    new: set[bytes] = field(default_factory=set)
    renames: dict[str, str] = field(default_factory=dict)
    emptied: set[str] = field(default_factory=set)
    _known: set[str] = field(default_factory=set)
    _found: set[str] = field(default_factory=set)
    _touched: set[str] = field(default_factory=set)
    _arrived: set[str] = field(default_factory=set)
    _stale: defaultdict[bytes, list[tuple[str, str]]] = field(default_factory=lambda: defaultdict(list))

    def find(self, source: str) -> None:
        """Note a document in which the run found a passage, or of which stored passages stay."""
        self._found.add(source)

    def was_found(self, id_: str, source: str) -> bool:
        """Note a stored point, and tell whether the run found it."""
        self._known.add(source)
        key = b"" if id_.isdecimal() else UUID(id_).bytes
        if key not in self.new:
            return False
        self.new.discard(key)
        return True

    def add_stale(self, id_: str, payload: Payload) -> None:
        """Note a stored passage that the run did not find."""
        self._stale[_digest(payload)].append((id_, payload["source"]))

    def drop_stale(self, id_: str, payload: Payload) -> None:
        """Take back `add_stale` for a passage that stays after all."""
        self._stale[_digest(payload)].remove((id_, payload["source"]))

    def match(self, points: Iterable[tuple[str, Payload]]) -> None:
        """Find out which of the new points are stored under another id: in the same document, else in another."""
        elsewhere = []
        for id_, payload in points if self.new else ():
            if UUID(id_).bytes in self.new:
                text, source = _digest(payload), payload["source"]
                if not self._adopt(id_, text, source, self._stale_in(text, source)):
                    elsewhere.append((id_, text, source))
        for id_, text, source in elsewhere:
            if not self._adopt(id_, text, source, next(iter(self._stale.get(text, ())), None)):
                self._touched.add(source)

    def _stale_in(self, text: bytes, source: str) -> tuple[str, str] | None:
        return next((twin for twin in self._stale.get(text, ()) if twin[1] == source), None)

    def _adopt(self, id_: str, text: bytes, source: str, twin: tuple[str, str] | None) -> bool:
        """Give a new point the id of a stored one, if there is one."""
        if twin is None:
            return False
        self._stale[text].remove(twin)
        self.new.discard(UUID(id_).bytes)
        self.renames[id_], before = twin
        if before != source:
            self.emptied.add(before)
            self._arrived.add(source)
        return True

    def stale(self) -> list[tuple[str, str]]:
        """List ids and sources of the stored passages that are nowhere any more."""
        return [twin for twins in self._stale.values() for twin in twins]

    def changes(self) -> Changes:
        """Count the documents."""
        touched = self._touched | {source for _, source in self.stale()} | self._arrived | self.emptied
        unknown = self._found - self._known
        gone = self._known - self._found
        moved = {source for source in unknown & self._arrived if self.emptied & gone}
        return Changes(
            added=len(unknown - moved),
            changed=len(touched & self._found & self._known),
            moved=len(moved),
            removed=len(gone - self.emptied) if moved else len(gone),
        )


def _digest(payload: dict[str, Any]) -> bytes:
    text = identity(payload["title"], payload["text"], payload.get(PICTURE, ""))
    return hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=16).digest()
