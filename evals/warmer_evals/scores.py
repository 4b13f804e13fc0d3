"""Judges of an evaluation: the judgments themselves, recorded scores, or a model with a cache."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol
from zipfile import BadZipFile

import anyio.to_thread
import numpy as np
from numpy.typing import NDArray

from warmer.errors import JudgeError
from warmer.judges import Judge, checked_scores, load_judge
from warmer.judges.usage import Usage
from warmer.steering.scores import SCALE
from warmer_evals import EvalError
from warmer_evals.beir import Dataset
from warmer_evals.retrieval import DocumentHit, Query

_BATCH = 25


class Scores(Protocol):
    """A judge of an evaluation.

    Attributes:
        name: Its name in the report.
        free: Whether scores cost nothing, so that more than the headline's may be requested.
        workers: How many queries may be scored at once.
    """

    name: str
    free: bool
    workers: int

    def knows(self, query: str) -> bool:
        """Whether a query, by its id, can be scored."""
        ...

    async def score(self, query: Query, found: Sequence[DocumentHit]) -> NDArray[np.float64]:
        """Score documents for a query; shape (found,), 0 to 1.

        Raises:
            EvalError: A score is missing or the judge failed.
        """
        ...


class Judgments:
    """The judgments are the scores: an oracle, or a recorded judge. Documents that are not listed score 0."""

    name = "qrels"
    free = True
    workers = 1

    def __init__(self, dataset: Dataset, split: str) -> None:
        # The evaluated split comes last: its grades win for a query that is in several splits.
        qrels = [*dataset.qrels.values(), dataset.qrels[split]]
        self._grades = {query: graded for judged in qrels for query, graded in judged.items()}
        self._highest = max(1, *(grade for judged in qrels for graded in judged.values() for grade in graded.values()))

    def knows(self, query: str) -> bool:
        """Whether a query has judgments."""
        return query in self._grades

    async def score(self, query: Query, found: Sequence[DocumentHit]) -> NDArray[np.float64]:
        """Return each document's grade divided by the highest grade of the dataset."""
        graded = self._grades[query.id]
        return np.array([graded.get(one.document, 0) / self._highest for one in found], dtype=np.float64)


class RecordedScores:
    """Scores from a NumPy archive: `scores[query, document]` from 0 to 1 or 0 to 10, `query_ids`, `corpus_ids`.

    Raises:
        EvalError: The file cannot be read, or its shapes or scores are wrong.
    """

    free = True
    workers = 1

    def __init__(self, path: Path) -> None:
        self.name = f"scores:{path.name}"
        try:
            with np.load(path, allow_pickle=False) as archive:
                scores = np.asarray(archive["scores"], dtype=np.float16)
                queries, documents = (archive[name].ravel() for name in ("query_ids", "corpus_ids"))
        except (OSError, EOFError, ValueError, TypeError, KeyError, AttributeError, BadZipFile) as error:
            raise EvalError(
                f"cannot read {path}: {error}. A file of scores is written by numpy.savez(path, scores=..., "
                "query_ids=..., corpus_ids=...), scores of shape (queries, documents)"
            ) from error
        if scores.shape != (len(queries), len(documents)):
            raise EvalError(
                f"{path} has scores of shape {scores.shape} for {len(queries)} queries and {len(documents)} documents"
            )
        highest = float(np.nanmax(scores, initial=0))
        if not highest <= SCALE:
            raise EvalError(f"{path} has a score of {highest:g}: scores go from 0 to 1, or from 0 to {SCALE:g}")
        self._scores = scores
        self._scale = SCALE if highest > 1.5 else 1.0  # noqa: PLR2004  a cosine may slightly exceed 1
        self._row = {str(id_): row for row, id_ in enumerate(queries)}
        self._column = {str(id_): column for column, id_ in enumerate(documents)}

    def knows(self, query: str) -> bool:
        """Whether a query has scores."""
        return query in self._row

    async def score(self, query: Query, found: Sequence[DocumentHit]) -> NDArray[np.float64]:
        """Look up the scores.

        Raises:
            EvalError: A document has no score.
        """
        row = self._scores[self._row[query.id]]
        columns = [self._column.get(one.document) for one in found]
        scores = np.array([np.nan if column is None else row[column] for column in columns], dtype=np.float64)
        if (missing := np.flatnonzero(np.isnan(scores))).size:
            raise EvalError(
                f"{self.name} has no score of document {found[missing[0]].document!r} for query {query.id!r}: it must "
                "score every document that can be retrieved. Scores of a pool go into qrels/*.tsv, judge qrels"
            )
        return np.clip(scores / self._scale, 0, 1)


