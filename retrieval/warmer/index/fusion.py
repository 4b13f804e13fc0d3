"""Two legs to one list: each candidate is scored on both, however it was found."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray


def fuse(dense: Mapping[str, float], lexical: Mapping[str, float], share: float) -> list[tuple[str, float]]:
    """Add up standardised scores.

    Fusion by a server takes what only one leg found as having nothing on the other. Here both legs have scored all
    candidates, and the weights of the legs are free.

    Args:
        dense: Point id -> score, for every candidate.
        lexical: Likewise; points that share no word with the query may be missing, and score 0.
        share: Weight of the words, 0 to 1.

    Returns:
        Point ids and scores, best first; equals by id.
    """
    ids = sorted(dense)
    legs = np.array([[dense[id_] for id_ in ids], [lexical.get(id_, 0.0) for id_ in ids]]).reshape(2, -1)
    scores = (1 - share) * _standard(legs[0]) + share * _standard(legs[1])
    return sorted(zip(ids, scores.tolist(), strict=True), key=lambda pair: (-pair[1], pair[0]))


def _standard(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    spread = scores.std() if scores.size else 0.0
    return (scores - scores.mean()) / spread if spread > 0 else np.zeros_like(scores)
