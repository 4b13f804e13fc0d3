"""The lines of an exported journal: searches with hits and scores, and trained parameters."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from warmer.errors import WarmerError
from warmer.journal.clock import Time
from warmer.journal.parameters import OutdatedParametersError, Trained
from warmer.steering.wording import Kind


def _check_vector(raw: bytes) -> bytes:
    if len(raw) % 4 or not np.isfinite(np.frombuffer(raw, dtype="<f4")).all():
        raise ValueError("is not a vector of finite 32-bit numbers")
    return raw


RawVector = Annotated[bytes, AfterValidator(_check_vector)]


class _Record(BaseModel):
    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        allow_inf_nan=False,
        ser_json_bytes="base64",
        val_json_bytes="base64",
        ser_json_inf_nan="constants",
    )


class ScoreRecord(_Record):
    """A judge's score, 0..10, and its time in seconds since 1970."""

    judge: str
    rubric: str
    score: float = Field(ge=0, le=10)
    created: Time


class HitRecord(_Record):
    """A hit, numbered by its position in the list. `engine_score` is 0 from a journal in Qdrant, which lacks it."""

    point: str
    engine_score: float
    vector: RawVector
    title: str
    source: str
    scores: list[ScoreRecord]


class WordingRecord(_Record):
    """What a thread said besides its first wording; see `warmer.steering.wording`."""

    wording: Kind
    text: str
    vector: RawVector
    turn: int = Field(ge=0)


class SearchRecord(_Record):
    """A search. Vectors are little-endian float32 in base64, times are seconds since 1970."""

    kind: Literal["search"] = "search"
    id: str = Field(pattern=r"^s_[\w-]{22}(\.[0-9a-f]{16})?$")
    collection: str
    model: str
    query: str
    vector: RawVector
    where: dict[str, Any]
    lexical: bool
    created: Time
    expires: Time
    hits: list[HitRecord]
    wordings: list[WordingRecord] = []

    @model_validator(mode="after")
    def _check_hits(self) -> Self:
        if len({hit.point for hit in self.hits}) < len(self.hits):
            raise ValueError("a point is a hit twice")
        queries = {len(self.vector), *(len(one.vector) for one in self.wordings)} - {0}
        if len({len(hit.vector) for hit in self.hits} | queries) > 1:
            raise ValueError("the vectors differ in length")
        return self


class ParametersRecord(_Record):
    """A set of parameters in the format of `warmer params`."""

    kind: Literal["parameters"] = "parameters"
    trained: dict[str, Any]

    @model_validator(mode="after")
    def _check_trained(self) -> Self:
        try:
            self.to_trained()
        except WarmerError as error:
            raise ValueError(str(error)) from error
        return self

    def to_trained(self) -> Trained | None:
        """Parse the set; None if it was fitted to an earlier formula, which keeps nobody from the rest of a file."""
        try:
            return Trained.from_json(self.trained)
        except OutdatedParametersError:
            return None


class EndRecord(_Record):
    """The last line, with the number of records in the file, which reveals missing lines."""

    kind: Literal["end"] = "end"
    lines: int


Record = SearchRecord | ParametersRecord


@dataclass(slots=True)
class Counts:
    """Numbers of exported or imported items."""

    searches: int = 0
    hits: int = 0
    scores: int = 0
    parameters: int = 0

    def add(self, record: Record) -> None:
        """Count a record and all it contains."""
        if isinstance(record, ParametersRecord):
            self.parameters += 1
        else:
            self.searches += 1
            self.hits += len(record.hits)
            self.scores += sum(len(hit.scores) for hit in record.hits)

    def __str__(self) -> str:
        return f"{self.searches} searches, {self.hits} hits, {self.scores} scores, {self.parameters} sets of parameters"


LINE: TypeAdapter[Record | EndRecord] = TypeAdapter(
    Annotated[SearchRecord | ParametersRecord | EndRecord, Field(discriminator="kind")]
)
