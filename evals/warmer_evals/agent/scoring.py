"""The scores of a recorded agent: the recorded model's, the judgments, or none."""

from collections.abc import Mapping, Sequence
from random import Random
from typing import Literal

from warmer.steering.scores import SCALE
from warmer_evals.agent.records import Record
from warmer_evals.beir import Dataset

Kind = Literal["recorded", "perfect", "none"]

# Measured on recorded scores: their mean by what the judgments say, and their standard deviation.
_RELEVANT, _NOT_RELEVANT, _DEVIATION = 6.7, 3.1, 2.3
_LOWEST_GRADE, _BY_GRADE = 2.6, 6.0  # where a model made the judgments itself


class Scores:
    """Scores documents. This class gives no scores; subclasses do.

    Attributes:
        recorded: The pairs of query and document whose score was recorded, of those that were asked for.
        drawn: The pairs whose score was drawn.
    """

    def __init__(self) -> None:
        self.recorded: set[tuple[str, str]] = set()
        self.drawn: set[tuple[str, str]] = set()

    def of(self, record: Record, documents: Sequence[str]) -> Mapping[str, float]:  # noqa: ARG002
        """Return document -> score 0..10 for a record's question; empty if nothing is scored."""
        return {}


def load_scores(kind: Kind, dataset: Dataset, split: str) -> Scores:
    """Return the scores of a kind."""
    match kind:
        case "recorded":
            return ModelScores(dataset, split)
        case "perfect":
            return PerfectScores(dataset, split)
        case "none":
            return Scores()


class PerfectScores(Scores):
    """The judgments as scores: 10 is the dataset's highest grade."""

    def __init__(self, dataset: Dataset, split: str) -> None:
        super().__init__()
        self._by_query = oracle(dataset, split)

    def of(self, record: Record, documents: Sequence[str]) -> Mapping[str, float]:
        """Return the judgments of documents as scores; 0 if not listed."""
        scores = self._by_query[record.id]
        return {document: scores.get(document, 0.0) for document in documents}


class ModelScores(Scores):
    """The scores that were recorded; elsewhere drawn as such a model scores, the same in every arm and every run."""

    def __init__(self, dataset: Dataset, split: str) -> None:
        super().__init__()
        self._qrels = dataset.qrels[split]
        self._top = highest_grade(dataset)
        self._graded = dataset.pooled and self._top == SCALE  # 0 is listed, 10 the best: grades of give_feedback's kind

    def of(self, record: Record, documents: Sequence[str]) -> Mapping[str, float]:
        """Return recorded or drawn scores of documents."""
        recorded = dict(zip(record.hits, record.scores, strict=True))
        for document in documents:
            (self.recorded if document in recorded else self.drawn).add((record.id, document))
        return {
            document: recorded[document] if document in recorded else self._draw(record.id, document)
            for document in documents
        }

    def _draw(self, query: str, document: str) -> float:
        grade = self._qrels[query].get(document, 0)
        mean = _LOWEST_GRADE + _BY_GRADE * grade / self._top if self._graded else _RELEVANT if grade else _NOT_RELEVANT
        drawn = Random(f"{query}\0{document}").gauss(mean, _DEVIATION)  # noqa: S311  not for secrets
        return float(min(max(round(drawn), 0), SCALE))


def highest_grade(dataset: Dataset) -> int:
    """Return the highest grade of all judgments, at least 1."""
    graded = [grades for qrels in dataset.qrels.values() for grades in qrels.values()]
    return max(1, *(grade for grades in graded for grade in grades.values()))


def oracle(dataset: Dataset, split: str) -> dict[str, dict[str, float]]:
    """Return the judgments as scores: query id -> document id -> 0..10, where 10 is the dataset's highest grade."""
    highest = highest_grade(dataset)
    return {
        query: {id_: SCALE * grade / highest for id_, grade in grades.items()}
        for query, grades in dataset.qrels[split].items()
    }
