"""Records: what a language model said before, during and after a search for a question, a JSON line each."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from warmer.steering.scores import SCALE
from warmer_evals import EvalError
from warmer_evals.beir import Dataset

_WORDINGS = 5  # that one search takes

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Wordings = Annotated[list[Text], Field(max_length=_WORDINGS)]
Score = Annotated[float, Field(ge=0, le=SCALE)]


class Before(BaseModel):
    """What was written before any search.

    Attributes:
        ideal: A passage that would answer the question (HyDE).
        wordings: Other wordings of the question.
    """

    ideal: Text
    wordings: Wordings


class Record(BaseModel):
    """What was said for one question.

    Attributes:
        id: The query's id in the dataset.
        query: The question, in the dataset's words.
        before: What was written before any search.
        hits: Ids of documents that were read.
        scores: How each of them was scored, 0..10.
        after: Further wordings, written after reading, one for each later list.
    """

    model_config = ConfigDict(frozen=True, strict=True)

    id: str
    query: Text
    before: Before
    hits: list[str]
    scores: list[Score]
    after: list[Text]

    @model_validator(mode="after")
    def _paired(self) -> "Record":
        if len(self.hits) != len(self.scores):
            raise ValueError(f"{len(self.hits)} hits have {len(self.scores)} scores")
        return self


@dataclass(frozen=True, slots=True)
class Records:
    """Records of a dataset's queries.

    Attributes:
        path: The file that they were read from.
        of: Query id -> record, in the order of the file.
    """

    path: Path
    of: dict[str, Record]


def load_records(path: Path, dataset: Dataset) -> Records:
    """Read the records of a dataset's queries.

    Raises:
        EvalError: The file cannot be read, or a line of it is no record of a query of this dataset; it names the line.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")  # a text may hold other ends of lines
    except (OSError, UnicodeDecodeError) as error:
        raise EvalError(f"cannot read the records {path}: {error}. Name a file: --agent recorded:FILE") from error
    records: dict[str, Record] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        record = _parse(line, where)
        if record.id not in dataset.queries:
            raise EvalError(
                f"{where}: {dataset.name} has no query {record.id!r}. Choose the records of this dataset, or its folder"
            )
        if record.id in records:
            raise EvalError(f"{where}: the query {record.id!r} appears a second time. Delete one of the lines")
        records[record.id] = record
    if not records:
        raise EvalError(f"{path} is empty: there is nothing to play")
    return Records(path, records)


def _parse(line: str, where: str) -> Record:
    try:
        return Record.model_validate(json.loads(line))
    except ValidationError as error:
        first = error.errors()[0]
        problem = f"{'.'.join(map(str, first['loc'])) or 'record'}: {first['msg']}"
    except ValueError as error:
        problem = f"not JSON ({error})"
    raise EvalError(
        f"{where} is not a record: {problem}. It begins {line[:60]!r}; docs/evals.md says what a record is made of"
    )
