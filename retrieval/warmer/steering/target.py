"""Wordings to one vector: what the dense leg looks for."""

from collections.abc import Sequence

import numpy as np

from warmer.steering.params import Params
from warmer.steering.wording import Wording
from warmer.vectors import QueryVector, TextQuery, unit


def weight(wording: Wording, params: Params) -> float:
    """Weigh a wording beside the query that began the thread, which weighs 1."""
    if wording.kind == "avoid":
        return 0.0
    if wording.kind == "passage":
        return params.passage
    return 1.0 if wording.kind == "query" and not wording.turn else params.rewording


def target(wordings: Sequence[Wording], params: Params) -> QueryVector:
    """Mix the wordings of a thread into one vector, shape (dim,), as long as the first one: distances may count that.

    Vectors that the engine makes itself cannot be mixed here: then the query that began the thread stands for all.
    """
    if any(isinstance(wording.vector, TextQuery) for wording in wordings):
        return wordings[0].vector
    weights = np.array([weight(wording, params) for wording in wordings])
    mixed = weights @ unit(np.stack([np.asarray(wording.vector) for wording in wordings]))
    length = float(np.linalg.norm(np.asarray(wordings[0].vector))) or 1.0
    return np.asarray(length * unit(mixed), dtype=np.float32)
