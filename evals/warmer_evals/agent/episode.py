"""One question in one arm: the tools that the agent may call, what it was shown, and what it answered."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from mcp.types import Tool

from warmer_evals.agent.arms import Arm
from warmer_evals.agent.budgets import MOST, Budget, Ledger
from warmer_evals.agent.server import Server, sourced, spoken

ANSWER = "answer"


@dataclass(frozen=True, slots=True)
class Question:
    """A query of the dataset."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What a call gave: text for a model, and the same as an object, which is empty where the call was refused."""

    text: str
    content: dict[str, Any]
    refused: bool


class Episode:
    """Passes calls on to the server, within the budget.

    Args:
        server: Where retrieval happens.
        arm: What the agent has.
        documents: The ids of the dataset's documents, one of which is each hit's `source`.
        budget: What may be shown.
        n: How many documents an answer has at most.

    Attributes:
        tools: What is offered, with `answer`.
        rounds: For each list that was shown its hits as [document id, the agent's score 0..10 or None].
        calls: How often the server's tools were called, refused calls too.
        answer: Document ids, best first; None as long as there is no answer.
        ledger: What was shown.
    """

    def __init__(self, server: Server, arm: Arm, documents: Collection[str], *, budget: Budget, n: int) -> None:
        self.tools = [*arm.offer(server.tools), _answer_tool(n)]
        self.rounds: list[list[list[Any]]] = []
        self.calls = 0
        self.answer: list[str] | None = None
        self.budget = budget
        self.ledger = Ledger(budget)
        self._server = server
        self._arm = arm
        self._documents = documents
        self._n = n
        self._shown: dict[tuple[str, int], list[Any]] = {}

    @property
    def read(self) -> list[str]:
        """Return the documents that were shown, in the order shown."""
        return self.ledger.documents

    @property
    def left(self) -> int:
        """Return how much may still be shown, in the unit of the budget."""
        return self.ledger.left

    async def call(self, name: str, arguments: object) -> Reply:
        """Call a tool; what an agent did wrong is said in the reply.

        Raises:
            EvalError: The server ended, or the collection is not that of the dataset.
        """
        tool = next((tool for tool in self.tools if tool.name == name), None)
        if tool is None:
            return _refusal(f"there is no tool {name!r}: call {' or '.join(tool.name for tool in self.tools)}")
        if not isinstance(arguments, dict):
            return _refusal(f"the arguments of {name} are not a JSON object")
        if name == ANSWER:
            return self._take(arguments)
        self.calls += 1
        return await self._retrieve(tool, arguments)

    async def _retrieve(self, tool: Tool, arguments: dict[str, Any]) -> Reply:
        again = bool(arguments.get("read"))
        limit = arguments.get("limit", tool.input_schema["properties"]["limit"]["default"])
        if problem := self._problem(tool.name, arguments, limit, again):
            return _refusal(problem)
        within = {} if again else {"limit": min(limit, self.left)}
        result = await self._server.call(tool.name, {**arguments, **within, **self._arm.fixed()})
        if result.is_error or result.structured_content is None:
            return _refusal(spoken(result))
        content = self._keep(result.structured_content, again)
        told = self._told(content, tool.name)
        return Reply(json.dumps(told, ensure_ascii=False), told, refused=False)

    def _problem(self, tool: str, arguments: dict[str, Any], limit: object, again: bool) -> str:
        """Return why a call is refused; empty if it is passed on."""
        if not self.left and not (again and self.budget.unit == "passages"):
            return f"you have read {self.budget}, which is all that you may: call {ANSWER} now"
        if absent := [name for name in self._arm.hidden(tool) if name in arguments]:
            return f"{tool} has no parameter {absent[0]!r}"
        if type(limit) is not int or (limit < 1 and tool == "search"):  # the server takes 0 for the usual number
            shown = limit if type(limit) is int else repr(str(limit)[:40])
            return f"limit is {shown}: send a whole number from 1 to {min(self.left, MOST)}"
        if arguments.get("judge"):
            return "no other model may be asked here: send scores of your own"
        return ""

    def _keep(self, content: dict[str, Any], again: bool) -> dict[str, Any]:
        """Keep the hits that fit the budget; passages read again are no list of their own."""
        search, found = content["search_id"], sourced(content["hits"], self._documents)
        hits = self.ledger.reread(found) if again else self.ledger.show(found)
        for hit in hits:
            self._shown.setdefault((search, hit["hit"]), [hit["source"], None])
        if not again:
            self.rounds.append([self._shown[search, hit["hit"]] for hit in hits])
        for ranked in content.get("ranking", ()):
            if (search, ranked["hit"]) in self._shown:
                self._shown[search, ranked["hit"]][1] = ranked["score"]
        return {**content, "hits": hits}

    def _told(self, content: dict[str, Any], tool: str) -> dict[str, Any]:
        """Add what is left of the budget, and leave out advice to do what cannot be done."""
        told = {**content, f"{self.budget.unit}_left": self.left}
        if not self.left:
            told["next"] = f"You have read all {self.budget.unit} that you may: call {ANSWER} now."
        elif not self._arm.says(content["next"], self._server.tools, tool):
            del told["next"]
        return told

    def _take(self, arguments: dict[str, Any]) -> Reply:
        hits = arguments.get("hits")
        if not isinstance(hits, list):
            return _refusal(f'{ANSWER} takes a list of sources, best first: {{"hits": ["...", "..."]}}')
        documents = list(dict.fromkeys(map(str, hits)))
        read = self.read
        if unknown := [document for document in documents if document not in read]:
            shown = ", ".join(read) or "none so far"
            return _refusal(f"{unknown[0][:60]!r} is not the source of a passage that you were shown: {shown}")
        self.answer = documents[: self._n]
        return Reply("thank you", {}, refused=False)


def _answer_tool(n: int) -> Tool:
    hits = {
        "type": "array",
        "items": {"type": "string"},
        "description": "The `source` of each hit, exactly as it was shown; not its number and not its id",
    }
    return Tool(
        name=ANSWER,
        description=f"Give your answer, which ends the task: up to {n} hits that you were shown, best first.",
        input_schema={"type": "object", "properties": {"hits": hits}, "required": ["hits"]},
    )


def _refusal(problem: str) -> Reply:
    return Reply(problem, {}, refused=True)
