"""Judges: models that score hits from 0 to 10 in place of an agent."""

import os
import re
from collections.abc import Sequence
from numbers import Real
from typing import Protocol

from warmer.errors import JudgeError

ANCHORS = "10 answers the query directly and fully, 7 clearly useful, 3 on the topic only, 0 unrelated"
DEFAULT_CLAUDE_MODEL = "claude-haiku-5-5"

_FORMS = "A judge is claude, claude:<model>, fastembed:<model>, or module:Class for one of your own"


class Judge(Protocol):
    """A model that scores hits.

    Attributes:
        name: Name of the judge; parameters trained on its scores are stored under it.
        rubric: Version of the scale; changes with anything that changes the meaning of a score, such as the prompt or
            the mapping to 0..10.
        workers: Maximum number of concurrent calls of `score`.
    """

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def rubric(self) -> str: ...  # noqa: D102

    @property
    def workers(self) -> int: ...  # noqa: D102

    def score(self, query: str, passages: Sequence[str]) -> list[float]:
        """Score each passage, in order, from 0 to 10 on an absolute scale; called from threads."""
        ...


def load_judge(spec: str, *, claude_model: str = DEFAULT_CLAUDE_MODEL) -> Judge:
    """Load a judge.

    Args:
        spec: `client`, `claude`, `claude:<model>`, `fastembed:<model>`, or `module:Class` for a custom class.
        claude_model: The model that plain `claude` means.

    Raises:
        JudgeError: There is no such judge, or it lacks a package, a key or a model.
    """
    kind, _, model = spec.partition(":")
    if spec == "client":
        from warmer.judges.client import ClientJudge  # noqa: PLC0415  it imports this module

        return ClientJudge()
    if spec == "claude" or (kind == "claude" and model):
        return _load_claude(model or claude_model)
    if kind == "fastembed" and model:
        from warmer.judges import fastembed  # noqa: PLC0415  slow to import

        return fastembed.load(model)
    if kind not in {"claude", "fastembed"} and re.fullmatch(r"[\w.]+:\w+", spec):
        from warmer.judges import custom  # noqa: PLC0415

        return custom.load(spec)
    raise JudgeError(f"there is no judge {spec!r}. {_FORMS}")


def checked_scores(judge: Judge, query: str, passages: Sequence[str]) -> list[float]:
    """Score passages with a judge, and validate the scores.

    Raises:
        JudgeError: The judge failed, or did not return one number from 0 to 10 for each passage.
    """
    if not passages:
        return []
    try:
        scores = list(judge.score(query, passages))
    except JudgeError:
        raise
    except Exception as error:
        raise JudgeError(
            f"the judge {judge.name} failed on the query {quoted(query)} with {type(error).__name__}: {error}. "
            f"Fix the judge or choose another"
        ) from error
    if problem := _problem(scores, len(passages)):
        raise JudgeError(
            f"the judge {judge.name} gave {problem} for the query {quoted(query)}. "
            f"It must return a list of one number from 0 to 10 for each passage, in order: fix it or choose another"
        )
    return [float(score) for score in scores]


def quoted(query: str, limit: int = 60) -> str:
    """Quote a query for a message, shortened to `limit` characters."""
    return repr(query if len(query) <= limit else query[: limit - 1] + "…")


def _problem(scores: Sequence[object], count: int) -> str | None:
    if len(scores) != count:
        return f"{len(scores)} scores for {count} passages"
    for position, score in enumerate(scores, start=1):
        if not isinstance(score, Real) or isinstance(score, bool):
            return f"{score!r} for passage {position}, which is not a number,"
        if not 0 <= float(score) <= 10:  # noqa: PLR2004  also refuses NaN
            return f"{score!r} for passage {position}, which is not from 0 to 10,"
    return None


def _load_claude(model: str) -> Judge:
    try:
        from warmer.judges.claude import ClaudeJudge  # noqa: PLC0415  needs an optional package
    except ImportError as error:
        raise JudgeError(f"the judge claude:{model} {install_hint(error)}") from error
    return ClaudeJudge(model)


def install_hint(error: ImportError) -> str:
    """Describe how to install what Claude needs, and to set the key unless it is set."""
    key = "" if os.environ.get("ANTHROPIC_API_KEY", "").strip() else ", and set ANTHROPIC_API_KEY"
    install = "pip install -c constraints.txt '.[claude]'"
    return f"needs the package anthropic ({error}): in the clone of Warmer, {install}{key}"