class CachedJudge:
    """A model whose scores are cached in a file, so that an interrupted evaluation can resume."""

    free = False

    def __init__(self, judge: Judge, folder: Path) -> None:
        self.name = judge.name
        self.workers = judge.workers
        self._judge = judge
        digest = hashlib.sha256(f"{judge.name}\n{judge.rubric}".encode()).hexdigest()[:12]
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / f"{digest}.jsonl"
        self._cached = _read_cache(self._file)

    @property
    def usage(self) -> Usage | None:
        """Usage of the model in this process; None if the judge does not count it."""
        return getattr(self._judge, "usage", None)

    def knows(self, query: str) -> bool:  # noqa: ARG002
        """Always true: a model can score any query."""
        return True

    async def score(self, query: Query, found: Sequence[DocumentHit]) -> NDArray[np.float64]:
        """Return scores, requesting and caching those that are missing.

        Raises:
            EvalError: The judge failed; earlier batches are cached.
        """
        texts = [one.hit.passage for one in found]
        missing = list(dict.fromkeys(text for text in texts if (query.text, _text_digest(text)) not in self._cached))
        for start in range(0, len(missing), _BATCH):
            batch = missing[start : start + _BATCH]
            try:
                scores = await anyio.to_thread.run_sync(checked_scores, self._judge, query.text, batch)
            except JudgeError as error:
                raise EvalError(
                    f"{error}. {len(self._cached)} scores of this judge are kept: the same command goes on from there"
                ) from error
            self._append(query.text, dict(zip(batch, scores, strict=True)))
        return np.array([self._cached[query.text, _text_digest(text)] for text in texts], dtype=np.float64) / SCALE

    def _append(self, query: str, scores: Mapping[str, float]) -> None:
        keyed = {_text_digest(text): score for text, score in scores.items()}
        # The line break comes first: it ends a partial line that a killed process may have left.
        lines = ["\n" + json.dumps({"query": query, "passage": key, "score": score}) for key, score in keyed.items()]
        with self._file.open("ab", buffering=0) as file:
            file.write("".join(lines).encode())
        self._cached |= {(query, key): score for key, score in keyed.items()}


def load_scores(spec: str, dataset: Dataset | None, split: str, cache: Path) -> Scores:
    """Load a judge: `qrels`, `scores:FILE.npz`, or one of `warmer.judges` (`fastembed:<model>`, `claude`, ...).

    Raises:
        EvalError: The file cannot be read, or there are no judgments.
        JudgeError: There is no such judge, or it needs a package or key that is missing.
    """
    kind, _, rest = spec.partition(":")
    if spec == "qrels":
        if dataset is None:
            raise EvalError("a collection has no judgments: name another judge, such as claude or fastembed:<model>")
        return Judgments(dataset, split)
    if kind == "scores" and rest:
        return RecordedScores(Path(rest).expanduser())
    return CachedJudge(load_judge(spec), cache / "scores")


def _read_cache(file: Path) -> dict[tuple[str, str], float]:
    kept: dict[tuple[str, str], float] = {}
    for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else ():
        try:
            entry: dict[str, Any] = json.loads(line)
            kept[entry["query"], entry["passage"]] = float(entry["score"])
        except (ValueError, KeyError, TypeError):
            continue  # an empty line, or one that a crash cut short
    return kept


def _text_digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
