"""What the page needs to show any query's hits: documents once, lists by their numbers.

A hit is `[document, score]`, or `[document, score, rank before]` where it is compared with a list (0: it is new).
"""

from collections.abc import Iterable
from typing import Any

Hit = tuple[str, float | None]


class Documents:
    """Numbers documents as they come."""

    def __init__(self, texts: dict[str, str]) -> None:
        """Take the texts by document id; a document without one is shown by its id."""
        self._texts = texts
        self._numbers: dict[str, int] = {}

    def numbered(self, hits: Iterable[Any]) -> list[list[Any]]:
        """Put numbers in the place of ids."""
        return [
            [self._numbers.setdefault(str(document), len(self._numbers)), _short(score)] for document, score in hits
        ]

    def compared(self, hits: Iterable[Any], before: Iterable[Any]) -> list[list[Any]]:
        """Number hits, and say which rank each had before."""
        ranks = {number: rank for rank, (number, _) in enumerate(self.numbered(before), 1)}
        return [[number, score, ranks.get(number, 0)] for number, score in self.numbered(hits)]

    def listed(self) -> list[list[str]]:
        """All documents, by number: id, and text where there is one."""
        return [[document, text] if (text := self._texts.get(document)) else [document] for document in self._numbers]


def column(note: str, first: int, hits: list[list[Any]]) -> dict[str, Any]:
    """A list of hits, counted from `first`."""
    return {"note": note, "first": first, "hits": hits}


def query(
    entry: dict[str, Any], gain: float | None, best: float | None, sections: list[dict[str, Any]]
) -> dict[str, Any]:
    """A query: what it gained, the best score of its first hits, and its lists side by side, by section."""
    return {"id": str(entry.get("id")), "text": entry.get("text") or "", "gain": gain, "best": best, "in": sections}


def bundle(queries: list[dict[str, Any]], documents: Documents, sides: tuple[str, str], scale: float) -> dict[str, Any]:
    """All queries, those that gained most first, with the documents, the two sides, and the best possible score."""
    ranked = sorted(queries, key=lambda item: (item["gain"] is None, -(item["gain"] or 0.0), item["id"]))
    return {"scale": scale, "sides": sides, "documents": documents.listed(), "queries": ranked}


def _short(score: float | None) -> float | None:
    return int(score) if score is not None and score == int(score) else score
