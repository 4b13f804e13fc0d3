"""The questions of an evaluation: queries with a relevant document."""

from collections.abc import Sequence

from warmer_evals import EvalError
from warmer_evals.agent.episode import Question
from warmer_evals.beir import Dataset


def choose_questions(dataset: Dataset, split: str, n: int, limit: int | None) -> tuple[str, Sequence[Question], int]:
    """Choose the questions of a split.

    Args:
        dataset: What is asked, and the judgments.
        split: Which judgments; empty for those that the dataset chooses.
        n: How many documents an answer has at most.
        limit: How many questions are asked at most, the first ones; None for all.

    Returns:
        The split, its questions that have a relevant document, and how many judged ones have none.

    Raises:
        EvalError: There is nothing to ask, or `n` or `limit` is none.
    """
    if n < 1:
        raise EvalError(f"n is {n}: an answer has 1 document or more")
    if limit is not None and limit < 1:
        raise EvalError(f"the limit is {limit}: ask 1 question or more")
    split = dataset.split(split)
    judged = [Question(id_, text) for id_, text in dataset.queries.items() if id_ in dataset.qrels[split]]
    questions = [question for question in judged if any(dataset.qrels[split][question.id].values())]
    if not questions:
        raise EvalError(
            f"{dataset.name} has no relevant document for any query in qrels/{split}.tsv: choose another split"
        )
    return split, questions[:limit], len(judged) - len(questions)
