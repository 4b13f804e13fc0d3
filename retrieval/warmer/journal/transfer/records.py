"""What the lines of an exported journal are: searches with hits and scores, and trained parameters."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from warmer.errors import WarmerError
from warmer.journal.parameters import Trained


def _whole_vector(raw: bytes) -> bytes:
    if len(raw) % 4 or not np.isfinite(np.frombuffer(raw, dtype="<f4")).all():
        raise ValueError("is no vector of finite 32-bit numbers")
    return raw


Raw = Annotated[bytes, AfterValidator(_whole_vector)]


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
    """A judge's score, 0 to 10, and when it was given, in seconds since 1970."""

    judge: str
    rubric: str
    score: float = Field(ge=0, le=10)
    created: float


class HitRecord(_Record):
    """A hit that was shown; its number is its place in the list. A shared journal keeps no `engine_score`: 0 there."""

    point: str
    engine_score: float
    vector: Raw
    title: str
    source: str
    scores: list[ScoreRecord]


class SearchRecord(_Record):
    """A search; vectors are float32, little-endian, in base64."""

    kind: Literal["search"] = "search"
    id: str = Field(pattern=r"^s_[\w-]{22}(\.[0-9a-f]{16})?$")
    collection: str
    model: str
    query: str
    vector: Raw
    where: dict[str, Any]
    lexical: bool
    created: float
    expires: float
    hits: list[HitRecord]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if len({hit.point for hit in self.hits}) < len(self.hits):
            raise ValueError("a point is a hit twice")
        if len({len(hit.vector) for hit in self.hits} | ({len(self.vector)} - {0})) > 1:
            raise ValueError("the vectors differ in length")
        return self


class ParametersRecord(_Record):
    """A set of parameters, as `warmer params` writes it."""

    kind: Literal["parameters"] = "parameters"
    trained: dict[str, Any]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        try:
            self.read()
        except WarmerError as error:
            raise ValueError(str(error)) from error
        return self

    def read(self) -> Trained:
        """Give the set."""
        return Trained.from_json(self.trained)


class EndRecord(_Record):
    """The last line, so that it shows if any are missing: how many are between it and the first."""

    kind: Literal["end"] = "end"
    lines: int


Record = SearchRecord | ParametersRecord


@dataclass(slots=True)
class Counts:
    """How many searches, hits, scores and sets of parameters."""

    searches: int = 0
    hits: int = 0
    scores: int = 0
    parameters: int = 0

    def add(self, record: Record) -> None:
        """Count all that a record has."""
        if isinstance(record, ParametersRecord):
            self.parameters += 1
        else:
            self.searches += 1
            self.hits += len(record.hits)
            self.scores += sum(len(hit.scores) for hit in record.hits)

    def __str__(self) -> str:
        """Say it."""
        return f"{self.searches} searches, {self.hits} hits, {self.scores} scores, {self.parameters} sets of parameters"


LINE: TypeAdapter[Record | EndRecord] = TypeAdapter(
    Annotated[SearchRecord | ParametersRecord | EndRecord, Field(discriminator="kind")]
)
