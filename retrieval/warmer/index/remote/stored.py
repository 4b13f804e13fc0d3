"""Points as somebody else stored them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from qdrant_client import models

from warmer.index.remote.payload import Layouts
from warmer.vectors import Vector


@dataclass(frozen=True, slots=True)
class Stored:
    """A point.

    Attributes:
        payload: As stored.
        text: What is read of it.
        title: Likewise.
        vectors: Its dense vectors by name, empty for the one without.
        used: Name of the one that is searched.
    """

    payload: dict[str, Any]
    text: str
    title: str
    vectors: Mapping[str, list[float]]
    used: str

    def vector(self, name: str) -> Vector:
        """Give a dense vector, shape (dim,)."""
        return np.asarray(self.vectors[name], dtype=np.float32)


def read_stored(record: models.Record, layouts: Layouts, used: str) -> Stored:
    """Read a point."""
    payload = record.payload or {}
    shown = layouts.read(payload)
    every = record.vector if isinstance(record.vector, dict) else {"": record.vector}
    dense = {
        name: [float(number) for number in vector]
        for name, vector in every.items()
        if isinstance(vector, list) and vector and isinstance(vector[0], int | float)
    }
    return Stored(payload, shown["text"], shown["title"], dense, used)
