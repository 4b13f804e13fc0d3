"""One question in one arm: the tools that the agent may call, what it was shown, and what it answered."""

import inspect
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from mcp.types import Tool

from warmer_evals import EvalError
from warmer_evals.agent.server import Server, spoken

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
        tools: Which of the server's tools are offered.
        documents: The ids of the dataset's documents, one of which is each hit's `source`.
        budget: How many distinct documents may be shown.
        n: How many documents an answer has at most.

    Attributes:
        tools: What is offered, with `answer`.
        rounds: For each list that was shown its hits as [document id, the agent's score 0..10 or None].
        calls: How often the server's tools were called, refused calls too.
        answer: Document ids, best first; None as long as there is no answer.
    """

    def __init__(
        self, server: Server, tools: Sequence[str], documents: Collection[str], *, budget: int, n: int
    ) -> None:
        self._hidden = server.tools.keys() - set(tools)
        self.tools = [_described(server.tools[name], self._hidden) for name in tools] + [_answer_tool(n)]
        self.rounds: list[list[list[Any]]] = []
        self.calls = 0
        self.answer: list[str] | None = None
        self._server = server
        self._documents = documents
        self._budget = budget
        self._n = n
        self._shown: dict[tuple[str, int], list[Any]] = {}

    @property
    def read(self) -> list[str]:
        """List the documents that were shown, in that order."""
        return list(dict.fromkeys(document for hits in self.rounds for document, _ in hits))

    @property
    def left(self) -> int:
        """Count the documents that may still be shown."""
        return self._budget - len(self.read)

    async def call(self, name: str, arguments: object) -> Reply:
        """Call a tool; what an agent did wrong is said in the reply.

        Raises:
            EvalError: The server ended, or the collection is not that of the dataset.
        """
        tool = next((tool for tool in self.tools if tool.name == name), None)
        if tool is None:
            return _refusal(f"there is no tool {name!r}: call {' or '.join(tool.name for tool in self.tools)}")
        if not isinstance(arguments, dict):
            return _refusal(f"the arguments of {name} are no JSON object")
        if name == ANSWER:
            return self._take(arguments)
        self.calls += 1
        return await self._retrieve(tool, arguments)

    async def _retrieve(self, tool: Tool, arguments: dict[str, Any]) -> Reply:
        if not self.left:
            return _refusal(f"you have read {self._budget} passages, which is all that you may: call {ANSWER} now")
        limit = arguments.get("limit", tool.input_schema["properties"]["limit"]["default"])
        if type(limit) is not int:
            return _refusal(f"limit is {str(limit)[:40]!r}: send a whole number from 1 to {self.left}")
        if arguments.get("judge"):
            return _refusal("no other model may be asked here: send scores of your own")
        result = await self._server.call(tool.name, {**arguments, "limit": min(limit, self.left)})
        if result.is_error or result.structured_content is None:
            return _refusal(spoken(result))
        self._keep(result.structured_content)
        content = self._told(result.structured_content)
        return Reply(json.dumps(content, ensure_ascii=False), content, refused=False)

    def _keep(self, content: dict[str, Any]) -> None:
        search = content["search_id"]
        for hit in content["hits"]:
            if hit.get("source") not in self._documents:
                raise EvalError(
                    f"the collection has a hit whose source is {hit.get('source')!r}, which is the id of no document "
                    "of the dataset: index the dataset anew"
                )
            self._shown.setdefault((search, hit["hit"]), [hit["source"], None])
        self.rounds.append([self._shown[search, hit["hit"]] for hit in content["hits"]])
        for ranked in content.get("ranking", ()):
            self._shown[search, ranked["hit"]][1] = ranked["score"]

    def _told(self, content: dict[str, Any]) -> dict[str, Any]:
        """Add what is left of the budget, and leave out advice to do what cannot be done."""
        told = {**content, "passages_left": self.left}
        if not self.left:
            told["next"] = f"You have read all passages that you may: call {ANSWER} now."
        elif _names(content["next"], self._hidden):
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


def _described(tool: Tool, hidden: Collection[str]) -> Tool:
    """Leave out the paragraphs of a description that are about tools which are not offered."""
    paragraphs = inspect.cleandoc(tool.description or "").split("\n\n")
    told = "\n\n".join(paragraph for paragraph in paragraphs if not _names(paragraph, hidden))
    return tool.model_copy(update={"description": told})


def _names(text: str, tools: Collection[str]) -> bool:
    return any(tool in text for tool in tools)


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
