"""One recorded question in one arm: the calls, and what they show within the budget."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from warmer_evals import EvalError
from warmer_evals.agent.budgets import MOST, Hit, Ledger
from warmer_evals.agent.server import Server, sourced, spoken

_FIRST = 5


@dataclass(frozen=True, slots=True)
class Found:
    """What a call showed.

    Attributes:
        search_id: Where to go on.
        hits: As they were shown, best first.
    """

    search_id: str
    hits: list[Hit]


class Play:
    """Calls the server's tools.

    Args:
        server: Where retrieval happens.
        documents: The ids of the dataset's documents, one of which is each hit's `source`.
        ledger: What may be shown.
        detail: How hits are shown: `full` for whole passages, empty for lists to skim.

    Attributes:
        ledger: What was shown.
        first: The first five documents of the first list, shown or not.
        rounds: For each list that was shown its hits as [document id, score 0..10 or None].
        calls: How often a tool was called.
    """

    def __init__(self, server: Server, documents: Collection[str], ledger: Ledger, detail: str) -> None:
        self.ledger = ledger
        self.first: list[str] = []
        self.rounds: list[list[list[Any]]] = []
        self.calls = 0
        self._server = server
        self._documents = documents
        self._detail = detail

    async def ask(self, lists: int, tool: str, arguments: Mapping[str, Any], *, repeats: bool = False) -> Found:
        """Call a tool and show what it finds, as far as it fits.

        Args:
            lists: Over how many lists to spread the rest of the budget, this one included.
            tool: Its name.
            arguments: Its arguments, without limit and detail.
            repeats: Whether the tool may return documents shown before; as many more are requested then.
        """
        share = self.ledger.share(lists)
        limit = min(share + repeats * len(self.ledger.documents) * self.ledger.in_passages, MOST)
        found = await self.fetch(tool, arguments, limit)
        return Found(found.search_id, self.show(found.hits, share))

    async def fetch(self, tool: str, arguments: Mapping[str, Any], limit: int) -> Found:
        """Call a tool and show nothing yet.

        Raises:
            EvalError: The tool refused, or the collection is not that of the dataset.
        """
        self.calls += 1
        result = await self._server.call(tool, {**arguments, "limit": limit, "detail": self._detail})
        if result.is_error or result.structured_content is None:
            raise EvalError(f"the server refused a call of {tool}: {spoken(result)}")
        content = result.structured_content
        return Found(content["search_id"], sourced(content["hits"], self._documents))

    def show(self, hits: Sequence[Hit], new: int | None = None) -> list[Hit]:
        """Show the hits that fit the budget; if it is in passages, with at most `new` new documents."""
        self.first = self.first or [hit["source"] for hit in hits[:_FIRST]]
        shown = self.ledger.show(hits, new)
        self.rounds.append([[hit["source"], None] for hit in shown])
        return shown

    def note(self, scores: Mapping[str, float]) -> None:
        """Keep the scores of the last list."""
        for hit in self.rounds[-1]:
            hit[1] = scores.get(hit[0])
