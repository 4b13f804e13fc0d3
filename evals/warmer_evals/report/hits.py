"""Data of the page's view of hits: each document once, hits by the numbers of their documents.

A hit is `[document, score]`, or `[document, score, previous rank]` if it is compared with another list (0: new).
"""

from collections.abc import Iterable
from typing import Any

Hit = tuple[str, float | None]


class Documents:
    """Numbers documents in order of first use."""

    def __init__(self, texts: dict[str, str], factor: float = 1) -> None:
        """Take texts by document id, and what scores are multiplied by; a document without text is shown by its id."""
        self.texts, self._factor = texts, factor
        self._numbers: dict[str, int] = {}

    def numbered(self, hits: Iterable[Any]) -> list[list[Any]]:
        """Replace ids by numbers."""
        return [
            [self._numbers.setdefault(str(document), len(self._numbers)), self._shown(score)]
            for document, score in hits
        ]

    def compared(self, hits: Iterable[Any], before: Iterable[Any]) -> list[list[Any]]:
        """Replace ids by numbers, and append the rank of each hit in `before`."""
        ranks = {number: rank for rank, (number, _) in enumerate(self.numbered(before), 1)}
        return [[number, score, ranks.get(number, 0)] for number, score in self.numbered(hits)]

    def _shown(self, score: float | None) -> float | None:
        """Round to a tenth, without the fraction if there is none."""
        if score is None:
            return None
        shown = round(score * self._factor, 1)
        return int(shown) if shown == int(shown) else shown

    def listed(self) -> list[list[str]]:
        """Return all documents in the order of their numbers: `[id, text]`, or `[id]` without text."""
        return [[document, text] if (text := self.texts.get(document)) else [document] for document in self._numbers]


def column(note: str, first: int, hits: list[list[Any]]) -> dict[str, Any]:
    """Return a list of hits for the page, with ranks from `first` on."""
    return {"note": note, "first": first, "hits": hits}


def query(
    entry: dict[str, Any], gain: float | None, best: float | None, sections: list[dict[str, Any]]
) -> dict[str, Any]:
    """Return a query for the page: its gain, the best score of its first hits, and sections of lists side by side."""
    return {"id": str(entry.get("id")), "text": entry.get("text") or "", "gain": gain, "best": best, "in": sections}


def bundle(queries: list[dict[str, Any]], documents: Documents, sides: tuple[str, str], scale: float) -> dict[str, Any]:
    """Return all data of the view: queries by gain, documents, names of the two sides, and the best possible score."""
    ranked = sorted(queries, key=lambda item: (item["gain"] is None, -(item["gain"] or 0.0), item["id"]))
    return {
        "texts": bool(documents.texts),
        "scale": scale,
        "sides": sides,
        "documents": documents.listed(),
        "queries": ranked,
    }
