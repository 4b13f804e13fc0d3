"""An agent in the loop: what do feedback and threads find it, for as much that it reads?

Every question is put in each arm. In the arm `search` the agent may search in whatever words, in `feedback` it may
score what it reads too, and in `thread` its wordings and scores steer together and its lists are for skimming; all
else is the same: the prompt, the server, and how much may be read. Each ends with the agent's answer, a ranked list of
documents, which the dataset's judgments measure.

A recorded agent has said its words and scores before. It gives no answer: what is measured is what it was shown.
"""

from typing import Any, Protocol

from pydantic import BaseModel

from warmer.judges.usage import Usage
from warmer_evals.agent.episode import Episode, Question


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
