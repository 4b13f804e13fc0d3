"""The model of the client that called, as a judge: it is not asked from here but where the client can be reached."""

from collections.abc import Sequence

from warmer.errors import JudgeError
from warmer.judges.prompt import RUBRIC

CLIENT = "client"


class ClientJudge:
    """Names the scores of the client's model."""

    name = CLIENT
    rubric = RUBRIC
    workers = 1

    def score(self, query: str, passages: Sequence[str]) -> list[float]:  # noqa: ARG002
        """Refuse: there is no client here.

        Raises:
            JudgeError: Always.
        """
        raise JudgeError(
            "the judge client is the model of an MCP client that offers sampling, and scores in the tool train_params "
            "alone: score the hits yourself, or choose another judge"
        )
