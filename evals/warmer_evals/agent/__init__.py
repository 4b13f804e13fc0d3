"""An agent in the loop: does `give_feedback` find it better documents than `search` alone, for as many that it reads?

Every question is put twice. In the arm `search` the agent may call search alone, in the arm `feedback` give_feedback
too; all else is the same: the prompt, the server, and how many passages may be read. Both end with the agent's answer,
a ranked list of documents, which the dataset's judgments measure.
"""

from typing import Any, Protocol

from pydantic import BaseModel

from warmer.judges.usage import Usage
from warmer_evals.agent.episode import Episode, Question

ARMS = {"search": ("search",), "feedback": ("search", "give_feedback")}


class Outcome(BaseModel):
    """How an agent came to its answer.

    Attributes:
        messages: What was said and called, for the transcript.
        error: Why there is no answer; empty where there is one.
    """

    messages: list[Any]
    usage: Usage = Usage()
    error: str = ""


class Agent(Protocol):
    """Whoever looks for documents.

    Attributes:
        name: As the report names it.
    """

    name: str

    async def find(self, question: Question, episode: Episode) -> Outcome:
        """Call the episode's tools until it has an answer, or give up and say why.

        Raises:
            EvalError: The agent cannot go on with this question nor with others.
        """
        ...
