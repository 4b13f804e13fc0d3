"""An agent without a model: its scores are the judgments, its way is fixed."""

from collections.abc import Mapping
from typing import Any

from warmer_evals.agent import Outcome
from warmer_evals.agent.episode import ANSWER, Episode, Question, Reply

_ROUND = 5


class ScriptedAgent:
    """Reads what the budget allows, five passages a round with feedback and one list without, and ranks by score.

    So the arms compare feedback in rounds with reading further down the first list, for a reader who scores perfectly.
    It has no other words: its thread is feedback on lists to skim.

    Args:
        scores: Query id -> document id -> 0..10; 0 for what is not listed.
    """

    name = "scripted"

    def __init__(self, scores: Mapping[str, Mapping[str, float]]) -> None:
        self._scores = scores

    async def find(self, question: Question, episode: Episode) -> Outcome:
        """Search, score as long as there is something left to read, answer."""
        scores = self._scores[question.id]
        rounds = any(tool.name == "give_feedback" for tool in episode.tools)
        calls: list[dict[str, Any]] = []

        async def call(tool: str, **arguments: object) -> Reply:
            reply = await episode.call(tool, arguments)
            calls.append({"tool": tool, "arguments": arguments, "result": reply.text, "refused": reply.refused})
            return reply

        reply = await call("search", query=question.text, limit=_ROUND if rounds else episode.ledger.share(1))
        while rounds and episode.left and reply.content.get("hits"):
            given = {str(hit["hit"]): scores.get(hit["source"], 0.0) for hit in reply.content["hits"]}
            reply = await call("give_feedback", search_id=reply.content["search_id"], scores=given, limit=_ROUND)
        if not reply.refused:
            best_first = sorted(episode.read, key=lambda document: -scores.get(document, 0.0))
            reply = await call(ANSWER, hits=best_first)
        return Outcome(messages=calls, error=reply.text if reply.refused else "")
